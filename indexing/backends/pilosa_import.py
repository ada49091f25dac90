"""Bits into a Pilosa cluster and out of it again.

Sets go by import-roaring, ints by /import, and each to every node that is to have it, by ourselves: Pilosa would leave out a node
that it believes lost, and that node would answer without them when it is back. So what was imported is on all its nodes, or an
exception says which one did not take it. Existence (field `_exists`) is imported like a set, as import-roaring does not keep it;
`access` last.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from indexing.backends import pilosa_protobuf
from indexing.backends.base import (
    ACCESS_FIELD,
    LIVE_ROW,
    SHARD_WIDTH,
    BackendAway,
    BackendError,
    BatchBits,
    BatchRange,
    CodedBits,
    FieldSchema,
    IntBits,
    SetBits,
)
from indexing.backends.blobs import set_blob
from indexing.backends.pilosa_cluster import COPIES_ROW, Cluster, Members
from indexing.backends.pilosa_flight import Flight, Flights
from indexing.backends.pilosa_http import PAUSES, Hangs, Host, refused
from indexing.backends.ranges import merged, pieces
from indexing.roaring import SHARD_EXPONENT, U64, encode_ranges

EXISTS_FIELD = "_exists"
_VALUES_AT_ONCE = 500_000
_ROWS_AT_ONCE = 50_000  # rows of one clear mask: at most 352 bytes each for a whole shard
_ROW_0 = np.array([LIVE_ROW], np.uint64)
_SPREAD_SECONDS = 5.0  # how long a new shard may take to become known to nodes that do not have it


class Importer:
    """Writes to a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._flights = Flights()
        self._known_shards: set[tuple[str, int]] = set()
        self._said: dict[str, Members] = {}  # of which cluster an index says that every node holds everything

    def close(self) -> None:
        """Frees what the process holds."""
        self._flights.close()

    def import_batch(self, index: str, bits: BatchBits) -> None:
        """All bits of a batch, then existence, then `access`: only the last makes it visible.

        Existence after the ints: Pilosa imports that of their columns itself, and if it does so into a run container, it forgets
        what was in there until it is started again. Answers do not rely on it, see pilosa_pql."""
        members = self._cluster.members()
        self._say_copies(index, members)
        places = list(pieces(BatchRange(bits.batch, bits.first_column, bits.count)))
        self._fields(index, bits)
        for shard, first, last in places:
            self._roaring(index, EXISTS_FIELD, shard, encode_ranges(_ROW_0, [(first, last)]))
        self._cluster.same(members)
        for shard, first, last in places:
            self._roaring(index, ACCESS_FIELD, shard, encode_ranges(_ROW_0, [(first, last)]))
        if not members.full:
            self._cluster.same(members)
            for shard, _, _ in places:
                self._spread(members, index, shard)

    def import_more(self, index: str, bits: BatchBits, cleared: Sequence[FieldSchema]) -> None:
        """Bits of some fields of a batch that is there; before that, `cleared` fields are emptied in its columns."""
        members = self._cluster.members()
        self._empty(index, cleared, [BatchRange(bits.batch, bits.first_column, bits.count)])
        self._fields(index, bits)
        self._cluster.same(members)

    def _fields(self, index: str, bits: BatchBits) -> None:
        """The bits of a batch's fields."""
        places = list(pieces(BatchRange(bits.batch, bits.first_column, bits.count)))
        with self._flights.begin() as flight:
            # Ints first: Pilosa takes longer for one field of them than for all others together.
            for name, some in sorted(bits.fields.items(), key=lambda one: not isinstance(one[1], IntBits)):
                for shard, first, last in places:
                    if isinstance(some, IntBits):
                        inside = (some.column >> np.uint64(SHARD_EXPONENT)) == np.uint64(shard)
                        self._values(flight, index, name, shard, some.column[inside], some.value[inside])
                    elif (data := _blob(name, some, bits, shard, first, last)) is not None:
                        flight.send(self._roaring, index, name, shard, data)
            flight.land()

    def hide(self, index: str, batches: Sequence[BatchRange]) -> None:
        """Clears the batches' columns of `access`."""
        members = self._cluster.members()
        for shard, ranges in merged(batches).items():
            self._roaring(index, ACCESS_FIELD, shard, encode_ranges(_ROW_0, ranges), clear=True)
        self._cluster.same(members)

    def mark(self, index: str, field: str, row: int, clear: bool = False) -> None:
        """Sets or clears one bit, that of a row at column 0; the column is no packet's for that."""
        members = self._cluster.members()
        self._roaring(index, field, 0, encode_ranges(np.array([row], np.uint64), [(0, 0)]), clear)
        self._cluster.same(members)

    def clear(self, index: str, fields: Iterable[FieldSchema], batches: Sequence[BatchRange]) -> None:
        """Clears the batches' columns of `access`, then of every field, of existence last."""
        self.hide(index, batches)
        members = self._cluster.members()
        self._empty(index, fields, batches)
        for shard, ranges in merged(batches).items():
            self._roaring(index, EXISTS_FIELD, shard, encode_ranges(_ROW_0, ranges), clear=True)
        self._cluster.same(members)

    def _empty(self, index: str, fields: Iterable[FieldSchema], batches: Sequence[BatchRange]) -> None:
        """Clears the batches' columns of fields."""
        fields = list(fields)
        for shard, ranges in merged(batches).items() if fields else ():
            for field in fields:
                if field.kind == "int":
                    columns = np.concatenate([np.arange(first, last + 1, dtype=np.uint64) for first, last in ranges])
                    columns += np.uint64(shard * SHARD_WIDTH)
                    with self._flights.begin() as flight:
                        self._values(flight, index, field.name, shard, columns, np.zeros(columns.size, np.int64), clear=True)
                        flight.land()
                    continue
                rows = self._rows(index, field.name, shard)
                for i in range(0, rows.size, _ROWS_AT_ONCE):
                    self._roaring(index, field.name, shard, encode_ranges(rows[i : i + _ROWS_AT_ONCE], ranges), clear=True)

    def _rows(self, index: str, field: str, shard: int) -> U64:
        """Row ids that the field has in a shard, ascending."""
        answer = self._cluster.http.json("POST", f"/index/{index}/query?shards={shard}", f"Rows({field})".encode())
        return np.array(answer["results"][0]["rows"] or [], np.uint64)

    def _roaring(self, index: str, field: str, shard: int, data: bytes, clear: bool = False) -> None:
        """Sets or clears the bits of `data` in one shard, on every node that is to have it."""
        path = f"/index/{index}/field/{field}/import-roaring/{shard}"
        body = pilosa_protobuf.import_roaring(data, clear)
        for owner in self._cluster.owners(index, shard):
            self.post(owner, path if owner is None else path + "?remote=true", body)

    def _values(
        self,
        flight: Flight,
        index: str,
        field: str,
        shard: int,
        column: U64,
        value: NDArray[np.int64],
        clear: bool = False,
    ) -> None:
        path = f"/index/{index}/field/{field}/import" + ("?clear=true" if clear else "")
        for i in range(0, column.size, _VALUES_AT_ONCE):
            some = slice(i, i + _VALUES_AT_ONCE)
            body = pilosa_protobuf.import_values(index, field, shard, column[some], value[some])
            for owner in self._cluster.owners(index, shard):
                flight.send(self.post, owner, path, body)

    def post(self, host: Host | None, path: str, body: bytes) -> None:
        """One request to one node, or to whichever answers (None). Raises BackendAway, BackendError."""
        if host is None:
            status, answer = self._cluster.http.ask("POST", path, body, proto=True)
            if status != 200:
                raise refused(f"POST {path}", status, answer)
            return
        for pause in (*PAUSES, None):
            try:
                status, answer = self._cluster.http.ask_host(host, "POST", path, body, proto=True)
                if status == 200:
                    return
                problem = refused(f"POST {path}", status, answer, host)
                if "not found" in str(problem):  # it was there: a node that has begun a moment ago has not opened it yet
                    problem = BackendAway(str(problem))
            except Hangs:
                raise
            except BackendAway as error:
                problem = error
            if pause is None or not isinstance(problem, BackendAway):
                raise problem
            time.sleep(pause)

    def set_bits(self, index: str, field: str, shard: int, data: bytes, clear: bool = False) -> None:
        """Sets or clears the bits of `data` (indexing.roaring) of a set field in one shard. They alone make no column exist."""
        members = self._cluster.members()
        self._roaring(index, field, shard, data, clear)
        self._cluster.same(members)

    def _say_copies(self, index: str, members: Members) -> None:
        """In the index itself: whether every node holds everything, for who first looks when a node is away."""
        if members.alone or self._said.get(index) == members:
            return
        self._roaring(index, ACCESS_FIELD, 0, encode_ranges(np.array([COPIES_ROW], np.uint64), [(0, 0)]), not members.full)
        self._cluster.same(members)
        self._said[index] = members

    def _spread(self, members: Members, index: str, shard: int) -> None:
        """Waits until nodes that do not have a shard know that it is there: they would leave it out of their answers."""
        if (index, shard) in self._known_shards:
            return
        deadline = time.monotonic() + _SPREAD_SECONDS
        question = f"/index/{index}/query", f"Count(Row({ACCESS_FIELD}={LIVE_ROW}))".encode()
        while True:
            answers = {self._cluster.http.ask_host(host, "POST", *question)[1] for host in members.hosts}
            if len(answers) == 1:
                self._known_shards.add((index, shard))
                return
            if time.monotonic() > deadline:
                raise BackendAway(f"not every node of Pilosa knows of shard {shard} of index {index} yet")
            time.sleep(0.1)


def _blob(name: str, some: SetBits | CodedBits, bits: BatchBits, shard: int, first: int, last: int) -> bytes | None:
    try:
        return set_blob(some, bits, shard, first, last)
    except ValueError as error:
        raise BackendError(f"batch {bits.batch}: field {name}: {error}") from error
