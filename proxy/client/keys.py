"""Calls in values -> calls in ids, for a client index: what Pilosa's own translation does before anything is executed.

Unlike Pilosa, what only reads allocates nothing: an unknown key becomes an id that nobody has. What writes allocates, all keys
of a request at once and in the order in which they stand in it. Also unlike Pilosa, keys of Store() and of TopN(ids=) are
translated, where it panics.
Source of the checks, their order and words: translateCall of executor.go, Pilosa 1.4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from indexing import translation
from indexing.calls import Call, QueryError, RowRef
from indexing.client.contract import ClientIndex, FieldOptions
from indexing.client.names import COLUMN_KEYS
from proxy.client.go_args import arguments, call_text, row_field, type_name
from proxy.pql.translate import nothing_after
from proxy.pql.walk import inputs, rebuild

# Ids that no key has: keys are numbered from 1 up. Of rows not the greatest: Pilosa counts on from a `previous`.
NOBODYS_ROW = 1 << 43
NOBODYS_COLUMN = 1 << 62

_ROW_WRITES = frozenset({"Set", "Store", "SetRowAttrs"})
_COLUMN_WRITES = frozenset({"Set", "SetColumnAttrs"})
_POSITIONAL = frozenset({"Set", "Clear", "Row", "SetColumnAttrs", "ClearRow"})
_STRING_COLUMN = "column value must be a string when index 'keys' option enabled"
_NO_STRING_COLUMN = "string 'col' value not allowed unless index 'keys' option enabled"
_STRING_ROW = "row value must be a string when field 'keys' option enabled"
_NO_STRING_ROW = "string 'row' value not allowed unless field 'keys' option enabled"


@dataclass
class Keys:
    """The keys of a request, by place (a field, or COLUMN_KEYS), each once, in the order in which they stand in it."""

    made: dict[str, dict[bytes, None]] = field(default_factory=dict)
    read: dict[str, dict[bytes, None]] = field(default_factory=dict)

    def add(self, place: str, key: str, make: bool) -> None:
        (self.made if make else self.read).setdefault(place, {})[encoded(key)] = None


Ids = dict[str, dict[bytes, int]]


def encoded(key: str) -> bytes:
    """A key as the translation table has it."""
    return key.encode("utf-8", "surrogatepass")


def keys_of(index: ClientIndex, calls: Sequence[Call]) -> Keys:
    """All keys in `calls`. Raises QueryError in Pilosa's words for a value that cannot be where it stands."""
    keys = Keys()
    for call in calls:
        # Calls, each with the chain of GroupBy() calls around it, and checks that come after what was pushed above them
        stack: list[tuple[Call, tuple[Any, ...], bool]] = [(call, (), False)]
        while stack:
            node, around, later = stack.pop()
            try:
                if later:
                    _previous(index, node)
                elif node.name == "GroupBy":
                    stack.append((node, (*around, node), True))
                else:
                    _call(index, node, keys)
            except QueryError as error:
                raise QueryError(_wrapped(str(error), around), node.position) from None
            if not later:
                for child in reversed(inputs(node)):
                    stack.append((child, (*around, node, child) if node.name == "GroupBy" else around, False))
    return keys


def _wrapped(text: str, around: Sequence[Call]) -> str:
    """An error with what Pilosa says about GroupBy() around the call."""
    out, at = "", 0
    while at < len(around):
        out += "translating GroupBy: "
        if at + 1 < len(around):
            group, child = around[at], around[at + 1]
            out += "translating filter call: " if child is group.args.get("filter") else f"translating {call_text(child)}: "
        at += 2
    return out + text


def _call(index: ClientIndex, call: Call, keys: Keys) -> None:
    args = arguments(call)
    name = call.name
    if name in _POSITIONAL:
        column, into, row = "_col", row_field(call), row_field(call)
    elif name == "Store":
        column, into, row = "col", row_field(call), row_field(call)
    elif name == "SetRowAttrs":
        column, into, row = "", _text(args.get("_field")), "_row"
    elif name == "Rows":
        column, into, row = "column", _text(args.get("_field")), "previous"
    else:
        column, into, row = "col", _text(args.get("field")), "row"
    _column(index, args.get(column), keys, name in _COLUMN_WRITES)
    options = index.fields.get(into)
    if options is None or name == "SetColumnAttrs":
        if name == "TopN":
            _top_ids(index, args, keys)
        return
    if name == "Store":
        if options.type == "set" and options.keys and isinstance(args[row], str) and args[row]:
            keys.add(into, args[row], True)
        return
    if options.type == "bool":
        _bool(args, row)
    elif options.keys:
        _keyed_row(args.get(row), into, keys, name in _ROW_WRITES)
    elif isinstance(args.get(row), str):
        raise QueryError(_NO_STRING_ROW)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _column(index: ClientIndex, value: object, keys: Keys, make: bool) -> None:
    if not index.options.keys:
        if isinstance(value, str):
            raise QueryError(_NO_STRING_COLUMN)
    elif value is not None and not isinstance(value, str):
        raise QueryError(_STRING_COLUMN)
    elif value:
        keys.add(COLUMN_KEYS, str(value), make)


def _bool(args: dict[str, Any], row: str) -> None:
    if row not in args:
        raise QueryError("getting bool key: missing bool argument")
    if not isinstance(args[row], bool):
        raise QueryError(f"getting bool key: invalid bool argument type: {type_name(args[row])}")


def _keyed_row(value: object, into: str, keys: Keys, make: bool) -> None:
    if value is not None and not isinstance(value, str):
        raise QueryError(_STRING_ROW)
    if value:
        keys.add(into, value, make)


def _top_ids(index: ClientIndex, args: dict[str, Any], keys: Keys) -> None:
    """TopN(f, ids=["a"]): Pilosa panics. Numbers are ids as they are, as there."""
    into = _text(args.get("_field"))
    options = index.fields.get(into)
    ids = args.get("ids")
    if options is None or not isinstance(ids, list):
        return
    for one in ids:
        if isinstance(one, str):
            if not options.keys:
                raise QueryError(_NO_STRING_ROW)
            keys.add(into, one, False)


def _previous(index: ClientIndex, call: Call) -> None:
    """GroupBy(previous=[...]) is checked, and then ignored."""
    if "previous" not in call.args:
        return
    previous, children = call.args["previous"], call.children
    if not isinstance(previous, list):
        raise QueryError(f"'previous' argument must be list, but got {type_name(previous)}")
    if len(previous) != len(children):
        sizes = f"previous: {len(previous)} and children: {len(children)}"
        raise QueryError(f"mismatched lengths for {sizes} in {call_text(call)}")
    fields: list[tuple[str, FieldOptions]] = []
    for child in children:
        name = _text(child.args.get("field"))
        if name not in index.fields:
            raise QueryError(f"getting field '{name}' from '{call_text(child)}': field not found")
        fields.append((name, index.fields[name]))
    for (name, options), one in zip(fields, previous, strict=True):
        if options.keys and not isinstance(one, str):
            raise QueryError("prev value must be a string when field 'keys' option enabled")
        if not options.keys and isinstance(one, str):
            text = f"got string row val '{one}' in 'previous' for field {name} which doesn't use string keys"
            raise QueryError(text)


def find(index: ClientIndex, keys: Keys) -> Ids:
    """The ids of keys that are known, by place; those of writes are made first. Not within a transaction where there are any.

    Raises TranslationCollision."""
    ids: Ids = {}
    if keys.made:
        made = translation.resolve(index.name, {place: list(some) for place, some in keys.made.items()})
        for place, some in keys.made.items():
            ids[place] = dict(zip(some, made[place].tolist(), strict=True))
    wanted = {
        place: [key for key in some if key not in ids.get(place, ())] for place, some in keys.read.items()
    }  # what is made here may be read in the same request
    wanted = {place: some for place, some in wanted.items() if some}
    if wanted:
        for place, found in translation.lookup(index.name, wanted).items():
            ids.setdefault(place, {}).update(found)
    return ids


def in_ids(index: ClientIndex, calls: Sequence[Call], ids: Ids) -> list[Call]:
    """The same calls, with ids; the calls given are not changed. Values that are no ids stay, for proxy.client.check to find."""
    return [rebuild(call, lambda node: _replaced(index, node, ids)) for call in calls]


def _replaced(index: ClientIndex, call: Call, ids: Ids) -> Call:
    args = call.args
    if index.options.keys and isinstance(args.get("column"), str) and args["column"]:
        args["column"] = ids.get(COLUMN_KEYS, {}).get(encoded(args["column"]), NOBODYS_COLUMN)
    if isinstance(args.get("row"), RowRef):
        ref: RowRef = args["row"]
        options = index.fields.get(ref.field)
        if options is not None and isinstance(ref.row, bool) and options.type == "bool":
            args["row"] = RowRef(ref.field, int(ref.row))
        elif options is not None and options.keys and isinstance(ref.row, str) and ref.row:
            # None would be the same to an engine; but null in the text must not become an unknown key
            args["row"] = RowRef(ref.field, ids.get(ref.field, {}).get(encoded(ref.row), NOBODYS_ROW))
    options = index.fields.get(_text(args.get("field")))
    if call.name == "Rows" and options is not None and options.keys and isinstance(args.get("previous"), str):
        if args["previous"]:
            args["previous"] = ids.get(args["field"], {}).get(encoded(args["previous"]), NOBODYS_ROW)
    elif call.name == "Rows" and options is not None and options.type == "bool" and isinstance(args.get("previous"), bool):
        args["previous"] = int(args["previous"])
    elif call.name == "TopN" and options is not None and isinstance(args.get("ids"), list) and args["ids"]:
        known = ids.get(args["field"], {})
        found = [known.get(encoded(one)) if isinstance(one, str) else one for one in args["ids"]]
        # no ids would mean all rows; of none of these, none. What is below 0 is a row far above all others for Pilosa
        args["ids"] = [one for one in found if one is not None and one >= 0] or [NOBODYS_ROW]
    elif call.name == "GroupBy":
        args.pop("previous", None)
        nothing_after(call, NOBODYS_ROW)
    return call


def values_of(index: ClientIndex, rows: dict[str, set[int]]) -> dict[str, dict[int, str]]:
    """Keys of ids, by place. An id that has none is "", as Pilosa shows it."""
    found = translation.values_of(index.name, rows) if any(rows.values()) else {}
    out: dict[str, dict[int, str]] = {}
    for place, some in rows.items():
        known = found.get(place, {})
        out[place] = {row: known[row].decode("utf-8", "replace") if row in known else "" for row in some}
    return out
