"""Bulk writing to client indexes, and the bulk reading back: keys to ids, the checks that both backends share, then the engine.

An import shares the epoch of its index (indexing.translation_epoch) while the engine writes: an index or field is not deleted
meanwhile, and keys that were resolved before a deletion are resolved again.
Source of the checks, their order and words: api.go and field.go of Pilosa 1.4.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from indexing import translation
from indexing.calls import QueryError
from indexing.client import names, tables
from indexing.client.contract import I64, U64, ClientIndex, FieldOptions
from indexing.client.engine import engine
from indexing.client.names import COLUMN_KEYS
from indexing.client.roaring_forms import RoaringError, as_pilosa
from indexing.client.schema import FIELD_NOT_FOUND, INDEX_NOT_FOUND
from indexing.roaring import sorted_unique

_VIEW = re.compile(r"[0-9]{4}(?:[0-9]{2}){0,3}", re.ASCII)
_UNIT = {4: "Y", 6: "M", 8: "D", 10: "H"}  # by the length of a view's name

Ids = Mapping[str, NDArray[np.uint64]]


class ImportRefused(Exception):
    """What is not written. status: HTTP's."""

    def __init__(self, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Bits:
    """Bits as a client sends them: rows and columns by id or by key. timestamps: ns since 1970 UTC, 0: none; may be shorter."""

    rows: U64
    columns: U64
    timestamps: I64
    row_keys: Sequence[bytes] = ()
    column_keys: Sequence[bytes] = ()


@dataclass(frozen=True)
class Values:
    """Values of an int field; columns by id or by key."""

    columns: U64
    values: I64
    column_keys: Sequence[bytes] = ()


def import_bits(index: str, field: str, bits: Bits, clear: bool, ids_only: bool) -> None:
    """Writes bits of a set, mutex, bool or time field. ids_only: ids are taken where there are keys (ignoreKeyCheck).

    Raises ImportRefused, BackendAway, BackendError."""

    def wanted(known: ClientIndex, options: FieldOptions) -> dict[str, Sequence[bytes]]:
        if options.keys and not ids_only and bits.rows.size:
            raise ImportRefused("row ids cannot be used because field uses string keys")
        _check_ids(known, bits.columns, ids_only)
        keys: dict[str, Sequence[bytes]] = {}
        if options.keys and not ids_only:
            keys[field] = bits.row_keys
        if known.options.keys and not ids_only:
            keys[COLUMN_KEYS] = bits.column_keys
        n, m = (len(keys.get(place, ids)) for place, ids in ((field, bits.rows), (COLUMN_KEYS, bits.columns)))
        if (n < m) if keys else (m < n):  # Pilosa panics
            raise ImportRefused(f"importing: {n} rows and {m} columns")
        _check_bits(field, options, bits, clear)
        return keys

    def write(known: ClientIndex, options: FieldOptions, ids: Ids) -> None:
        rows, columns = ids.get(field, bits.rows), ids.get(COLUMN_KEYS, bits.columns)
        n = min(len(rows), len(columns))  # what is more of one is passed over, as there
        timestamps = np.zeros(n, np.int64)
        timestamps[: min(n, len(bits.timestamps))] = bits.timestamps[:n]
        if n:
            engine().import_bits(known, field, rows[:n], columns[:n], timestamps if timestamps.any() else None, clear)

    _import(index, field, wanted, write)


def _check_bits(field: str, options: FieldOptions, bits: Bits, clear: bool) -> None:
    if options.type == "int":
        raise ImportRefused(f"importing: field {field} has values, and no rows")
    if bits.timestamps.any():
        if not options.time_quantum:
            raise ImportRefused("importing: time quantum not set in field")
        if clear:
            raise ImportRefused("importing: import clear is not supported with timestamps")
    if options.type == "bool" and (bits.rows > 1).any():
        raise ImportRefused("importing: bool field imports only support values 0 and 1")


def import_values(index: str, field: str, values: Values, clear: bool, ids_only: bool) -> None:
    """Writes values of an int field; all or none. Raises ImportRefused, BackendAway, BackendError."""

    def wanted(known: ClientIndex, options: FieldOptions) -> dict[str, Sequence[bytes]]:
        _check_ids(known, values.columns, ids_only)
        if options.type != "int":
            raise ImportRefused(f"importing: {field}: bsigroup not found")
        keyed = known.options.keys and not ids_only
        count = len(values.column_keys) if keyed else len(values.columns)
        if len(values.values) < count:  # Pilosa panics
            raise ImportRefused(f"importing: {count} columns and {len(values.values)} values")
        some = values.values[:count]
        wrong = np.flatnonzero((some < options.minimum) | (some > options.maximum))
        if wrong.size:
            at = int(wrong[0])
            how = "high" if some[at] > options.maximum else "low"
            column = f'"{values.column_keys[at].decode(errors="replace")}"' if keyed else str(values.columns[at])
            raise ImportRefused(f"importing: bsigroup value too {how}, columnID={column}, value={some[at]}")
        return {COLUMN_KEYS: values.column_keys} if keyed else {}

    def write(known: ClientIndex, options: FieldOptions, ids: Ids) -> None:
        columns = ids.get(COLUMN_KEYS, values.columns)
        if len(columns):
            engine().import_values(known, field, columns, values.values[: len(columns)], clear)

    _import(index, field, wanted, write)


def import_roaring(index: str, field: str, shard: int, views: Mapping[str, bytes], clear: bool) -> None:
    """Writes roaring bytes, of Pilosa's form or the official one, to views of a set or time field: "" is the standard view.

    Unlike Pilosa, which keeps what nothing reads, a view that the field cannot have is refused.
    Raises ImportRefused, BackendAway, BackendError."""
    checked: list[tuple[str, bytes]] = []

    def wanted(known: ClientIndex, options: FieldOptions) -> dict[str, Sequence[bytes]]:
        if options.type not in ("set", "time"):
            raise ImportRefused("roaring import is only supported for set and time fields", 400)
        for view in views:
            if view not in ("", "standard") and not (_VIEW.fullmatch(view) and _UNIT[len(view)] in options.time_quantum):
                has = f"timeQuantum {options.time_quantum}" if options.time_quantum else "no time views"
                raise ImportRefused(f"importing: field {field} ({has}) cannot have the view {view!r}")
        if not checked:
            checked.extend(map(_checked_view, views.items()))
        return {}

    def write(known: ClientIndex, options: FieldOptions, ids: Ids) -> None:
        if checked:
            engine().import_roaring(known, field, shard, checked, clear)

    _import(index, field, wanted, write, FIELD_NOT_FOUND)


def _checked_view(given: tuple[str, bytes]) -> tuple[str, bytes]:
    view, data = given
    if not data:
        raise ImportRefused(f"no data to import for view: {'standard' if view in ('', 'standard') else f'standard_{view}'}")
    try:
        return view, as_pilosa(data)
    except RoaringError as error:
        raise ImportRefused(str(error)) from None


def translate_keys(index: str, field: str, keys: Sequence[bytes]) -> U64:
    """Ids of keys, uint64 (n,), in their order: of rows, or of columns where `field` is "". Unknown ones get new ids.

    Raises ImportRefused."""
    known = _found(index, packets="its keys are made by captures")
    if field and field not in known.fields:
        raise ImportRefused(FIELD_NOT_FOUND)
    place = field or COLUMN_KEYS
    return translation.resolve(index, {place: keys})[place] if keys else np.empty(0, np.uint64)


@dataclass(frozen=True)
class Exported:
    """Bits of a field's standard view in a shard, ordered by the ids of row and column; keys by id, None where there are none."""

    rows: U64
    columns: U64
    row_keys: Mapping[int, bytes] | None
    column_keys: Mapping[int, bytes] | None


def export(index: str, field: str, shard: int) -> Exported:
    """The bits of a field's standard view in a shard. Raises ImportRefused, BackendAway, BackendError."""
    known = _found(index, packets=f"GET /packets/export?index={index}&format=csv has them")
    if field not in known.fields:
        raise ImportRefused(FIELD_NOT_FOUND)
    rows, columns = engine().export(known, field, shard)
    return Exported(
        rows,
        columns,
        _keys(index, field, rows) if known.fields[field].keys else None,
        _keys(index, COLUMN_KEYS, columns) if known.options.keys else None,
    )


def _keys(index: str, place: str, ids: U64) -> Mapping[int, bytes]:
    wanted: list[int] = sorted_unique(ids).tolist()
    found = translation.values_of(index, {place: wanted})[place]
    if len(found) < len(wanted):  # ids that were imported past the translation, by import-roaring or ignoreKeyCheck
        lost = next(number for number in wanted if number not in found)
        raise ImportRefused(f"translating {'column' if place == COLUMN_KEYS else 'row'}: id {lost} has no key")
    return found


def _check_ids(index: ClientIndex, columns: U64, ids_only: bool) -> None:
    if index.options.keys and not ids_only and columns.size:
        raise ImportRefused("column ids cannot be used because index uses string keys")


def _found(index: str, missing: str = INDEX_NOT_FOUND, packets: str = "nothing is imported to it") -> ClientIndex:
    """missing, packets: what is said where there is none, and of an index of packets."""
    known = tables.read(index)
    if known is None:
        if names.is_packet_index(index):
            raise ImportRefused(f"index {index} holds packets: {packets}", 403)
        raise ImportRefused(missing)
    return known


def _import(
    index: str,
    field: str,
    wanted: Callable[[ClientIndex, FieldOptions], Mapping[str, Sequence[bytes]]],
    write: Callable[[ClientIndex, FieldOptions, Ids], None],
    missing: str = f"getting index and field: {INDEX_NOT_FOUND}",
) -> None:
    """wanted: checks all that can be, and says which keys are to be resolved; write: does it."""
    while True:
        known = _found(index, missing)
        options = known.fields.get(field)
        if options is None:
            raise ImportRefused(missing.replace(INDEX_NOT_FOUND, FIELD_NOT_FOUND))
        noted = translation.epoch(index)
        keys = wanted(known, options)
        ids = translation.resolve(index, keys) if keys else {}
        with transaction.atomic():
            if translation.shares_epoch(index, noted):
                try:
                    write(known, options, ids)
                except QueryError as error:
                    raise ImportRefused(f"importing: {error}") from None
                return
        translation.catch_up(index)
