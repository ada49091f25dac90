"""The naive engine's writes: one bit at a time, and what Pilosa says of each."""

from __future__ import annotations

from typing import Any

from indexing.calls import Call, RowRef
from tests.differential import naive_time
from tests.differential.naive_data import Index, Unsaid


def write(index: Index, call: Call, source: set[int] | None) -> bool | None:
    """Carries out a write; `source` is that of Store. Raises Unsaid."""
    args = call.args
    if call.name == "SetColumnAttrs":
        column = index.column(args.get("column"), make=True)
        assert column is not None
        _merge(index.column_attrs.setdefault(column, {}), args.get("attrs", {}))
        return None
    ref = args.get("row")
    if not isinstance(ref, RowRef) or "extra" in args:
        raise Unsaid("no row")
    into = index.field(ref.field)
    if call.name == "SetRowAttrs":
        row = index.row(ref.field, ref.row, make=True)
        assert row is not None
        _merge(into.attrs.setdefault(row, {}), args.get("attrs", {}))
        return None
    if call.name == "Set":
        return _set(index, ref, args)
    if call.name == "Clear":
        column, row = index.column(args.get("column")), index.row(ref.field, ref.row)
        if into.type == "int" and row is not None and row < 0:
            raise Unsaid("negative")
        return into.type != "int" and column is not None and row is not None and into.clear(row, column)
    if call.name == "ClearRow":
        if into.type == "int":
            raise Unsaid("int")
        row = index.row(ref.field, ref.row)
        held = [rows.pop(row) for rows in into.all_views if row in rows] if row is not None else []
        return any(held)
    if into.type != "set" or source is None:
        raise Unsaid("Store")
    row = index.row(ref.field, ref.row, make=True)
    assert row is not None
    into.standard[row] = set(source)
    return True


def _set(index: Index, ref: RowRef, args: dict[str, Any]) -> bool:
    into = index.field(ref.field)
    row = index.row(ref.field, ref.row, make=True)
    column = index.column(args.get("column"), make=True)
    assert row is not None and column is not None
    index.exists.add(column)
    if into.type == "int":
        low, high = into.options.get("min", -(1 << 63)), into.options.get("max", (1 << 63) - 1)
        if not low <= row <= high:
            raise Unsaid("out of range")
        changed = into.values.get(column) != row
        into.values[column] = row
        return changed
    try:
        at = naive_time.parse(args["timestamp"]) if "timestamp" in args else None
    except ValueError:
        raise Unsaid("timestamp") from None
    return into.set(row, column, at)


def _merge(attrs: dict[str, Any], more: dict[str, Any]) -> None:
    if any(isinstance(value, list | Call) for value in more.values()):
        raise Unsaid("attribute")
    for name, value in more.items():
        if value is None:
            attrs.pop(name, None)
        else:
            attrs[name] = value
