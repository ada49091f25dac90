"""From what stands between a call's parentheses to the call: which arguments it takes, in which order, under which name.

The grammar hands over items, one character of kind first: "c" child call, "a" argument, "f" positional field, "u" unsigned
number, "s" string, "t" timestamp.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from indexing.calls import Call, Condition, QueryError, RowRef
from proxy.pql import legacy


class Item(NamedTuple):
    """One item of a call: its kind, the argument's name ("" where positional), its value, its offset in the text."""

    kind: str
    name: str
    value: Any
    position: int


class MisplacedItem(Exception):
    """An item that its call does not take: a syntax error at this offset."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


# Any call takes children, then arguments, then one comma. The others have a form of their own beside that one.
_GENERIC = re.compile("c*a*,?")
_FORMS = {
    "Set": re.compile("[ust]a+t?"),
    "Clear": re.compile("[ust]a+"),
    "SetRowAttrs": re.compile("f[ust]a+"),
    "SetColumnAttrs": re.compile("[ust]a+"),
    "TopN": re.compile("f(?:,|c*a*)"),
    "Rows": re.compile("f(?:,|c*a*)"),
    "Values": re.compile("f(?:,|c*a*)"),
    "Range": re.compile("at[at]|aat"),
    "Named": re.compile("s"),
}
# What is kept of a call with none of its children's own marks: v0.x had these under the same name.
_OPERATORS = frozenset({"Union", "Intersect", "Difference", "Xor", "Not", "Shift", "Count", "Options"})
_WITH_FIELD = frozenset({"Sum", "Min", "Max", "MinRow", "MaxRow"})
YEAR_ONE = "0001-01-01T00:00"


def build(name: str, items: list[Item], comma: bool, position: int) -> Call:
    """The call `name(items[,])` at offset `position`. Raises MisplacedItem, QueryError (an argument given twice)."""
    kinds = "".join([item.kind for item in items]) + ("," if comma else "")
    form = _FORMS.get(name)
    special = form is not None and form.fullmatch(kinds) is not None
    if not special and not _GENERIC.fullmatch(kinds):
        raise MisplacedItem(_misplaced(kinds, items, form is not None))
    children = [item.value for item in items if item.kind == "c"]
    args: dict[str, Any] = {}
    for key, item in zip(_keys(name, items), items, strict=True):
        if item.kind == "c":
            continue
        if key in args:
            raise QueryError(f"parsing: duplicate argument provided: {key}", item.position)
        args[key] = item.value
    if legacy.is_legacy(name, args):
        today, new = legacy.today(name, args, position)
        written = "" if today == name else name
        unframed = bool(written) and name != "Range" and "frame" not in args
        return Call(today, children, _arguments(today, new, position), True, position, written, unframed)
    inherited = name in _OPERATORS and any(child.legacy for child in children)
    if name == "Range":
        return Call("Row", children, _arguments(name, args, position), inherited, position, name)
    return Call(name, children, _arguments(name, args, position), inherited, position)


def _misplaced(kinds: str, items: list[Item], special: bool) -> int:
    """Where the first item stands that does not fit the generic form; the last one, where the call began with its own."""
    if special and items and items[0].kind in "fust":
        return items[-1].position
    fits = re.match("c*a*", kinds)
    at = fits.end() if fits else 0
    return items[min(at, len(items) - 1)].position if items else 0


def _keys(name: str, items: list[Item]) -> list[str]:
    """Argument names; positional items get the names that Pilosa gives them."""
    if name == "Range" and len(items) == 3 and any(item.kind == "t" for item in items):
        keys = [items[0].name, items[1].name or "from", items[2].name or "to"]
        if keys[1:] != ["from", "to"]:
            raise MisplacedItem(items[1].position)
        return keys
    positional = {"f": "_field", "t": "_timestamp", "u": "_col", "s": "_col"}
    keys = [item.name or positional.get(item.kind, "") for item in items]
    if name == "SetRowAttrs" and len(items) > 1 and items[0].kind == "f":
        keys[1] = "_row"
    elif name in ("Set", "Clear", "SetColumnAttrs") and items and items[0].kind == "t":
        keys[0] = "_col"
    return keys


def _arguments(name: str, args: dict[str, Any], position: int) -> dict[str, Any]:
    """Arguments under the names of indexing.calls."""
    if name in ("Row", "Range"):
        out = _row_arguments(name, args)
        # Pilosa looks at its type, and at nothing else of it
        return {**out, "unread": {"_col": args["_col"]}} if "_col" in args else out
    if name in ("Set", "Clear", "ClearRow", "Store"):
        out = _row_arguments(name, args)
        out.update({key: args[raw] for raw, key in (("_col", "column"), ("_timestamp", "timestamp")) if raw in args})
        return out
    rest = {key: value for key, value in args.items() if not key.startswith("_")}
    if name == "Named" and "_col" in args:
        rest["name"] = args["_col"]
    if name == "SetRowAttrs":
        return {"row": RowRef(args["_field"], args["_row"]), "attrs": rest} if "_field" in args and "_row" in args else rest
    if name == "SetColumnAttrs":
        return {"column": args["_col"], "attrs": rest} if "_col" in args else rest
    if name == "TopN":
        # TopN(field=f) has no field for Pilosa: it answers an empty list
        rest["field"] = args.get("_field")
    elif name in ("Rows", "Values"):
        rest["field"] = args.get("_field", args.get("field"))
    elif name in _WITH_FIELD:
        # What is no name names no field for Pilosa
        rest["field"] = args["field"] if isinstance(args.get("field"), str) else None
    elif name == "GroupBy":
        only = rest["filter"] = args.get("filter")
        if only is not None and not isinstance(only, Call):
            text = f"translating GroupBy: getting filter call: could not convert {go_value(only)} to Call in Call.CallArg"
            raise QueryError(text, position)
    if name in ("TopN", "Rows", "Values") and not isinstance(rest["field"], str | None):
        raise QueryError(f"{name}(): field must be a name, but got {go_value(rest['field'])}", position)
    return rest


def _row_arguments(name: str, args: dict[str, Any]) -> dict[str, Any]:
    """`row` or `condition` of the first argument that can be a field; others that can are kept in `extra`."""
    out: dict[str, Any] = {key: args[key] for key in ("from", "to") if key in args}
    fields = [key for key in args if not key.startswith("_") and key not in ("from", "to")]
    if not fields:
        return out
    first = fields[0]
    if isinstance(args[first], Condition):
        out["condition"] = (first, args[first])
    else:
        out["row"] = RowRef(first, args[first])
        if name == "Range" and not out.keys() & {"from", "to"}:
            out["from"] = YEAR_ONE  # Range without times reads all time views, Row the standard view
    if fields[1:]:
        out["extra"] = {key: args[key] for key in fields[1:]}
    return out


_GO_TYPES = {"bool": "bool", "int": "int64", "float": "float64", "str": "string", "NoneType": "<nil>", "list": "[]interface {}"}


def go_value(value: object) -> str:
    """A value and its type as Pilosa's messages write them: `1.5 of type float64`."""
    if isinstance(value, Call):
        return f"{value.name}() of type *pql.Call"
    shown = {None: "<nil>", True: "true", False: "false"}.get(value) if value is None or isinstance(value, bool) else str(value)
    return f"{shown} of type {_GO_TYPES.get(type(value).__name__, type(value).__name__)}"
