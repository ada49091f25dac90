"""Compiled loops that add packets up by direction: one hash table, a row of numbers for each direction.

Columns of a row are those of proxy.flows.directions (JOB ... SYN_COLUMN); the first five are the key.
"""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.batch import NO_TIME
from capture.packets.compiling import borrowing, compiled

_I64, _I32, _TABLE = types.int64[::1], types.int32[::1], types.int64[:, ::1]
NEVER = np.iinfo(np.int64).max
EMPTY = -1
_NO_TIME = int(NO_TIME)
# Odd numbers with bits all over, to spread what is mostly small.
_MIX = np.uint64(0x9E3779B97F4A7C15)


@borrowing()
def _slot(job, stack, community, source, port, mask):  # type: ignore[no-untyped-def]
    mixed = np.uint64(community) * _MIX ^ np.uint64(source)
    mixed = (mixed ^ mixed >> np.uint64(29)) * _MIX ^ np.uint64(port)
    mixed = (mixed ^ mixed >> np.uint64(32)) * _MIX ^ np.uint64(job)
    mixed = (mixed ^ mixed >> np.uint64(31)) * _MIX ^ np.uint64(stack)
    mixed = (mixed ^ mixed >> np.uint64(30)) * _MIX
    return np.int64(mixed >> np.uint64(20)) & mask


@compiled(types.void(_I32, _TABLE, types.int64))
def place(slots, table, used):  # type: ignore[no-untyped-def]
    """Puts the first `used` rows of a table into slots (a power of two, EMPTY all)."""
    mask = len(slots) - 1
    for k in range(used):
        at = _slot(table[k, 0], table[k, 1], table[k, 2], table[k, 3], table[k, 4], mask)
        while slots[at] != EMPTY:
            at = (at + 1) & mask
        slots[at] = k


_BEFORE = (types.UniTuple(_I64, 5), types.boolean[::1], _I64, _I64, _I64, _I64, _I64, types.int64, types.int64)


@compiled(types.UniTuple(types.int64, 2)(*_BEFORE, types.int64, _I32, _TABLE, types.int64))
def add_up(key, there, others, flags, columns, times, lengths, syn, ack, begin, slots, table, used):  # type: ignore[no-untyped-def]
    """Adds packets from `begin` on. Answers behind the last one that was added, for the table may be full, and rows used.

    there (n,): the others are passed over. others (2,): of no conversation (community -1) are so many packets and bytes more.
    syn, ack: the bits of flags (n,). times: ns, NO_TIME where unknown."""
    job, stack, community, source, port = key
    mask = len(slots) - 1
    for i in range(begin, len(columns)):
        if not there[i]:
            continue
        if community[i] < 0:
            others[0] += 1
            others[1] += lengths[i]
            continue
        at = _slot(job[i], stack[i], community[i], source[i], port[i], mask)
        k = slots[at]
        while k != EMPTY and not (
            table[k, 2] == community[i]
            and table[k, 3] == source[i]
            and table[k, 4] == port[i]
            and table[k, 0] == job[i]
            and table[k, 1] == stack[i]
        ):
            at = (at + 1) & mask
            k = slots[at]
        if k == EMPTY:
            if used == len(table):
                return i, used
            k = np.int32(used)
            slots[at] = k
            used += 1
            table[k, 0], table[k, 1], table[k, 2], table[k, 3], table[k, 4] = job[i], stack[i], community[i], source[i], port[i]
            table[k, 5] = table[k, 6] = table[k, 7] = 0
            table[k, 8] = table[k, 9] = table[k, 10] = table[k, 12] = table[k, 13] = NEVER
            table[k, 11] = _NO_TIME
        column, time = columns[i], times[i]
        table[k, 5] += 1
        table[k, 6] += lengths[i]
        table[k, 7] |= flags[i]
        table[k, 8] = min(table[k, 8], column)
        table[k, 11] = max(table[k, 11], time)
        first = NEVER if time == _NO_TIME else time
        if first < table[k, 9] or (first == table[k, 9] and column < table[k, 10]):
            table[k, 9], table[k, 10] = first, column
        if flags[i] & syn and not flags[i] & ack and (first < table[k, 12] or (first == table[k, 12] and column < table[k, 13])):
            table[k, 12], table[k, 13] = first, column
    return len(columns), used
