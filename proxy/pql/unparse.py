"""Calls -> today's PQL text, in values: what pages show, and what can be sent again."""

from __future__ import annotations

import re
from typing import Any

from indexing.calls import Call, Condition, RowRef
from indexing.predicates import Predicate
from proxy.pql.literals import quote
from proxy.pql.predicates import written

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FIELD_FIRST = frozenset({"TopN", "Rows", "Values"})


def unparse(call: Call) -> str:
    """One call in today's syntax, whatever syntax it was written in. `parse(unparse(call))` is the call again.

    Rows are values: calls before translation. Raises ValueError where PQL cannot say it (a field name that is no name).
    """
    out: list[str] = []
    # A stack of text to write and values to go into: trees can be 20,000 levels deep
    todo: list[str | _Shown] = [_Shown(call)]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            out.append(part)
        else:
            todo.extend(reversed(_parts(part.value)))
    return "".join(out)


class _Shown:
    """A value that is still to be written."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _parts(value: Any) -> list[str | _Shown]:
    if isinstance(value, Call):
        return _call(value)
    if isinstance(value, list):
        parts: list[str | _Shown] = ["["]
        for i, each in enumerate(value):
            parts += [", "] * bool(i)
            parts.append(_Shown(each))
        return [*parts, "]"]
    if value is None or isinstance(value, bool):
        return [{None: "null", True: "true", False: "false"}[value]]
    if isinstance(value, int):
        return [str(value)]
    if isinstance(value, float):
        return [_float(value)]
    return [quote(str(value))]


def _float(value: float) -> str:
    text = format(value, "f") if float(format(value, "f")) == value else format(value, ".340f").rstrip("0")
    return text.rstrip("0") if "." in text else text + "."


def _call(call: Call) -> list[str | _Shown]:
    args = dict(call.args)
    if call.name == "Values" and isinstance(args.get("where"), Predicate):
        args.update(written(args.pop("where")))
    items: list[list[str | _Shown]] = []
    last: list[list[str | _Shown]] = []
    if "column" in args and call.name in ("Set", "Clear", "SetColumnAttrs"):
        items.append([_raw(args.pop("column"))])
    if call.name in _FIELD_FIRST and args.get("field") is not None:
        items.append([_field(args.pop("field"))])
    elif args.get("field", "") is None:
        args.pop("field")
    elif "field" in args:
        args["field"] = _Name(args["field"])
    if call.name == "Named" and isinstance(args.get("name"), str):
        items.append([_raw(args.pop("name"))])
    if call.name == "SetRowAttrs" and "row" in args:
        ref = args.pop("row")
        items += [[_field(ref.field)], [_raw(ref.row)]]
    if args.get("filter", "") is None:
        args.pop("filter")
    if "timestamp" in args and call.name == "Set":
        if not {"row", "condition"} & args.keys():
            raise ValueError("PQL cannot write a Set() with a time and without a row")
        last.append([args.pop("timestamp")])
    items += [[_Shown(child)] for child in call.children]
    if isinstance(args.get("row"), RowRef):
        ref = args.pop("row")
        items.append([_field(ref.field), "=", _Shown(ref.row)])
    elif "condition" in args:
        field, condition = args.pop("condition")
        items.append([*_condition(field, condition)])
    args.pop("unread", None)  # nothing that is asked
    for extra in ("extra", "attrs"):
        if isinstance(args.get(extra), dict):
            args.update(args.pop(extra))
    for name, value in args.items():
        if isinstance(value, Condition):
            items.append([*_condition(name, value)])
        elif isinstance(value, _Name):
            items.append([f"{name}={value}"])
        elif name in ("from", "to") and isinstance(value, str):
            items.append([f"{name}=", _Shown(value)])
        else:
            items.append([_field(name), "=", _Shown(value)])
    parts: list[str | _Shown] = [f"{call.name}("]
    for i, item in enumerate(items + last):
        parts += [", "] * bool(i)
        parts += item
    return [*parts, ")"]


class _Name(str):
    """A field's name as a value: `Sum(field=length)` needs no quotes."""

    __slots__ = ()

    def __str__(self) -> str:
        return _field(str.__str__(self))


def _field(name: str) -> str:
    if not _FIELD.fullmatch(name):
        raise ValueError(f"not a field name: {name!r}")
    return name


def _condition(field: str, condition: Condition) -> list[str | _Shown]:
    return [f"{_field(field)} {condition.op} ", _Shown(condition.value)]


def _raw(value: Any) -> str:
    """A positional column or row: raw in both kinds of quotes, so the quotes must be such that it does not hold."""
    if isinstance(value, int):
        return str(value)
    for mark in ('"', "'"):
        literal = f"{mark}{value}{mark}"
        if re.fullmatch(rf"{mark}[^{mark}\\]*(?:\\.[^{mark}\\]*)*{mark}", literal, re.DOTALL):
            return literal
    raise ValueError(f"PQL cannot write this key: {value!r}")
