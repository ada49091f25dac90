"""What is wrong with a call in ids, as far as its index's schema tells: the error that Pilosa gives when it executes the call.

Pilosa finds these one call after the other, so what stands before the wrong call in a request has been done by then. Errors that
depend on what is in the index (TopN of a field without a cache, a value out of range) are the engine's.
Source of the checks, their order and words: executor.go of Pilosa 1.4.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from indexing.calls import Call, Condition, QueryError
from indexing.client.contract import ClientIndex
from indexing.roaring import MAX_ROW
from proxy.client.go_args import arguments, row_field, shown, type_name

_TIME = "%Y-%m-%dT%H:%M"
_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d{1,2}:\d\d", re.ASCII)  # Go takes hours of one digit, and nothing else so
_SETS = ("Union", "Xor", "Intersect", "Difference")
_BITMAPS = frozenset({*_SETS, "Row", "Not", "Shift"})


class _WrongAttribute(QueryError):
    """A value that no attribute can have."""


def check(index: ClientIndex, call: Call, bulk: bool = False) -> None:
    """Raises QueryError for a top-level call that Pilosa would not answer, or would panic at.

    bulk: all calls of the request are SetRowAttrs(), which Pilosa does in one go, and says less about."""
    try:
        _executed(index, call)
    except _WrongAttribute as error:
        raise QueryError(str(error) if bulk else f"updating store: {error}", call.position) from None
    except QueryError as error:
        raise QueryError(str(error), call.position if error.position is None else error.position) from None


def _executed(index: ClientIndex, call: Call) -> None:
    # Options() may be nested as deep as a query is long
    top = call
    while True:
        _ids(call)
        if call.name != "Options" or call.unframed:
            break
        _options(call)
        if not call.children:
            raise QueryError("Options() requires an input call", call.position)  # Pilosa panics
        call = call.children[0]
    handler = _HANDLERS.get(call.name) if not call.unframed else None
    if handler is None:
        _bitmap(index, call, "map reduce: ")
        return
    handler(index, call, arguments(call))
    if call is not top and call.name == "Rows":
        raise QueryError("field not found", call.position)  # so says Pilosa of Options(Rows())


def _ids(call: Call) -> None:
    if "ids" not in call.args:
        return
    ids = call.args["ids"]
    if isinstance(ids, list):
        for one in ids:
            if isinstance(one, bool) or not isinstance(one, int):
                raise QueryError(f"validating args: invalid call.Args[ids]: {shown(ids)}", call.position)  # Pilosa panics
        return
    text = ids if isinstance(ids, str) else f"%!s({type_name(ids)}={shown(ids)})" if ids is not None else "%!s(<nil>)"
    raise QueryError(f"validating args: invalid call.Args[ids]: {text}", call.position)


def _options(call: Call) -> None:
    for name in ("columnAttrs", "excludeRowAttrs", "excludeColumns"):
        if name in call.args and not isinstance(call.args[name], bool):
            raise QueryError(f"Query(): {name} must be a bool", call.position)
    shards = call.args.get("shards", [])
    # below zero Pilosa counts from 2^64 down
    if not isinstance(shards, list) or not all(type(one) is int and one >= 0 for one in shards):
        raise QueryError("Query(): shards must be a list of unsigned integers", call.position)


# Numbers


def _uint(args: dict[str, Any], key: str, prefix: str = "") -> int | None:
    """An argument that must be an unsigned integer; None if it is absent."""
    if key not in args:
        return None
    value = args[key]
    if isinstance(value, bool) or not isinstance(value, int):
        raise QueryError(f"{prefix}could not convert {shown(value)} of type {type_name(value)} to uint64 in Call.UintArg")
    if value < 0:
        raise QueryError(f"{prefix}value for '{key}' must be positive, but got {value}")
    return value


def _int(args: dict[str, Any], key: str, prefix: str) -> int | None:
    if key not in args:
        return None
    value = args[key]
    if isinstance(value, bool) or not isinstance(value, int):
        raise QueryError(f"{prefix}could not convert {shown(value)} of type {type_name(value)} to int64 in Call.IntArg")
    return value


def _times(args: dict[str, Any]) -> None:
    for name in ("from", "to"):
        if name not in args:
            continue
        value = args[name]
        if isinstance(value, str):
            if not _is_time(value):
                raise QueryError(f"parsing {name} time: cannot parse string time")
        elif isinstance(value, bool) or not isinstance(value, int):
            raise QueryError(f"parsing {name} time: arg must be a timestamp")


def _is_time(text: str) -> bool:
    try:
        # strftime, too: it refuses years that Go has and Python has not
        return _SHAPE.fullmatch(text) is not None and len(datetime.strptime(text, _TIME).strftime(_TIME)) > 0
    except ValueError:
        return text.startswith("0000-") and _is_time("0004" + text[4:])  # Go has a year 0, which is a leap year


# Bitmap calls


def _bitmap(index: ClientIndex, call: Call, prefix: str) -> None:
    """Checks a bitmap call and all below it, from left to right. Trees can be 20,000 levels deep."""
    stack: list[tuple[Call, bool]] = [(call, False)]
    try:
        while stack:
            node, after = stack.pop()
            if after:
                if (_int(node.args, "n", "") or 0) < 0:
                    raise QueryError("cannot shift by negative values", node.position)
                continue
            if node.unframed or node.name not in _BITMAPS:
                raise QueryError(f"unknown call: {node.written or node.name}", node.position)
            if node.name == "Row":
                _row(index, node)
                continue
            if node.name == "Shift":
                _int(node.args, "n", "executeShiftShard: ")
                stack.append((node, True))
            _inputs(index, node)
            stack.extend((child, False) for child in reversed(node.children))
    except QueryError as error:
        raise QueryError(prefix + str(error), error.position) from None


def _inputs(index: ClientIndex, call: Call) -> None:
    name, count = call.name, len(call.children)
    if name in ("Intersect", "Difference") and not count:
        raise QueryError(f"empty {name} query is currently not supported", call.position)
    if name in ("Not", "Shift") and count != 1:
        raise QueryError(f"{name}() {'requires an' if not count else 'only accepts a single'} {_INPUT[count > 0]}", call.position)
    if name == "Not" and not index.options.track_existence:
        raise QueryError(f"index does not support existence tracking: {index.name}", call.position)


_INPUT = ("input row", "row input")


def _row(index: ClientIndex, call: Call) -> None:
    try:
        args = arguments(call)
        if any(isinstance(value, Condition) for value in args.values()):
            _comparison(index, args)
            return
        field = row_field(call)
        if not field:
            raise QueryError("Row() argument required: field")
        if field not in index.fields:
            raise QueryError("field not found")
        _uint(args, field, "Row() error with arg for row: ")
        _times(args)
    except QueryError as error:
        raise QueryError(str(error), call.position) from None


def _comparison(index: ClientIndex, args: dict[str, Any]) -> None:
    if len(args) > 1:
        raise QueryError("Row(): too many arguments")
    ((field, condition),) = args.items()
    if field not in index.fields:
        raise QueryError("field not found")
    value: Any = condition.value
    if condition.op == "><":
        if not isinstance(value, list):
            text = f"unexpected type {type_name(value)} in IntSliceValue, val {shown(value)}"
            raise QueryError(f"getting condition value: {text}")
        for one in value:
            if isinstance(one, bool) or not isinstance(one, int):
                text = f"unexpected value type {type_name(one)} in IntSliceValue, val {shown(one)}"
                raise QueryError(f"getting condition value: {text}")
        if len(value) != 2:
            raise QueryError("Row(): BETWEEN condition requires exactly two integer values")
    elif (isinstance(value, bool) or not isinstance(value, int)) and not (condition.op == "!=" and value is None):
        raise QueryError("Row(): conditions only support integer values")
    if index.fields[field].type != "int":
        raise QueryError("bsigroup not found")


# Reads that are no bitmaps


def _count(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    if len(call.children) != 1:
        raise QueryError(f"Count() {'only accepts a single bitmap input' if call.children else 'requires an input bitmap'}")
    _bitmap(index, call.children[0], "")


def _value(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    if args.get("field") == "":
        raise QueryError(f"{call.name}(): field required")
    if call.name in ("MinRow", "MaxRow"):
        if len(call.children) == 1:
            _bitmap(index, call.children[0], "")
        if "field" in args and args["field"] not in index.fields:
            raise QueryError(f'field "{args["field"]}" not found')
        return
    if len(call.children) > 1:
        raise QueryError(f"{call.name}() only accepts a single bitmap input")
    if call.children:
        _bitmap(index, call.children[0], "executing bitmap call: " if call.name == "Sum" else "")


def _top(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    _uint(args, "n", "executeTopN: ")
    name = args.get("_field", "")
    options = index.fields.get(name)
    try:
        if options is not None and options.type == "int":
            raise QueryError(f'cannot compute TopN() on integer field: "{name}"')
        _uint(args, "threshold", "executeTopNShard: ")
        tanimoto = _uint(args, "tanimotoThreshold", "executeTopNShard: ")
        if len(call.children) > 1:
            raise QueryError("TopN() can only have one input bitmap")
        if call.children:
            _bitmap(index, call.children[0], "")
        if tanimoto is not None and tanimoto > 100 and options is not None and options.type in ("set", "mutex"):
            raise QueryError("Tanimoto Threshold is from 1 to 100 only")
    except QueryError as error:
        raise QueryError(f"finding top results: {error}", error.position) from None
    if name and options is None:
        raise QueryError(f'field "{name}" not found')


def _rows(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    if "_field" not in args:
        raise QueryError("Rows() field required")
    _uint(args, "column", "getting column: ")
    _uint(args, "limit")
    options = index.fields.get(args["_field"])
    if options is None:
        raise QueryError("field not found")
    if options.type == "time":
        _times(args)
    _uint(args, "previous", "getting previous: ")


def _group_by(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    if not call.children:
        raise QueryError("need at least one child call")
    _uint(args, "limit")
    children = [arguments(child) for child in call.children]
    for child, given in zip(call.children, children, strict=True):
        if child.name != "Rows":
            name = child.written or child.name
            raise QueryError(f"'{name}' is not a valid child query for GroupBy, must be 'Rows'", child.position)
        _uint(given, "limit", "getting limit: ")
        _uint(given, "column", "getting column: ")
        if "limit" in given or "column" in given:
            try:
                _rows(index, child, given)
            except QueryError as error:
                raise QueryError(f"getting rows for : {error}", child.position) from None
    if "filter" in args:
        _bitmap(index, args["filter"], "executing group by filter for shard 0: ")
    prefix = "getting group by iterator for shard 0: "
    for child, given in zip(call.children, children, strict=True):
        if "_field" not in given:
            text = "Rows call must have field with valid (string) field name. Got <nil> of type <nil>"
            raise QueryError(prefix + text, child.position)
        if given["_field"] not in index.fields:
            raise QueryError(prefix + "field not found", child.position)
        _uint(given, "previous", prefix + "getting previous: ")
    _uint(args, "offset")


# Writes


def _set(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    if _uint(args, "_col", "reading Set() column: ") is None:
        raise QueryError("Set() column argument 'col' required")
    field = row_field(call)
    options = _written(index, field, "Set() argument required: field")
    if options.type == "int":
        value = _int(args, field, "reading Set() row: ")
        if value is not None and not options.minimum <= value <= options.maximum:
            raise QueryError(f"bsigroup value too {'low' if value < options.minimum else 'high'}")
        return
    _writable(_uint(args, field, "reading Set() row: "))
    if "_timestamp" in args and isinstance(args["_timestamp"], str) and not _is_time(args["_timestamp"]):
        raise QueryError(f"invalid date: {args['_timestamp']}")


def _clear(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    field = row_field(call)
    _written(index, field, "Clear() argument required: field")
    _uint(args, field, "reading Clear() row: ")
    if _uint(args, "_col", "reading Clear() column: ") is None:
        raise QueryError("column argument to Clear(<COLUMN>, <FIELD>=<ROW>) required")


def _clear_row(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    field = row_field(call)
    options = _written(index, field, "ClearRow() argument required: field")
    if options.type == "int":
        raise QueryError("ClearRow() is not supported on int field types")
    _uint(args, field, "mapreducing clearrow: reading ClearRow() row: ")


def _store(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    field = row_field(call)
    options = _written(index, field, "field required for Store()")
    if options.type != "set":
        raise QueryError(f"can't Store() on a {options.type} field")
    # Pilosa panics at all that follows
    _writable(_uint(args, field, "reading Store() row: "))
    if len(call.children) != 1:
        raise QueryError("Store() requires a source row")
    _bitmap(index, call.children[0], "getting source row: ")


def _written(index: ClientIndex, field: str, missing: str) -> Any:
    if not field:
        raise QueryError(missing)
    if field not in index.fields:
        raise QueryError("field not found")
    return index.fields[field]


def _writable(row: int | None) -> None:
    """Pilosa counts the bits of a field in 64 bits: a greater row would be another one."""
    if row is not None and row > MAX_ROW:
        raise QueryError(f"row id {row} is greater than {MAX_ROW}")


def _row_attrs(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    if "_field" not in args:
        raise QueryError("SetRowAttrs() field required")
    if args["_field"] not in index.fields:
        raise QueryError("field not found")
    if _uint(args, "_row", "reading SetRowAttrs() row: ") is None:
        raise QueryError("SetRowAttrs() row field 'row' required")
    _attrs(call)


def _column_attrs(index: ClientIndex, call: Call, args: dict[str, Any]) -> None:
    try:
        column = _uint(args, "_col")
    except QueryError as error:
        raise QueryError(f"reading SetColumnAttrs() col errs: {error} found true") from None
    if column is None:
        raise QueryError("reading SetColumnAttrs() col errs: <nil> found false")
    _attrs(call)


def _attrs(call: Call) -> None:
    for value in call.args.get("attrs", {}).values():
        if value is not None and not isinstance(value, str | int | bool | float):
            raise _WrongAttribute(f"invalid attr type: {type_name(value)}")


_HANDLERS: dict[str, Callable[[ClientIndex, Call, dict[str, Any]], None]] = {
    "Count": _count,
    "Sum": _value,
    "Min": _value,
    "Max": _value,
    "MinRow": _value,
    "MaxRow": _value,
    "TopN": _top,
    "Rows": _rows,
    "GroupBy": _group_by,
    "Set": _set,
    "Clear": _clear,
    "ClearRow": _clear_row,
    "Store": _store,
    "SetRowAttrs": _row_attrs,
    "SetColumnAttrs": _column_attrs,
}
