"""What is known of questions, handshakes and HTTP connections behind some of a job's batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.compiling import compiled
from capture.packets.conversations import asked, http, tls
from capture.packets.conversations import requests_rows as row
from capture.packets.conversations.contract import MOST_HELD, Found
from capture.packets.conversations.requests_found import as_found, make_found
from capture.packets.conversations.requests_table import TABLE, Table, emptied, is_full, make_table, restored
from capture.packets.fast.out import OUT

VERSION = 3

_TABLES = ("asked", "tls", "connections", "requests")
LEAST = 64
_BEFORE_ALL = -(2**62)


@compiled(
    types.Tuple((TABLE, TABLE, TABLE, TABLE, types.int64, OUT))(
        types.uint64[:, ::1], types.uint64, types.uint64, TABLE, TABLE, TABLE, TABLE, types.int64, types.int64, OUT
    )
)
def _take(rows, partition, partitions, questions, handshakes, connections, requests, now, most, found):  # type: ignore[no-untyped-def]
    told = np.uint64(0)  # 1 + the last column that got the time of a DNS or an echo exchange
    for k in range(len(rows)):
        words = rows[k]
        if words[row.KEY] % partitions != partition:
            continue
        now = max(now, np.int64(words[row.CLOCK]))
        kind = np.int64(words[row.WHAT] & np.uint64(0xFF))
        if kind == row.DNS_QUERY or kind == row.ECHO_REQUEST:
            if is_full(questions):
                questions, found = asked.with_room(questions, now, most, found)
            found = asked.question(questions, words, now, found)
        elif kind == row.DNS_RESPONSE or kind == row.ECHO_REPLY:
            # of several responses in one packet the first has the field
            before = found.used[0]
            found = asked.answer(questions, words, now, told != words[row.COLUMN] + np.uint64(1), found)
            if found.used[0] > before:
                told = words[row.COLUMN] + np.uint64(1)
        elif kind == row.HTTP_REQUEST:
            if is_full(connections) or is_full(requests):
                connections, requests = http.with_room(connections, requests, now, most)
            http.request(connections, requests, words, now)
        elif kind == row.HTTP_RESPONSE:
            found = http.response(connections, requests, words, now, found)
        else:
            if is_full(handshakes):
                handshakes, found = tls.with_room(handshakes, now, most, found)
            found = tls.take(handshakes, words, now, found)
            if kind == row.OPENED:
                http.opened(connections, requests, words, now)
    return questions, handshakes, connections, requests, now, found


class Requests:
    """The state of one partition (see contract.State).

    most: how many of a kind all partitions hold together; each holds half its part of it, or LEAST, at least."""

    def __init__(self, partition: int, partitions: int, most: int = MOST_HELD) -> None:
        self._partition, self._partitions = np.uint64(partition), np.uint64(partitions)
        self._most = 1 << (max(most // partitions, 2 * LEAST).bit_length() - 1)
        self._questions, self._handshakes, self._connections, self._requests = (make_table() for _ in _TABLES)
        self._now = _BEFORE_ALL

    def take(self, records: Any) -> Found:
        """The records of the next batch (applications.Records)."""
        self._questions, self._handshakes, self._connections, self._requests, now, found = _take(
            records.rows,
            self._partition,
            self._partitions,
            self._questions,
            self._handshakes,
            self._connections,
            self._requests,
            self._now,
            self._most,
            make_found(),
        )
        self._now = max(int(now), records.latest)
        return as_found(found)

    def expire(self, now_ns: int) -> Found:
        """What no packet at `now_ns` or later can change. Packets that come with earlier times are taken as of this time."""
        self._now = max(self._now, min(now_ns, -_BEFORE_ALL))
        http.purge(self._connections, self._requests, self._now)
        return self._settled(False)

    def end(self) -> Found:
        """The rest."""
        found = self._settled(True)
        self._connections, self._requests = emptied(self._connections), emptied(self._requests)
        return found

    def waiting(self) -> int | None:
        """The least column of a query, echo request, ClientHello or HTTP request that is open."""
        least = (asked.waiting(self._questions), tls.waiting(self._handshakes), http.waiting(self._requests))
        return min((column for column in least if column >= 0), default=None)

    def conversations(self) -> int:
        """Questions, handshakes and HTTP connections together."""
        return sum(int(table.used[2]) for table in (self._questions, self._handshakes, self._connections))

    def forgotten(self) -> int:
        """How many questions, handshakes, connections and requests it forgot for want of room."""
        return sum(int(table.used[3]) for table in self._tables())

    def dump(self) -> dict[str, NDArray[Any]]:
        """The entries of each table, and the clock."""
        tables = self._tables()
        arrays = {name: table.rows[: int(table.used[0])].copy() for name, table in zip(_TABLES, tables, strict=True)}
        forgotten = np.array([table.used[3] for table in tables], np.int64)
        return {**arrays, "now": np.array([self._now], np.int64), "forgotten": forgotten}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """What `dump` gave. Raises KeyError or ValueError for what is none."""
        forgotten, now = arrays["forgotten"], arrays["now"]
        if forgotten.dtype != np.int64 or forgotten.shape != (len(_TABLES),):
            raise ValueError("forgotten: not a number for each table")
        tables = [restored(name, arrays[name], int(forgotten[k])) for k, name in enumerate(_TABLES)]
        if now.dtype != np.int64 or now.shape != (1,):
            raise ValueError("now: not one time")
        asked.check(tables[0])
        http.check(tables[2], tables[3])
        self._questions, self._handshakes, self._connections, self._requests = tables
        self._now = int(now[0])

    def _tables(self) -> tuple[Table, Table, Table, Table]:
        return self._questions, self._handshakes, self._connections, self._requests

    def _settled(self, all_: bool) -> Found:
        self._questions, found = asked.settle(self._questions, self._now, all_, make_found())
        self._handshakes, found = tls.settle(self._handshakes, self._now, all_, found)
        return as_found(found)
