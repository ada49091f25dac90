"""Values -> row ids in calls, row ids -> values in results; one look-up in bulk each way. Nothing is ever allocated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from capture.packets.fields import Field
from capture.packets.values import bytes_of, row_of_text, row_text, text_of
from indexing.calls import Call, GroupCountsResult, PairsResult, QueryError, Result, RowRef, RowSet, RowsResult
from indexing.predicates import Predicate
from proxy.pql import predicates
from proxy.pql.build import go_value
from proxy.pql.walk import BITMAP_CALLS, WRITES, inputs, rebuild

# `previous` of a value that no row has: nothing comes after it. Pilosa counts bits of a fragment in 64 bits, 2^20 a row: no row
# reaches 2^44, and a `previous` beyond that overflows into "all rows" there.
AFTER_ALL = 1 << 43
_NOT_A_STRING = "row value must be a string when field 'keys' option enabled"


class Translator(Protocol):
    """What a packet index knows of its fields and values."""

    def field(self, name: str) -> Field | None:
        """The field's declaration; None if the index has no such field (system fields are not shown)."""

    def rows(self, values: Mapping[str, Iterable[bytes]]) -> Mapping[str, Mapping[bytes, int]]:
        """Row ids of the known ones among values of text fields, by field. Allocates nothing."""

    def values(self, rows: Mapping[str, Iterable[int]]) -> Mapping[str, Mapping[int, bytes]]:
        """Values of row ids of text fields, by field."""

    def matching(self, field: Field, predicate: Predicate) -> RowSet:
        """The rows of the values for which a predicate holds. Raises PredicateError, LimitExceeded."""


def translate(calls: Sequence[Call], translator: Translator) -> list[Call]:
    """The same calls, with row ids (None: no such value, an empty row). The calls given are not changed.

    Raises QueryError in Pilosa's words: unknown field, a value that cannot be a row.
    """
    wanted: dict[str, set[bytes]] = {}
    for call in calls:
        for node, prefix in _with_prefix(call):
            for field, value in _references(node, prefix, translator):
                if field.encoding == "text":
                    wanted.setdefault(field.name, set()).add(row_bytes(value))
    rows = translator.rows(wanted) if wanted else {}
    return [rebuild(call, lambda node: _translated(node, rows, translator)) for call in calls]


def _with_prefix(call: Call) -> Iterator[tuple[Call, str]]:
    """All calls of a tree with what Pilosa puts before an error of theirs."""
    stack = [(call, "map reduce: " if call.name in BITMAP_CALLS else "")]
    while stack:
        node, prefix = stack.pop()
        yield node, prefix
        for child in reversed(inputs(node)):
            stack.append((child, _prefix_below(node, child, prefix)))


def _prefix_below(node: Call, child: Call, prefix: str) -> str:
    if node.name == "Options":
        return "map reduce: " if child.name in BITMAP_CALLS else ""
    if node.name == "TopN":
        return "finding top results: "
    if node.name == "Sum":
        return "executing bitmap call: "
    if node.name == "GroupBy":
        part = "executing group by filter" if child is node.args.get("filter") else "getting group by iterator"
        return f"{part} for shard 0: "
    return prefix


def _references(node: Call, prefix: str, translator: Translator) -> Iterator[tuple[Field, Any]]:
    """Every (field, value) that a call names. Checks fields and values on the way."""
    args, position = node.args, node.position
    if node.name == "Row":
        if "extra" in args or ("condition" in args and ("from" in args or "to" in args)):
            raise QueryError(prefix + "Row(): too many arguments", position)
        if "condition" in args:
            field = translator.field(args["condition"][0])
            if field is None or field.kind != "int":
                raise QueryError(prefix + ("field not found" if field is None else "bsigroup not found"), position)
        elif isinstance(args.get("row"), RowRef):
            ref = args["row"]
            field = translator.field(ref.field)
            if field is None:
                raise QueryError(prefix + "field not found", position)
            if ref.row is None or ref.row == "":
                text = f"could not convert {go_value(ref.row)} to uint64 in Call.UintArg"
                raise QueryError(f"{prefix}Row() error with arg for row: {text}", position)
            yield field, _checked(field, ref.row, position)
    elif node.name in WRITES and isinstance(args.get("row"), RowRef):
        ref = args["row"]
        field = translator.field(ref.field)
        if field is None:
            raise QueryError("field not found", position)
        if field.encoding != "int":
            if ref.row is None or ref.row == "":
                raise QueryError(_NOT_A_STRING, position)
            yield field, _checked(field, ref.row, position)
    elif node.name in ("TopN", "Rows", "MinRow", "MaxRow") and args.get("field") is not None:
        field = translator.field(args["field"])
        if field is None:
            known_as = "field" if node.name == "Rows" else f'field "{args["field"]}"'
            raise QueryError(f"{prefix if node.name == 'Rows' else ''}{known_as} not found", position)
        if node.name == "TopN" and isinstance(args.get("ids"), list):
            for value in args["ids"]:
                yield field, _checked(field, value, position)
        if node.name == "Rows":
            if isinstance(args.get("column"), str):
                raise QueryError("string 'col' value not allowed unless index 'keys' option enabled", position)
            if args.get("previous") is not None:
                yield field, _checked(field, args["previous"], position)


def _checked(field: Field, value: object, position: int) -> object:
    if field.encoding == "int":
        if not isinstance(value, int):
            raise QueryError("string 'row' value not allowed unless field 'keys' option enabled", position)
    elif not isinstance(value, str | int):
        raise QueryError(_NOT_A_STRING, position)
    return value


def row_bytes(value: object) -> bytes:
    """A row of a text field as written in a query -> the value that stands in the translation table."""
    return bytes_of(("true" if value else "false") if isinstance(value, bool) else str(value))


def _row(field: Field | None, value: Any, rows: Mapping[str, Mapping[bytes, int]]) -> int | None:
    if field is None or field.encoding == "int":
        return None  # an int field has no rows: Row(length=5) is empty, as in Pilosa
    if field.encoding == "text":
        return rows.get(field.name, {}).get(row_bytes(value))
    return row_of_text(field, value)


def _translated(node: Call, rows: Mapping[str, Mapping[bytes, int]], translator: Translator) -> Call:
    args = node.args
    if node.name == predicates.NAME:
        return predicates.in_rows(node, translator)
    if node.name == "Row" and isinstance(args.get("row"), RowRef):
        ref: RowRef = args["row"]
        args["row"] = RowRef(ref.field, _row(translator.field(ref.field), ref.row, rows))
    elif node.name in WRITES and isinstance(args.get("row"), RowRef):
        field = translator.field(args["row"].field)
        if field is not None and field.encoding != "int":  # of an int field the row is the value
            args["row"] = RowRef(field.name, _row(field, args["row"].row, rows))
    elif node.name == "TopN" and isinstance(args.get("ids"), list) and args["ids"] and args.get("field") is not None:
        field = translator.field(args["field"])
        args["ids"] = [row for value in args["ids"] if (row := _row(field, value, rows)) is not None]
        if not args["ids"]:
            # no ids would mean all rows; of none of these, none
            del args["ids"]
            node.children = [Call("Union", position=node.position)]
    elif node.name == "Rows" and args.get("previous") is not None and args.get("field") is not None:
        row = _row(translator.field(args["field"]), args["previous"], rows)
        args["previous"] = AFTER_ALL if row is None else row
    elif node.name == "GroupBy":
        args.pop("previous", None)  # Pilosa ignores it
        nothing_after(node, AFTER_ALL)
    return node


def nothing_after(group_by: Call, unknown: int) -> None:
    """Lets a GroupBy find nothing where a `previous` is a value that no row has, whichever child names it.

    unknown: the row that such values have become. Behind it come the groups of the next row of the child before."""
    if any(child.args.get("previous") == unknown for child in group_by.children):
        group_by.args["filter"] = Call("Union", position=group_by.position)


def untranslate(results: Sequence[Result], translator: Translator) -> list[Result]:
    """Fills the keys of pairs, rows and groups with the text form of their values; in place, and returns them."""
    wanted: dict[str, set[int]] = {}
    for result in results:
        for name, row in _result_rows(result):
            wanted.setdefault(name, set()).add(row)
    fields = {name: translator.field(name) for name in wanted}
    text_fields = {name: ids for name, ids in wanted.items() if (f := fields[name]) is not None and f.encoding == "text"}
    values = translator.values(text_fields) if text_fields else {}
    keys: dict[str, dict[int, str]] = {}
    for name, ids in wanted.items():
        field = fields[name]
        if field is not None and field.encoding != "int":
            keys[name] = {row: _key(field, row, values) for row in ids}
    for result in results:
        if isinstance(result, PairsResult):
            for pair in result.pairs:
                pair.key = keys.get(result.field, {}).get(pair.id) if pair.count else None
        elif isinstance(result, RowsResult):
            field = translator.field(result.field)
            if field is not None and field.encoding != "int":
                result.keys = [keys[result.field][row] for row in result.ids]
        elif isinstance(result, GroupCountsResult):
            for group in result.groups:
                group.group = [(name, row, keys.get(name, {}).get(row)) for name, row, _ in group.group]
    return list(results)


def _result_rows(result: Result) -> Iterator[tuple[str, int]]:
    if isinstance(result, PairsResult):
        # MinRow and MaxRow of no row answer id 0, count 0: no value stands behind it
        yield from ((result.field, pair.id) for pair in result.pairs if pair.count)
    elif isinstance(result, RowsResult):
        yield from ((result.field, row) for row in result.ids)
    elif isinstance(result, GroupCountsResult):
        for group in result.groups:
            yield from ((name, row) for name, row, _ in group.group)


def _key(field: Field, row: int, values: Mapping[str, Mapping[int, bytes]]) -> str:
    if field.encoding != "text":
        return row_text(field, row)
    value = values.get(field.name, {}).get(row)
    return f"<row {row}>" if value is None else text_of(value)  # a row that no value stands for: shown, not hidden
