"""One direction of a conversation: packets of the same conversation from the same address and port, added up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db.models import F
from numpy.typing import NDArray

from capture.packets.batch import NO_TIME
from capture.packets.declarations.transport import TCP_FLAGS
from indexing import limits
from proxy.analysis.packet_times import times_and_lengths
from proxy.by_record.batches import visible
from proxy.flows.direction_kernels import EMPTY, add_up, place
from proxy.flows.grouping import I64, combined
from proxy.flows.lookup import U64, WHAT, Part
from proxy.flows.triples import CONVERSATION
from proxy.translator import TableTranslator

FIELDS = (*CONVERSATION, "netsrc", "transsrc", "tcp-flagset")
# Rows of a table of directions, int64 (ROWS, n). The first KEY of them, row ids, say which direction it is.
JOB, STACK, COMMUNITY_ID, SOURCE, PORT, PACKETS, BYTES, FLAGS, COLUMN, FIRST, FIRST_COLUMN, LAST, SYN, SYN_COLUMN = range(14)
KEY, ROWS = 5, 14
# FIRST, SYN are NEVER where no packet's time is known, or there is no SYN.
_SYN, _ACK = (1 << TCP_FLAGS.index(name) for name in ("SYN", "ACK"))
_FEW = 1 << 12  # rows of the table at first
_SMALL = 1 << 12  # row ids of flags are smaller, mostly
_COLUMN_BYTES = 8 * (len(FIELDS) + 12)  # of a part's packet, while it is added up


class Directions:
    """Adds up packets part by part. others: packets, and their bytes, that are of no conversation."""

    def __init__(self, index: str) -> None:
        self._index = index
        self._flags: dict[int, int] = {}
        self._rows = np.empty((_FEW, ROWS), np.int64)
        self._slots = np.full(2 * _FEW, EMPTY, np.int32)
        self._used = 0
        self._others = np.zeros(2, np.int64)

    @property
    def others(self) -> int:
        return int(self._others[0])

    @property
    def other_bytes(self) -> int:
        return int(self._others[1])

    def add(self, parts: Iterable[Part]) -> None:
        """parts: of FIELDS. Packets whose job was just deleted are left out. Raises LimitExceeded."""
        budget = limits.current()
        for columns, rows in parts:
            budget.take(columns.size * _COLUMN_BYTES, WHAT)
            there, times, lengths = _records(self._index, columns)
            self._add(rows[:KEY], there, self._flags_of(rows[5]), columns.view(np.int64), times, lengths)
            budget.free(columns.size * _COLUMN_BYTES)

    def table(self) -> I64:
        """The table, in the order of its key."""
        found = self._rows[: self._used].T
        ordered: I64 = np.ascontiguousarray(found[:, np.argsort(combined(list(found[:KEY])))])
        return ordered

    def _add(self, key: list[I64], there: NDArray[np.bool_], flags: I64, columns: I64, times: I64, lengths: I64) -> None:
        """Packets (n,)."""
        keys, columns = tuple(map(np.ascontiguousarray, key)), np.ascontiguousarray(columns)
        packets: tuple[Any, ...] = (keys, there, self._others, flags, columns, times, lengths, _SYN, _ACK)
        done = 0
        while True:
            done, self._used = add_up(*packets, done, self._slots, self._rows, self._used)
            if done == columns.size:
                return
            limits.current().hold(self, 3 * self._rows.nbytes, WHAT)  # the larger one, and that beside which it is made
            rows = np.empty((2 * len(self._rows), ROWS), np.int64)
            rows[: self._used] = self._rows
            self._rows, self._slots = rows, np.full(2 * len(rows), EMPTY, np.int32)
            place(self._slots, self._rows, self._used)
            limits.current().hold(self, 2 * self._rows.nbytes, WHAT)  # and the table that is made of it in the end

    def _flags_of(self, rows: I64) -> I64:
        """TCP flags as bits (n,) of rows of tcp-flagset (n,)."""
        if int(rows.max()) < _SMALL:  # -1: none; it is the last place of both tables
            seen = np.zeros(_SMALL + 1, np.bool_)
            seen[rows] = True
            distinct, back = np.flatnonzero(seen), None
            distinct[distinct == _SMALL] = -1
        else:
            distinct, back = np.unique(rows, return_inverse=True)
        new = {row for row in distinct.tolist() if row >= 0} - self._flags.keys()
        if new:
            values = TableTranslator(self._index).values({FIELDS[5]: new})[FIELDS[5]]
            for row in new:
                names = values.get(row, b"").decode().split(",")
                self._flags[row] = sum(1 << TCP_FLAGS.index(name) for name in names if name in TCP_FLAGS)
        of = np.array([self._flags.get(row, 0) for row in distinct.tolist()], np.int64)
        if back is not None:
            return of[back]
        every = np.zeros(_SMALL + 1, np.int64)
        every[distinct] = of
        return every[rows]


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
