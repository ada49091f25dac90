"""Rows as what they stand for: only those that are shown are looked up, of all fields at once."""

from __future__ import annotations

from collections.abc import Mapping

from capture.packets.registry import FIELDS
from capture.packets.values import label_of
from indexing.calls import RowsResult
from proxy.analysis.counter import U64
from proxy.ask import with_values

Named = dict[str, dict[int, dict[str, str | None]]]


def named(index: str, rows: Mapping[str, U64]) -> Named:
    """By field and row: {"value", "label"}; the label is null where there is none."""
    results = [RowsResult(some.tolist(), field) for field, some in rows.items()]
    with_values(index, list(results))
    found: Named = {}
    for one in results:
        about = FIELDS[one.field]
        keys = one.keys if one.keys is not None else [str(row) for row in one.ids]
        found[one.field] = {
            row: {"value": key, "label": None if about.encoding == "text" else label_of(about, row)}
            for row, key in zip(one.ids, keys, strict=True)
        }
    return found
