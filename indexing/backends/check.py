"""Is a call well formed for this schema? Raises QueryError in the words of Pilosa 1.4.1 (what it says after "executing: ")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexing.backends.base import FieldSchema
from indexing.calls import Call, Condition, QueryError, RowRef, RowSet, postorder
from indexing.columns import ColumnSet

Schema = Mapping[str, FieldSchema]

BITMAP_CALLS = frozenset({"Row", "Union", "Intersect", "Difference", "Xor", "Not", "Shift"})
_ROW_MAX = (1 << 64) - 1


def check(call: Call, schema: Schema) -> None:
    """Checks a top-level call and all below it. schema: the fields of the index, `access` among them."""
    _CHECKS.get(call.name, _bitmap_at_top)(call, schema)


def check_bitmap(call: Call, schema: Schema) -> None:
    """Checks a call whose answer is to be columns."""
    for node in postorder(call):
        if node.name == "Row":
            _row(node, schema)
        elif node.name in ("Intersect", "Difference"):
            if not node.children:
                raise QueryError(f"empty {node.name} query is currently not supported", node.position)
        elif node.name in ("Not", "Shift"):
            if not node.children:
                raise QueryError(f"{node.name}() requires an input row", node.position)
            if len(node.children) > 1:
                raise QueryError(f"{node.name}() only accepts a single row input", node.position)
            if node.name == "Shift":
                n = node.args.get("n")
                if n is not None and (isinstance(n, bool) or not isinstance(n, int)):
                    text = f"executeShiftShard: could not convert {n} of type {_go(n)} to int64 in Call.IntArg"
                    raise QueryError(text, node.position)
                if n is not None and n < 0:
                    raise QueryError("cannot shift by negative values", node.position)
        elif node.name == "Columns" and isinstance(node.args.get("columns"), ColumnSet):
            continue
        elif node.name not in ("Union", "Xor"):
            raise QueryError(f"unknown call: {node.name}", node.position)


def _row(node: Call, schema: Schema) -> None:
    if "condition" in node.args:
        field, condition = node.args["condition"]
        if field not in schema:
            raise QueryError("field not found", node.position)
        if schema[field].kind != "int":
            raise QueryError("bsigroup not found", node.position)
        _condition(condition, node.position)
        return
    ref = node.args.get("row")
    if isinstance(ref, RowSet):
        if ref.field not in schema:
            raise QueryError("field not found", node.position)
        return
    if not isinstance(ref, RowRef):
        raise QueryError("Row() argument required: field", node.position)
    if ref.field not in schema:
        raise QueryError("field not found", node.position)
    if ref.row is None:
        return
    if isinstance(ref.row, bool) or not isinstance(ref.row, int):
        problem = f"could not convert {ref.row} of type {_go(ref.row)} to uint64 in Call.UintArg"
    elif ref.row < 0:
        problem = f"value for '{ref.field}' must be positive, but got {ref.row}"
    else:
        return
    raise QueryError(f"Row() error with arg for row: {problem}", node.position)


def _condition(condition: Condition, position: int) -> None:
    value: Any = condition.value
    if condition.op == "><":
        if not isinstance(value, list):
            raise QueryError(f"getting condition value: unexpected type {_go(value)} in IntSliceValue, val {value}", position)
        if len(value) != 2 or any(isinstance(v, bool) or not isinstance(v, int) for v in value):
            raise QueryError("Row(): BETWEEN condition requires exactly two integer values", position)
    elif value is None and condition.op == "!=":
        return
    elif isinstance(value, bool) or not isinstance(value, int):
        raise QueryError("Row(): conditions only support integer values", position)


def _go(value: object) -> str:
    """The name of a value's type in Go, as Pilosa's messages have it."""
    names = {"bool": "bool", "int": "int64", "float": "float64", "str": "string", "NoneType": "<nil>", "list": "[]interface {}"}
    return names.get(type(value).__name__, type(value).__name__)


def unsigned(call: Call, name: str, prefix: str = "") -> int | None:
    """An argument that must not be negative; None if it is not given."""
    value = call.args.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise QueryError(f"{prefix}could not convert {value} of type {_go(value)} to uint64 in Call.UintArg", call.position)
    if value < 0:
        raise QueryError(f"{prefix}value for '{name}' must be positive, but got {value}", call.position)
    return value


def row_ids(call: Call, name: str) -> list[int] | None:
    """A list of row ids; None if it is not given."""
    value = call.args.get(name)
    if value is None:
        return None
    if not isinstance(value, list | tuple) or any(isinstance(v, bool) or not isinstance(v, int) or v < 0 for v in value):
        raise QueryError(f"validating args: invalid call.Args[{name}]: {value!r}", call.position)
    return [v for v in value if v <= _ROW_MAX]


def _bitmap_at_top(call: Call, schema: Schema) -> None:
    _prefixed("map reduce: ", call, schema)


def _prefixed(prefix: str, call: Call, schema: Schema) -> None:
    try:
        check_bitmap(call, schema)
    except QueryError as error:
        raise QueryError(prefix + str(error), error.position, error.status) from None


def _count(call: Call, schema: Schema) -> None:
    if not call.children:
        raise QueryError("Count() requires an input bitmap", call.position)
    if len(call.children) > 1:
        raise QueryError("Count() only accepts a single bitmap input", call.position)
    check_bitmap(call.children[0], schema)


def _sum(call: Call, schema: Schema) -> None:
    if len(call.children) > 1:
        raise QueryError(f"{call.name}() only accepts a single bitmap input", call.position)
    for child in call.children:
        _prefixed("executing bitmap call: " if call.name == "Sum" else "", child, schema)


def _topn(call: Call, schema: Schema) -> None:
    row_ids(call, "ids")
    unsigned(call, "n", "executeTopN: ")
    unsigned(call, "threshold", "finding top results: executeTopNShard: ")
    field = call.args.get("field")
    if field is None:
        return
    if field not in schema:
        raise QueryError(f'field "{field}" not found', call.position)
    if schema[field].kind == "int":
        raise QueryError(f'finding top results: cannot compute TopN() on integer field: "{field}"', call.position)
    if call.args.get("tanimotoThreshold"):
        raise QueryError("finding top results: tanimotoThreshold is not supported here", call.position)
    if len(call.children) > 1:
        raise QueryError("finding top results: TopN() can only have one input bitmap", call.position)
    for child in call.children:
        _prefixed("finding top results: ", child, schema)


def _rows(call: Call, schema: Schema) -> None:
    field = call.args.get("field")
    if field is None:
        raise QueryError("Rows() field required", call.position)
    unsigned(call, "column", "getting column: ")
    unsigned(call, "limit")
    if field not in schema:
        raise QueryError("field not found", call.position)
    unsigned(call, "previous", "getting previous: ")


def _extreme_row(call: Call, schema: Schema) -> None:
    field = call.args.get("field")
    if field is None:
        raise QueryError(f"{call.name}(): field required", call.position)
    if len(call.children) > 1:
        raise QueryError(f"{call.name}() only accepts a single bitmap input", call.position)
    if field not in schema:
        raise QueryError(f'field "{field}" not found', call.position)
    for child in call.children:
        check_bitmap(child, schema)


def _group_by(call: Call, schema: Schema) -> None:
    if not call.children:
        raise QueryError("need at least one child call", call.position)
    for child in call.children:
        if child.name != "Rows":
            raise QueryError(f"'{child.name}' is not a valid child query for GroupBy, must be 'Rows'", child.position)
        if child.args.get("field") is None:
            raise QueryError("Rows call must have field arg", child.position)
        for name in ("column", "limit", "previous"):
            unsigned(child, name)
    for name in ("limit", "offset"):
        unsigned(call, name)
    only = call.args.get("filter")
    if only is not None:
        _prefixed("executing group by filter for shard 0: ", only, schema)
    for child in call.children:
        if child.args["field"] not in schema:
            raise QueryError("getting group by iterator for shard 0: field not found", child.position)


def _options(call: Call, schema: Schema) -> None:
    for name in ("columnAttrs", "excludeRowAttrs", "excludeColumns"):
        if not isinstance(call.args.get(name, False), bool):
            raise QueryError(f"Query(): {name} must be a bool", call.position)
    shards = call.args.get("shards")
    if shards is not None and (
        not isinstance(shards, list | tuple) or any(isinstance(s, bool) or not isinstance(s, int) or s < 0 for s in shards)
    ):
        raise QueryError("Query(): shards must be a list of unsigned integers", call.position)
    if len(call.children) != 1:
        raise QueryError("Options() requires one child call", call.position)
    if call.children[0].name == "Options":
        raise QueryError("Options() cannot hold Options()", call.position)
    check(call.children[0], schema)


_CHECKS = {
    "Count": _count,
    "Sum": _sum,
    "Min": _sum,
    "Max": _sum,
    "TopN": _topn,
    "Rows": _rows,
    "MinRow": _extreme_row,
    "MaxRow": _extreme_row,
    "GroupBy": _group_by,
    "Options": _options,
}
