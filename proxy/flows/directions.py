"""One direction of a conversation: packets of the same conversation from the same address and port, added up."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from django.db.models import F
from numpy.typing import NDArray

from capture.packets.batch import NO_TIME
from capture.packets.declarations.transport import TCP_FLAGS
from indexing import limits
from proxy.analysis.packet_times import times_and_lengths
from proxy.by_record.batches import visible
from proxy.flows.grouping import I64, combined, grouped
from proxy.flows.lookup import U64, WHAT, Part
from proxy.flows.triples import CONVERSATION
from proxy.translator import TableTranslator

FIELDS = (*CONVERSATION, "netsrc", "transsrc", "tcp-flagset")
# Rows of a table of directions, int64 (ROWS, n). The first KEY of them, row ids, say which direction it is.
JOB, STACK, COMMUNITY_ID, SOURCE, PORT, PACKETS, BYTES, FLAGS, COLUMN, FIRST, FIRST_COLUMN, LAST, SYN, SYN_COLUMN = range(14)
KEY, ROWS = 5, 14
NEVER = np.iinfo(np.int64).max  # FIRST, SYN: no packet of a known time, no SYN
_SYN, _ACK = (1 << TCP_FLAGS.index(name) for name in ("SYN", "ACK"))
_PENDING = 500_000
_COLUMN_BYTES = 8 * (len(FIELDS) + 12)  # of a part's packet, while it is added up


class Directions:
    """Adds up packets part by part. others: packets, and their bytes, that are of no conversation."""

    def __init__(self, index: str) -> None:
        self._index = index
        self._flags: dict[int, int] = {}
        self._tables = [np.zeros((ROWS, 0), np.int64)]
        self._pending = 0
        self.others = self.other_bytes = 0

    def add(self, parts: Iterable[Part]) -> None:
        """parts: of FIELDS. Packets whose job was just deleted are left out. Raises LimitExceeded."""
        budget = limits.current()
        for columns, rows in parts:
            budget.take(columns.size * _COLUMN_BYTES, WHAT)
            there, times, lengths = _records(self._index, columns)
            mine = there & (rows[2] >= 0)
            self.others += int((there & ~mine).sum())
            self.other_bytes += int(lengths[there & ~mine].sum())
            if mine.any():
                kept = [row[mine] for row in rows]
                flags = self._flags_of(kept[5])
                self._keep(_added(kept[:KEY], flags, columns[mine].astype(np.int64), times[mine], lengths[mine]))
            budget.free(columns.size * _COLUMN_BYTES)

    def table(self) -> I64:
        """The table, in the order of its key."""
        self._tables = [merged(np.concatenate(self._tables, axis=1))]
        return self._tables[0]

    def _keep(self, table: I64) -> None:
        self._tables.append(table)
        self._pending += table.shape[1]
        if self._pending > _PENDING + self._tables[0].shape[1]:
            limits.current().hold(self, 3 * sum(one.nbytes for one in self._tables), WHAT)
            self._pending = self.table().shape[1]
        limits.current().hold(self, 2 * sum(one.nbytes for one in self._tables), WHAT)

    def _flags_of(self, rows: I64) -> I64:
        """TCP flags as bits (n,) of rows of tcp-flagset (n,)."""
        distinct, back = np.unique(rows, return_inverse=True)
        new = {row for row in distinct.tolist() if row >= 0} - self._flags.keys()
        if new:
            values = TableTranslator(self._index).values({FIELDS[5]: new})[FIELDS[5]]
            for row in new:
                names = values.get(row, b"").decode().split(",")
                self._flags[row] = sum(1 << TCP_FLAGS.index(name) for name in names if name in TCP_FLAGS)
        of = np.array([self._flags.get(row, 0) for row in distinct.tolist()], np.int64)
        return of[back]


def _records(index: str, columns: U64) -> tuple[NDArray[np.bool_], I64, I64]:
    """Of columns (n,), ascending: whether they are of a visible batch, their times in ns (NO_TIME: unknown), wire lengths."""
    there = np.zeros(columns.size, np.bool_)
    times, lengths = np.full(columns.size, NO_TIME, np.int64), np.zeros(columns.size, np.int64)
    some = visible(index).filter(first_column__lte=int(columns[-1]), first_column__gt=int(columns[0]) - F("packets"))
    for batch in some.order_by("first_column"):
        low, high = np.searchsorted(columns, np.array([batch.first_column, batch.first_column + batch.packets], np.uint64))
        if low == high:
            continue
        limits.current().check()
        try:
            record = times_and_lengths(batch)
        except FileNotFoundError:
            continue
        at = (columns[low:high] - np.uint64(batch.first_column)).astype(np.int64)
        there[low:high] = True
        times[low:high] = record["time_ns"][at]
        lengths[low:high] = record["wire_length"][at]
    return there, times, lengths


def _added(key: list[I64], flags: I64, columns: I64, times: I64, lengths: I64) -> I64:
    """The table of packets (n,); columns: ascending."""
    order, begin = grouped(combined(key))
    known = times != NO_TIME
    first = np.where(known, times, NEVER)
    syn = np.where((flags & _SYN != 0) & (flags & _ACK == 0), first, NEVER)
    # SYNs without a time are found by their column
    syn_column = np.where((flags & _SYN != 0) & (flags & _ACK == 0), columns, NEVER)
    out = np.empty((ROWS, begin.size), np.int64)
    for i, row in enumerate(key):
        out[i] = row[order[begin]]
    sizes = np.diff(np.append(begin, order.size))
    out[PACKETS] = sizes
    out[BYTES] = np.add.reduceat(lengths[order], begin)
    out[FLAGS] = np.bitwise_or.reduceat(flags[order], begin)
    out[COLUMN] = np.minimum.reduceat(columns[order], begin)
    out[LAST] = np.maximum.reduceat(times[order], begin)
    _earliest(out, FIRST, first[order], columns[order], begin, sizes)
    _earliest(out, SYN, syn[order], syn_column[order], begin, sizes)
    return out


def merged(table: I64) -> I64:
    """Directions that stand there several times are added up; in the order of their key."""
    if not table.size:
        return table
    order, begin = grouped(combined(list(table[:KEY])))
    if begin.size == order.size:
        ordered: I64 = table[:, order]
        return ordered
    sizes = np.diff(np.append(begin, order.size))
    out = np.empty((ROWS, begin.size), np.int64)
    out[:KEY] = table[:KEY, order[begin]]
    for row, add in (
        (PACKETS, np.add),
        (BYTES, np.add),
        (FLAGS, np.bitwise_or),
        (COLUMN, np.minimum),
        (LAST, np.maximum),
    ):
        out[row] = add.reduceat(table[row][order], begin)
    for row in (FIRST, SYN):
        _earliest(out, row, table[row][order], table[row + 1][order], begin, sizes)
    return out


def _earliest(out: I64, row: int, times: I64, columns: I64, begin: I64, sizes: I64) -> None:
    """The earliest time of each group and, in the next row, the lowest column that has it."""
    out[row] = np.minimum.reduceat(times, begin)
    out[row + 1] = np.minimum.reduceat(np.where(times == np.repeat(out[row], sizes), columns, NEVER), begin)
