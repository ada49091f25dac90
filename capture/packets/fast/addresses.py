"""Interning of addresses while headers are walked: IPv4, IPv6, pairs of MACs, and flows. A number for each, from 0.

The tables are grown between packets (`grown`), never within one: a packet adds few, and `add` writes without checks.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from capture.packets.compiling import compiled, inlined
from capture.packets.fast.interning import NONE, mixed

# MACS: both addresses of an Ethernet header, 12 bytes as they stand there: the first 8 and the last 4
MACS, IPV4, IPV6, FLOW = 1, 4, 6, 7

# A packet of at most 64 headers adds two or three to a table for each of them.
PER_PACKET = 256


class Table(NamedTuple):
    """slots: uint32 (power of 2,): number of a key, or NONE. keys: uint64 (slots / 2, 2). kind: uint8. used: int64 (1,): keys."""

    slots: NDArray[np.uint32]
    keys: NDArray[np.uint64]
    kind: NDArray[np.uint8]
    used: NDArray[np.int64]


def make_table(capacity: int = 4096) -> Table:
    """An empty table."""
    return Table(
        np.full(capacity, NONE, np.uint32),
        np.empty((capacity // 2, 2), np.uint64),
        np.empty(capacity // 2, np.uint8),
        np.zeros(1, np.int64),
    )


TABLE = numba.typeof(make_table())


@inlined()
def _place(table, first, second, kind):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(table.slots) - 1)
    return mixed(first * np.uint64(0x9E3779B97F4A7C15) ^ second ^ np.uint64(kind)) & mask


@inlined()
def add(table, first, second, kind):  # type: ignore[no-untyped-def]
    """The number of a key: two uint64 and what kind of key they are."""
    mask = np.uint64(len(table.slots) - 1)
    at = _place(table, first, second, kind)
    while True:
        number = table.slots[at]
        if number == NONE:
            break
        if table.keys[number, 1] == second and table.keys[number, 0] == first and table.kind[number] == kind:
            return np.int64(number)
        at = (at + np.uint64(1)) & mask
    new = table.used[0]
    table.slots[at] = np.uint32(new)
    table.keys[new, 0] = first
    table.keys[new, 1] = second
    table.kind[new] = kind
    table.used[0] = new + 1
    return new


@compiled()
def grown(table):  # type: ignore[no-untyped-def]
    """`table`, or a larger one with the same keys and numbers: with room for one more packet's keys."""
    if table.used[0] + PER_PACKET <= len(table.keys):
        return table
    capacity = 4 * len(table.slots)
    new = Table(
        np.full(capacity, NONE, np.uint32),
        np.empty((capacity // 2, 2), np.uint64),
        np.empty(capacity // 2, np.uint8),
        table.used,
    )
    mask = np.uint64(capacity - 1)
    for number in range(table.used[0]):
        first, second, kind = table.keys[number, 0], table.keys[number, 1], table.kind[number]
        new.keys[number, 0] = first
        new.keys[number, 1] = second
        new.kind[number] = kind
        at = _place(new, first, second, kind)
        while new.slots[at] != NONE:
            at = (at + np.uint64(1)) & mask
        new.slots[at] = np.uint32(number)
    return new
