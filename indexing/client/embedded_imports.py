"""Imports into a client index, in bulk: bits, values, roaring bytes; all of one import in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends.base import FieldSchema
from indexing.backends.embedded_keys import EXISTS_FIELD
from indexing.backends.embedded_overlay_client import ClientTables
from indexing.backends.embedded_overlays import unpacked_ints, unpacked_set
from indexing.calls import QueryError
from indexing.client import embedded_times
from indexing.client.contract import I64, U64, ClientIndex
from indexing.client.embedded_drafts import with_values
from indexing.client.embedded_fields import physical, store_name
from indexing.client.embedded_roaring import decoded
from indexing.fragment import bitmap_of_columns
from indexing.roaring import MAX_ROW, SHARD_EXPONENT, SHARD_WIDTH, positions, sorted_unique

_EXPONENT, _LOW = np.uint64(SHARD_EXPONENT), np.uint64(SHARD_WIDTH - 1)
_NONE = np.zeros(0, np.uint64)


class Importer:
    """Within one write transaction on one field."""

    def __init__(self, tables: ClientTables, index: ClientIndex, name: str, have: dict[str, FieldSchema]) -> None:
        """have: the physical fields that the store knows. Raises QueryError."""
        if name not in index.fields or physical(name) not in have:
            raise QueryError("field not found")
        self._tables, self._index, self._name, self._have = tables, index, name, have
        self._options = index.fields[name]

    # Bits

    def bits(self, rows: U64, columns: U64, timestamps: I64 | None, clear: bool) -> None:
        """See ClientEngine.import_bits."""
        rows, columns = np.asarray(rows, np.uint64), np.asarray(columns, np.uint64)
        timed = timestamps is not None and bool((timestamps != 0).any())
        options = self._options
        if options.type == "int":
            raise QueryError(f"field {self._name} has values, and no rows")
        if timed and not options.time_quantum:
            raise QueryError("time quantum not set in field")
        if timed and clear:
            raise QueryError("import clear is not supported with timestamps")
        if options.type == "bool" and bool((rows > 1).any()):
            raise QueryError("bool field imports only support values 0 and 1")
        if rows.size and int(rows.max()) > MAX_ROW:
            raise QueryError(f"row id {int(rows.max())} is greater than {MAX_ROW}")
        if options.type in ("mutex", "bool") and not clear:
            last = _last(columns)
            rows, columns = rows[last], columns[last]
        for shard, some in _by_shard(columns):
            position = sorted_unique(positions(rows[some], columns[some]))
            if clear:
                self._tables.change_bits(physical(self._name), shard, _NONE, position)
                continue
            if not options.no_standard_view:
                gone = self._others(shard, position) if options.type in ("mutex", "bool") else _NONE
                self._tables.change_bits(physical(self._name), shard, position, gone)
            if timed:
                assert timestamps is not None
                self._views(shard, rows[some], columns[some], timestamps[some])
            self._exist(shard, columns[some])

    def _others(self, shard: int, position: U64) -> U64:
        """The bits that columns lose because they get these."""
        written = self._tables.stored(physical(self._name), shard)
        if written is None:
            return _NONE
        fragment = unpacked_set(written, store_name(self._index.name), physical(self._name), shard).fragment()
        had = fragment.positions(bitmap_of_columns((position & _LOW).astype(np.int64)))
        return had[~np.isin(had, position, assume_unique=True)]

    def _views(self, shard: int, rows: U64, columns: U64, timestamps: I64) -> None:
        some = timestamps != 0
        rows, columns, timestamps = rows[some], columns[some], timestamps[some]
        for unit in self._options.time_quantum:
            views, which = embedded_times.views_at_each(timestamps, unit)
            self._declare(physical(self._name, view) for view in views)
            order = np.argsort(which, kind="stable")
            ends = np.searchsorted(which[order], np.arange(len(views) + 1))
            for i, view in enumerate(views):
                mine = order[ends[i] : ends[i + 1]]
                position = sorted_unique(positions(rows[mine], columns[mine]))
                self._tables.change_bits(physical(self._name, view), shard, position, _NONE)

    def _declare(self, names: Iterable[str]) -> None:
        """Time views are written to, some perhaps for the first time."""
        fresh = {name: FieldSchema(name, "set") for name in names if name not in self._have}
        if fresh:
            self._tables.declare(dict.fromkeys(fresh, "set"))
            self._have.update(fresh)

    def _exist(self, shard: int, columns: U64) -> None:
        if self._index.options.track_existence:
            self._tables.change_bits(EXISTS_FIELD, shard, sorted_unique(columns & _LOW), _NONE)

    # Values

    def values(self, columns: U64, values: I64, clear: bool) -> None:
        """See ClientEngine.import_values."""
        columns, values = np.asarray(columns, np.uint64), np.asarray(values, np.int64)
        options = self._options
        if options.type != "int":
            raise QueryError(f"{self._name}: bsigroup not found")
        wrong = np.flatnonzero((values < options.minimum) | (values > options.maximum))
        if wrong.size:
            at = int(wrong[0])
            how = "high" if int(values[at]) > options.maximum else "low"
            raise QueryError(f"bsigroup value too {how}, columnID={int(columns[at])}, value={int(values[at])}")
        last = _last(columns)
        columns, values = columns[last], values[last]
        name, store = physical(self._name), store_name(self._index.name)
        for shard, some in _by_shard(columns):
            overlay = unpacked_ints(self._tables.stored(name, shard), store, name, shard)
            local = (columns[some] & _LOW).astype(np.int64)
            order = np.argsort(local)
            local, mine = local[order], values[some][order]
            if clear:
                kept = ~np.isin(overlay.column, local, assume_unique=True)
                if not kept.all():
                    self._tables.put_ints(name, shard, overlay.column[kept], overlay.value[kept])
                continue
            self._tables.put_ints(name, shard, *with_values(overlay.column, overlay.value, local, mine))
            self._exist(shard, columns[some])
        if not clear and values.size:
            greatest = max(abs(int(end) - options.base) for end in (values.min(), values.max()))
            self._tables.deepen(self._name, greatest.bit_length())

    # Roaring bytes

    def roaring(self, shard: int, views: Sequence[tuple[str, bytes]], clear: bool) -> None:
        """See ClientEngine.import_roaring."""
        if self._options.type not in ("set", "time"):
            raise QueryError("roaring import is only supported for set and time fields", status=400)
        for view, data in [(view, decoded(data, view)) for view, data in views]:
            name = physical(self._name, "" if view == "standard" else view)
            if not clear and data.size:
                self._declare([name])
            if name in self._have:
                self._tables.change_bits(name, shard, *((_NONE, data) if clear else (data, _NONE)))


def _last(columns: U64) -> NDArray[np.int64]:
    """Where each distinct column comes last."""
    _, at = np.unique(columns[::-1], return_index=True)
    found: NDArray[np.int64] = columns.size - 1 - at
    return found


def _by_shard(columns: U64) -> list[tuple[int, Any]]:
    """(shard, which of the columns are in it: an index), by shard."""
    shards = columns >> _EXPONENT
    if shards.size == 0:
        return []
    if bool((shards == shards[0]).all()):
        return [(int(shards[0]), slice(None))]
    order = np.argsort(shards, kind="stable")
    first = np.flatnonzero(np.append(True, shards[order][1:] != shards[order][:-1]))
    ends = np.append(first[1:], order.size)
    return [(int(shards[order[a]]), order[a:b]) for a, b in zip(first.tolist(), ends.tolist(), strict=True)]
