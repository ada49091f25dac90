"""Calls on a client index -> calls on physical fields, which the store's engine answers; and what it cannot answer, on top.

Answers are Pilosa's where those are right, else the right ones (see embedded_engine).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from indexing.backends.base import FieldSchema
from indexing.backends.embedded_engine import Engine
from indexing.backends.embedded_snapshot import Snapshot
from indexing.calls import (
    Call,
    GroupCountsResult,
    Pair,
    PairsResult,
    QueryError,
    Result,
    RowRef,
    RowResult,
    RowsResult,
    ValCountResult,
    postorder,
)
from indexing.client import embedded_attributes, embedded_times
from indexing.client.contract import ClientIndex, Wanted
from indexing.client.embedded_fields import logical, physical, schema_of, store_name, views_of
from indexing.client.embedded_top import top


@dataclass
class Reader:
    """Reads one client index in one transaction."""

    snapshot: Snapshot
    index: ClientIndex
    have: dict[str, FieldSchema]
    schema: dict[str, FieldSchema]  # of the engine

    @staticmethod
    def of(snapshot: Snapshot, index: ClientIndex, have: dict[str, FieldSchema]) -> Reader:
        """have: the physical fields that the store knows."""
        return Reader(snapshot, index, have, schema_of(index))

    @property
    def store_index(self) -> str:
        """The index's name in the store."""
        return store_name(self.index.name)

    def engine(self, shards: Sequence[int] | None) -> Engine:
        """Of the physical fields."""
        return Engine(self.snapshot, self.store_index, self.schema, shards)

    def answer(self, call: Call, wanted: Wanted) -> Result:
        """The result of a call that does not write. Raises QueryError, LimitExceeded."""
        handler = _HANDLERS.get(call.name)
        if handler is not None:
            return handler(self, call, wanted)
        return self._row(call, wanted)

    # Columns

    def bitmap(self, call: Call, prefix: str = "") -> Call:
        """A bitmap call on physical fields. prefix: of errors."""
        return _rebuilt(call, lambda node: self._physical(node, prefix))

    def _physical(self, node: Call, prefix: str) -> Call:
        """node: a copy, with its children done."""
        if node.name == "Not" and not self.index.options.track_existence:
            raise QueryError(f"{prefix}index does not support existence tracking: {self.index.name}", node.position)
        if node.name != "Row":
            return node
        if "condition" in node.args:
            field, condition = node.args["condition"]
            return Call("Row", [], {"condition": (physical(field), condition)}, position=node.position)
        ref = node.args.get("row")
        if not isinstance(ref, RowRef) or ref.field not in self.index.fields:
            return node  # the engine says what is wrong
        options = self.index.fields[ref.field]
        if options.type == "int" or ref.row is None:
            return Call("Union", position=node.position)
        row = int(ref.row)
        views = self._views_read(node, ref.field)
        if views is None:
            return Call("Row", [], {"row": RowRef(physical(ref.field), row)}, position=node.position)
        return Call("Union", [Call("Row", [], {"row": RowRef(physical(ref.field, view), row)}) for view in views])

    def _views_read(self, node: Call, field: str) -> list[str] | None:
        """The time views that a Row reads; None: the standard view."""
        start, end = (embedded_times.instant(node.args[name]) if name in node.args else None for name in ("from", "to"))
        if start is None and end is None:
            return None
        if start in (None, embedded_times.FIRST) and end in (None, embedded_times.FIRST) and node.written != "Range":
            return None  # Go's zero time is no time
        if end is None:
            end = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
        options = self.index.fields[field]
        have = views_of(field, self.have) if options.type == "time" else []
        return self._known(field, embedded_times.between(start or embedded_times.FIRST, end, options.time_quantum, have))

    def _known(self, field: str, views: list[str]) -> list[str]:
        """Makes time views known to the engine."""
        for view in views:
            self.schema[physical(field, view)] = FieldSchema(physical(field, view), "set")
        return views

    def _row(self, call: Call, wanted: Wanted) -> Result:
        result = self.engine(wanted.shards).answer(self.bitmap(call, "map reduce: "))
        assert isinstance(result, RowResult)
        ref = call.args.get("row")
        of_row = call.name == "Row" and call.written != "Range" and isinstance(ref, RowRef) and isinstance(ref.row, int)
        if of_row and not wanted.exclude_row_attrs:
            assert isinstance(ref, RowRef)
            result.attrs = embedded_attributes.of(self.snapshot, self.index.name, ref.field, int(ref.row or 0))
        if wanted.exclude_columns:
            result.columns = result.columns[:0]
        return result

    # Everything else

    def _count(self, call: Call, wanted: Wanted) -> Result:
        return self.engine(wanted.shards).answer(self._with_bitmaps(call))

    def _with_bitmaps(self, call: Call) -> Call:
        return Call(call.name, [self.bitmap(child) for child in call.children], dict(call.args), position=call.position)

    def _value(self, call: Call, wanted: Wanted) -> Result:
        field: Any = call.args.get("field")
        inner = self._with_bitmaps(call)
        inner.args = {"field": physical(field) if field in self.index.fields else None}
        result = self.engine(wanted.shards).answer(inner)
        assert isinstance(result, ValCountResult)
        return ValCountResult((result.value + (1 << 63)) % (1 << 64) - (1 << 63), result.count)  # int64, as in Pilosa

    def _end_row(self, call: Call, wanted: Wanted) -> Result:
        field = call.args.get("field")
        if field is None:
            return PairsResult([Pair(0, 0)], "")  # as Pilosa says
        if field not in self.index.fields:
            raise QueryError(f'field "{field}" not found', call.position)
        inner = self._with_bitmaps(call)
        inner.args = {"field": physical(field)}
        result = self.engine(wanted.shards).answer(inner)
        assert isinstance(result, PairsResult)
        return replace(result, field=field)

    def _top(self, call: Call, wanted: Wanted) -> Result:
        field = call.args.get("field")
        if field is None:
            return PairsResult([], "")
        if field not in self.index.fields:
            raise QueryError(f'field "{field}" not found', call.position)
        options = self.index.fields[field]
        if options.type == "int":
            raise QueryError(f'finding top results: cannot compute TopN() on integer field: "{field}"', call.position)
        if options.type not in ("set", "mutex") or options.cache_type == "none":
            store, name = self.store_index, physical(field)
            shards = self.snapshot.overlaid(store)
            some = shards if wanted.shards is None else shards & set(wanted.shards)
            if any(self.snapshot.overlay(store, name, shard) is not None for shard in some):
                raise QueryError(f'finding top results: cannot compute TopN(), field has no cache: "{field}"', call.position)
            return PairsResult([], field)
        inner = self._with_bitmaps(call)
        inner.args = {**call.args, "field": physical(field)}
        having = _with_attribute(self, field, call.args) if call.args.get("attrName") and call.args.get("attrValues") else None
        return replace(top(self, inner, wanted.shards, having), field=field)

    # Rows

    def _rows(self, call: Call, wanted: Wanted) -> Result:
        field = call.args.get("field")
        if field is None:
            raise QueryError("Rows() field required", call.position)
        if field not in self.index.fields:
            raise QueryError("field not found", call.position)
        args: dict[str, Any] = {name: call.args[name] for name in ("column", "previous", "limit") if name in call.args}
        # Where a column is named, its shard is looked at, whatever shards are asked for
        engine = self.engine(wanted.shards if args.get("column") is None else None)
        views = self._views_of_rows(call, field)
        if views is None:
            result = engine.answer(Call("Rows", [], {**args, "field": physical(field)}, position=call.position))
            assert isinstance(result, RowsResult)
            return replace(result, field=field)
        ids: set[int] = set()
        limit = args.pop("limit", None)
        for view in views:
            result = engine.answer(Call("Rows", [], {**args, "field": physical(field, view)}, position=call.position))
            assert isinstance(result, RowsResult)
            ids.update(result.ids)
        return RowsResult(sorted(ids)[:limit], field)

    def _views_of_rows(self, call: Call, field: str) -> list[str] | None:
        """The time views that Rows() reads; None: the standard view."""
        options = self.index.fields[field]
        if options.type != "time":
            return None
        start, end = (embedded_times.instant(call.args[name]) if name in call.args else None for name in ("from", "to"))
        start, end = (None if time == embedded_times.FIRST else time for time in (start, end))
        if start is None and end is None and not options.no_standard_view:
            return None
        have = views_of(field, self.have)
        # A view that has lost all its bits has no part in where time begins and ends, unlike in Pilosa
        span = embedded_times.span(have, options.time_quantum)
        if span is None:
            return []
        start = span[0] if start is None else max(start, span[0])
        end = span[1] if end is None else min(end, span[1])
        return self._known(field, embedded_times.between(start, end, options.time_quantum, have))

    def _group_by(self, call: Call, wanted: Wanted) -> Result:
        children = []
        for child in call.children:
            field: Any = child.args.get("field")
            args: dict[str, Any] = {name: child.args[name] for name in ("column", "previous", "limit") if name in child.args}
            name = physical(field) if field in self.index.fields else field
            children.append(Call(child.name, child.children, {**args, "field": name}, position=child.position))
        inner = Call("GroupBy", children, position=call.position)
        inner.args = {name: call.args[name] for name in ("limit", "offset") if name in call.args}
        only = call.args.get("filter")
        inner.args["filter"] = None if only is None else self.bitmap(only)
        result = self.engine(wanted.shards).answer(inner)
        assert isinstance(result, GroupCountsResult)
        for group in result.groups:
            group.group = [(logical(name), row, key) for name, row, key in group.group]
        return result


def _with_attribute(reader: Reader, field: str, args: dict[str, Any]) -> set[int]:
    """The rows whose attribute has one of the values of a TopN call."""
    name, values = args["attrName"], args["attrValues"]
    wanted = {(type(value), value) for value in values if isinstance(value, str | int | bool | float)}
    found = embedded_attributes.every(reader.snapshot, reader.index.name, field)
    return {row for row, attrs in found.items() if name in attrs and (type(attrs[name]), attrs[name]) in wanted}


def _rebuilt(call: Call, make: Callable[[Call], Call]) -> Call:
    """A new tree, inputs first; trees can be 20,000 levels deep."""
    made: list[Call] = []
    for node in postorder(call):
        children = made[len(made) - len(node.children) :] if node.children else []
        if children:
            del made[len(made) - len(children) :]
        made.append(make(replace(node, children=children)))
    return made[0]


_HANDLERS: dict[str, Callable[[Reader, Call, Wanted], Result]] = {
    "Count": Reader._count,
    "Sum": Reader._value,
    "Min": Reader._value,
    "Max": Reader._value,
    "MinRow": Reader._end_row,
    "MaxRow": Reader._end_row,
    "TopN": Reader._top,
    "Rows": Reader._rows,
    "GroupBy": Reader._group_by,
}
