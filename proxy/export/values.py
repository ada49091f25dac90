"""Values of many packets, field by field and in bulk: Python touches distinct values, never packets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.packets.fields import Field
from capture.packets.registry import FIELDS
from capture.packets.values import row_text, text_of
from indexing import store, translation
from indexing.backends.base import ACCESS_FIELD
from proxy.export.errors import ExportBroken
from proxy.export.fields import RECORD_FIELDS
from proxy.export.packets import COLUMN, Records

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]


@dataclass(frozen=True)
class Values:
    """Values of a field: packet i has distinct[codes[offsets[i] : offsets[i + 1]]], by row.

    offsets: int64 (n + 1,). codes: int64. rows: uint64, the distinct rows (of an int field int64 numbers as uint64); texts:
    what they stand for."""

    field: Field
    offsets: I64
    codes: I64
    rows: U64
    texts: list[str]


def values_of(index: str, names: Sequence[str], records: Records) -> dict[str, Values]:
    """Values of the fields `names` of a block of packets, in its order.

    Raises ExportBroken if packets have left the index, so that what was read may be only a part; QueryError, BackendAway."""
    columns = np.ascontiguousarray(records[COLUMN]).astype(np.uint64)
    order = np.argsort(columns, kind="stable")
    backend = store.ensure_index(index)
    pairs = {}
    for name in names:
        if FIELDS[name].kind == "set":
            pairs[name] = backend.rows_of_columns(index, name, columns[order])
        elif name not in RECORD_FIELDS:
            found_at, numbers = backend.numbers_of_columns(index, name, columns[order])
            pairs[name] = found_at, numbers.view(np.uint64)
    # Last: a batch leaves with all its bits at once, or, on Pilosa, with its bit of `access` first.
    there, _ = backend.rows_of_columns(index, ACCESS_FIELD if backend.masked else "job", columns)
    if np.count_nonzero(np.diff(there)) + min(len(there), 1) != len(columns):  # `there` is ascending
        raise ExportBroken("packets left the index while they were exported: their job was deleted, or its ring turned")
    distinct = {name: np.unique(rows, return_inverse=True) for name, (_, rows) in pairs.items()}
    texts = _texts(index, {name: rows for name, (rows, _) in distinct.items()})
    found: dict[str, Values] = {}
    for name in names:
        if name in RECORD_FIELDS:
            numbers, codes = np.unique(records[RECORD_FIELDS[name]], return_inverse=True)
            offsets, rows = np.arange(len(columns) + 1), numbers.astype(np.uint64)
            found[name] = Values(FIELDS[name], offsets, codes, rows, [str(number) for number in numbers.tolist()])
            continue
        rows, codes = distinct[name]
        place = np.searchsorted(columns[order], pairs[name][0])
        offsets, codes = _in_order(place, codes, order)
        found[name] = Values(FIELDS[name], offsets, codes, rows, texts[name])
    return found


def _in_order(place: I64, codes: I64, order: I64) -> tuple[I64, I64]:
    """offsets and codes by packet, of codes that stand by `place` among the packets `order`."""
    counts = np.bincount(place, minlength=len(order))
    starts = np.cumsum(counts) - counts
    of_packet = np.empty(len(order), np.int64)
    of_packet[order] = np.arange(len(order))
    counts, starts = counts[of_packet], starts[of_packet]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    return offsets, codes[np.repeat(starts - offsets[:-1], counts) + np.arange(len(codes))]


def _texts(index: str, rows: dict[str, U64]) -> dict[str, list[str]]:
    """The text of each row, by field. Raises ExportBroken where one is not known."""
    translated = {name: some.tolist() for name, some in rows.items() if FIELDS[name].encoding == "text"}
    known = translation.values_of(index, translated)
    texts: dict[str, list[str]] = {}
    for name, some in rows.items():
        if FIELDS[name].kind == "int":
            texts[name] = [str(number) for number in some.view(np.int64).tolist()]
            continue
        if name not in translated:
            texts[name] = [row_text(FIELDS[name], row) for row in some.tolist()]
            continue
        try:
            texts[name] = [text_of(known[name][row]) for row in translated[name]]
        except KeyError as row:
            raise ExportBroken(f"row {row} of field {name} has no value any more") from None
    return texts
