"""Results in ids -> results in values, for a client index."""

from __future__ import annotations

from collections.abc import Sequence

from indexing.calls import Call, GroupCountsResult, PairsResult, Result, RowResult, RowsResult
from indexing.client.contract import Answered, Attributes, ClientIndex
from indexing.client.names import COLUMN_KEYS
from proxy.client.keys import values_of
from proxy.pql.walk import unwrapped

ColumnAttrs = list[tuple[int | str, Attributes]]


def with_keys(index: ClientIndex, calls: Sequence[Call], answered: Answered) -> tuple[list[Result], ColumnAttrs]:
    """Fills the keys of rows, pairs, groups and columns, in place; and the attributes of columns under their keys.

    One look at the translation table for all of them. Columns stay in the order of their ids, as in Pilosa."""
    wanted: dict[str, set[int]] = {}
    for result in answered.results:
        if isinstance(result, RowResult):
            if index.options.keys:
                wanted.setdefault(COLUMN_KEYS, set()).update(result.columns.tolist())
        elif isinstance(result, PairsResult | RowsResult):
            if _keyed(index, result.field):
                ids = [pair.id for pair in result.pairs] if isinstance(result, PairsResult) else result.ids
                wanted.setdefault(result.field, set()).update(ids)
        elif isinstance(result, GroupCountsResult):
            for group in result.groups:
                for name, row, _ in group.group:
                    if _keyed(index, name):
                        wanted.setdefault(name, set()).add(row)
    if index.options.keys and answered.column_attrs:
        wanted.setdefault(COLUMN_KEYS, set()).update(column for column, _ in answered.column_attrs)
    keys = values_of(index, wanted) if wanted else {}
    for call, result in zip(calls, answered.results, strict=True):
        if isinstance(result, RowResult):
            if index.options.keys:
                known = keys.get(COLUMN_KEYS, {})
                result.keys = [known[column] for column in result.columns.tolist()]
            if unwrapped(call).written == "Range":
                result.attrs = {}  # Row() has those of its row, Range() has none
        elif isinstance(result, PairsResult):
            if _keyed(index, result.field):
                for pair in result.pairs:
                    pair.key = keys[result.field][pair.id] if pair.count else None
        elif isinstance(result, RowsResult):
            if _keyed(index, result.field):
                result.keys = [keys[result.field][row] for row in result.ids] if result.ids else []
        elif isinstance(result, GroupCountsResult):
            for group in result.groups:
                group.group = [(name, row, keys.get(name, {}).get(row) or None) for name, row, _ in group.group]
    if not index.options.keys:
        return answered.results, list(answered.column_attrs)
    known = keys.get(COLUMN_KEYS, {})
    return answered.results, [(known[column], attrs) for column, attrs in answered.column_attrs]


def _keyed(index: ClientIndex, field: str) -> bool:
    options = index.fields.get(field)
    return options is not None and options.keys
