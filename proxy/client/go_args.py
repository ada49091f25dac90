"""A call's arguments under the names that Pilosa's parser gives them, and its values as Go prints them: what errors say."""

from __future__ import annotations

import json
from typing import Any

from indexing.calls import Call, Condition, RowRef
from proxy.pql.build import YEAR_ONE

_TYPES = {
    "bool": "bool",
    "int": "int64",
    "float": "float64",
    "str": "string",
    "NoneType": "<nil>",
    "list": "[]interface {}",
    "Call": "*pql.Call",
    "Condition": "*pql.Condition",
}


def arguments(call: Call) -> dict[str, Any]:
    """Everything between the parentheses but child calls: `_col`, `_row`, `_field`, `_timestamp` are positional ones."""
    args = dict(call.args)
    out: dict[str, Any] = {}
    name = call.name
    if name in ("Set", "Clear", "SetColumnAttrs") and "column" in args:
        out["_col"] = args.pop("column")
    if name in ("TopN", "Rows") and args.get("field") is not None:
        out["_field"] = args.pop("field")
    if name == "SetRowAttrs" and isinstance(args.get("row"), RowRef):
        ref = args.pop("row")
        out["_field"], out["_row"] = ref.field, ref.row
    if isinstance(args.get("row"), RowRef):
        ref = args.pop("row")
        out[ref.field] = ref.row
    if "condition" in args:
        field, condition = args.pop("condition")
        out[field] = condition
    if "timestamp" in args and name == "Set":
        out["_timestamp"] = args.pop("timestamp")
    for more in ("extra", "attrs", "unread"):
        if isinstance(args.get(more), dict):
            out.update(args.pop(more))
    if is_all_times(call):
        args.pop("from")
    for absent in ("field", "filter"):
        if args.get(absent, 0) is None:
            args.pop(absent)
    return {**out, **args}


def is_all_times(call: Call) -> bool:
    """Range() without times: it reads the time views, all of them."""
    return call.written == "Range" and call.args.get("from") == YEAR_ONE and "to" not in call.args


def row_field(call: Call) -> str:
    """The field that a Row, Set, Clear, ClearRow or Store names; "" if it names none.

    With several Pilosa takes any of them, and we the first."""
    if isinstance(call.args.get("row"), RowRef):
        ref: RowRef = call.args["row"]
        return ref.field
    return str(call.args["condition"][0]) if "condition" in call.args else ""


def type_name(value: object) -> str:
    """`%T`"""
    return _TYPES.get(type(value).__name__, type(value).__name__)


def shown(value: object) -> str:
    """`%v`"""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, list):
        return "[" + " ".join(map(shown, value)) + "]"
    if isinstance(value, Call):
        return call_text(value)
    if isinstance(value, Condition):
        return f"{value.op} {_formatted(value.value)}"
    return str(value)


def _float(value: float) -> str:
    """The fewest digits that say it; with an exponent below 1e-4 and from 1e6 on."""
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return repr(value).removesuffix(".0")
    for size in range(17):
        text = f"{value:.{size}e}"
        if float(text) == value:
            break
    return text


def call_text(call: Call) -> str:
    """A call as Pilosa prints it: children first, arguments by name."""
    parts = [call_text(child) for child in call.children]
    for name, value in sorted(arguments(call).items()):
        parts.append(f"{name} {shown(value)}" if isinstance(value, Condition) else f"{name}={_formatted(value)}")
    return f"{call.written or call.name}({', '.join(parts)})"


def _formatted(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(_formatted(one) if isinstance(one, str) else shown(one) for one in value) + "]"
    return shown(value)
