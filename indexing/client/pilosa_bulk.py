"""Bulk writing to client indexes on Pilosa: its import endpoints, each shard to every node that is to have it.

Source of the messages: internal/public.proto of Pilosa 1.4.1 (ImportRequest, ImportValueRequest, ImportRoaringRequest).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from indexing.backends import pilosa_protobuf
from indexing.backends.pilosa_cluster import Cluster
from indexing.backends.pilosa_import import Importer
from indexing.backends.pilosa_protobuf import length_delimited, varint
from indexing.backends.pilosa_varints import packed
from indexing.calls import Call, QueryError
from indexing.client import pilosa_names
from indexing.client.contract import I64, U64, ClientIndex, FieldOptions
from indexing.roaring import MAX_ROW, SHARD_EXPONENT

_AT_ONCE = 500_000


class Bulk:
    """Imports into one cluster."""

    def __init__(self, cluster: Cluster, importer: Importer) -> None:
        self._cluster = cluster
        self._importer = importer

    def bits(
        self, index: ClientIndex, name: str, rows: U64, columns: U64, timestamps: I64 | None = None, clear: bool = False
    ) -> None:
        """See ClientEngine.import_bits."""
        if rows.size and int(rows.max()) > MAX_ROW:
            raise QueryError(f"row id {int(rows.max())} is greater than {MAX_ROW}")
        if index.fields[name].type in ("mutex", "bool") and not clear:
            last = _last(columns)
            rows, columns = rows[last], columns[last]
            timestamps = timestamps[last] if timestamps is not None else None
        physical = pilosa_names.physical(index.name)
        path = f"/index/{physical}/field/{name}/import" + ("?clear=true" if clear else "")
        members = self._cluster.members()
        for shard, some in _by_shard(columns):
            parts = [
                length_delimited(1, physical.encode()),
                length_delimited(2, name.encode()),
                b"\x18" + varint(shard),
                length_delimited(4, packed(rows[some])),
                length_delimited(5, packed(columns[some])),
            ]
            if timestamps is not None:
                parts.append(length_delimited(6, packed(timestamps[some].view(np.uint64))))
            self._send(physical, shard, path, b"".join(parts))
        self._cluster.same(members)

    def values(self, index: ClientIndex, name: str, columns: U64, values: I64, clear: bool = False) -> None:
        """See ClientEngine.import_values."""
        options = index.fields[name]
        if not clear and values.size and int(values.min()) == pilosa_names.NOT_HELD:
            raise QueryError(_not_held(name))
        last = _last(columns)
        columns, values = columns[last], values[last]
        members = self._cluster.members()
        if pilosa_names.has_mirror(options) and clear:
            self._values(index, pilosa_names.mirror(name), columns, np.zeros(columns.size, np.int64), True)
        elif pilosa_names.has_mirror(options):
            some = values < pilosa_names.base(options)
            self._values(index, pilosa_names.mirror(name), columns[some], pilosa_names.base(options) - values[some], False)
        self._values(index, name, columns, values, clear)
        self._cluster.same(members)

    def _values(self, index: ClientIndex, field: str, columns: U64, values: I64, clear: bool) -> None:
        physical = pilosa_names.physical(index.name)
        path = f"/index/{physical}/field/{field}/import" + ("?clear=true" if clear else "")
        for shard, some in _by_shard(columns):
            body = pilosa_protobuf.import_values(physical, field, shard, columns[some], values[some])
            self._send(physical, shard, path, body)

    def roaring(self, index: ClientIndex, name: str, shard: int, views: Sequence[tuple[str, bytes]], clear: bool = False) -> None:
        """See ClientEngine.import_roaring."""
        physical = pilosa_names.physical(index.name)
        body = b"\x08\x01" if clear else b""
        for view, data in views:
            named = length_delimited(1, view.encode()) if view not in ("", "standard") else b""
            body += length_delimited(2, named + length_delimited(2, data))
        members = self._cluster.members()
        path = f"/index/{physical}/field/{name}/import-roaring/{shard}" + ("" if members.alone else "?remote=true")
        self._send(physical, shard, path, body)
        self._cluster.same(members)

    def _send(self, physical: str, shard: int, path: str, body: bytes) -> None:
        for owner in self._cluster.owners(physical, shard):
            self._importer.post(owner, path, body)


def check_value(index: ClientIndex, call: Call) -> None:
    """Raises QueryError for a value that Pilosa takes and does not keep."""
    ref = call.args.get("row")
    if call.name != "Set" or ref is None:
        return
    options: FieldOptions = index.fields[ref.field]
    if options.type == "int" and ref.row == pilosa_names.NOT_HELD:
        raise QueryError(_not_held(ref.field), call.position)


def _not_held(field: str) -> str:
    return f"value {pilosa_names.NOT_HELD} of field {field}: Pilosa cannot keep it"


def _last(columns: U64) -> NDArray[np.intp]:
    """Where each column stands for the last time, in order of the columns."""
    return columns.size - 1 - np.unique(columns[::-1], return_index=True)[1]


def _by_shard(columns: U64) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """(shard, places of its columns, in their order), some at a time."""
    shards = columns >> np.uint64(SHARD_EXPONENT)
    order = np.argsort(shards, kind="stable")
    bounds = np.flatnonzero(np.diff(shards[order])) + 1
    for some in np.split(order, bounds):
        for at in range(0, some.size, _AT_ONCE):
            yield int(shards[some[0]]), some[at : at + _AT_ONCE]
