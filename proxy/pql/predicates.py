"""`Values(field, ...)`: the packets that have a value for which a predicate holds. Its arguments both ways, and its rows.

Not of Pilosa, and nothing that Pilosa's grammar would read in another way. Within `where=`, `lower=`, `upper=`, `hex=` and `ip=`
stand predicates: `Values(...)` without a field, `Not`, `Intersect` (all hold) and `Union` (one holds). See
docs/query-language.md.
"""

from __future__ import annotations

from typing import Any, get_args

from capture.packets.values import bytes_of, text_of
from indexing import predicates as p
from indexing.calls import Call, QueryError
from indexing.predicates import PredicateError

NAME = "Values"
_TEXTS: dict[str, Any] = {"contains": p.Contains, "prefix": p.StartsWith, "suffix": p.EndsWith, "like": p.Glob}
_INNER = ("lower", "upper", "hex", "ip", "where")
_MOST_LEVELS = 100


def predicate_of(call: Call) -> p.Predicate:
    """What the arguments of a call say; all of them hold. Raises QueryError."""
    return _predicate(call, 0)


def _predicate(call: Any, level: int) -> p.Predicate:
    if isinstance(call, p.Predicate):
        return call
    if not isinstance(call, Call) or call.name not in (NAME, "Not", "Union", "Intersect"):
        raise QueryError(f"{NAME}(): a predicate is written Values(...), Not(...), Union(...) or Intersect(...)")
    if level > _MOST_LEVELS:
        raise QueryError(f"{NAME}(): nested too deeply", call.position)
    if call.name != NAME:
        parts = tuple([_predicate(child, level + 1) for child in call.children])
        if call.args or (call.name == "Not" and len(parts) != 1):
            raise QueryError(
                f"{NAME}(): {call.name} takes {'one predicate' if call.name == 'Not' else 'predicates'}", call.position
            )
        return p.Not(parts[0]) if call.name == "Not" else p.Or(parts) if call.name == "Union" else p.And(parts)
    if call.children:
        raise QueryError(f"{NAME}() takes no calls but as where=", call.position)
    parts = tuple(_parts(call, level))
    return p.Everything() if not parts else parts[0] if len(parts) == 1 else p.And(parts)


def _parts(call: Call, level: int) -> list[p.Predicate]:
    args = {name: value for name, value in call.args.items() if name != "field"}

    def wrong(text: str) -> QueryError:
        return QueryError(f"{NAME}(): {text}", call.position)

    def one_of(name: str, known: tuple[Any, ...], otherwise: Any) -> Any:
        found = args.pop(name, otherwise)
        if found not in known:
            raise wrong(f"{name} is one of {', '.join(map(str, known))}, not {found!r}")
        return found

    has_op = "op" in args
    op: Any = one_of("op", get_args(p.Op), "==")
    order: Any = one_of("order", get_args(p.Order), "bytes")
    ignore_case: bool = one_of("ignorecase", (False, True), False)
    out: list[p.Predicate] = []
    if "slice" in args:
        first, last = _slice(args.pop("slice"), wrong)
        if "contains" in args:
            out.append(p.SliceContains(first, last, _bytes(args.pop("contains"), wrong)))
        elif "value" in args:
            out.append(p.SliceCompare(first, last, op, _bytes(args.pop("value"), wrong)))
        else:
            raise wrong("slice needs value or contains")
    elif "length" in args:
        count = args.pop("length")
        if isinstance(count, bool) or not isinstance(count, int):
            raise wrong("length is a number of bytes")
        out.append(p.Length(op, count))
    elif "value" in args:
        out.append(p.Compare(op, _bytes(args.pop("value"), wrong), order))
    elif has_op:
        raise wrong("op needs value, length or slice")
    if "from" in args and "to" in args:
        out.append(p.Between(_bytes(args.pop("from"), wrong), _bytes(args.pop("to"), wrong), order))
    for name, bound in (("from", ">="), ("to", "<=")):
        if name in args:
            out.append(p.Compare(bound, _bytes(args.pop(name), wrong), order))  # type: ignore[arg-type]
    for name, value in args.items():
        if name in _TEXTS:
            out.append(_TEXTS[name](_bytes(value, wrong), ignore_case))
        elif name == "matches":
            out.append(p.Matches(_text(value, wrong), ignore_case))
        elif name == "cidr":
            out.append(p.InNetwork(_text(value, wrong)))
        elif name == "in":
            out.append(p.OneOf(frozenset([_bytes(one, wrong) for one in (value if isinstance(value, list) else [value])])))
        elif name in _INNER:
            inner = _predicate(value, level + 1)
            out.append(_around(name, inner))
        else:
            raise wrong(f"unknown argument: {name}")
    return out


def _around(name: str, inner: p.Predicate) -> p.Predicate:
    if name == "where":
        return inner
    if name == "lower":
        return p.Lower(inner)
    return p.Upper(inner) if name == "upper" else p.Octets(name, inner)  # type: ignore[arg-type]


def _slice(value: Any, wrong: Any) -> tuple[int, int | None]:
    first, _, last = str(value).partition(":")
    try:
        return int(first or "0"), int(last) if last else None
    except ValueError:
        raise wrong(f"a slice is written START:STOP, not {value!r}") from None


def _text(value: Any, wrong: Any) -> str:
    if isinstance(value, list | Call) or value is None:
        raise wrong("a value is a text or a number")
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _bytes(value: Any, wrong: Any) -> bytes:
    return bytes_of(_text(value, wrong))


def written(predicate: p.Predicate) -> dict[str, Any]:
    """The arguments that say a predicate: `predicate_of(Call("Values", args=written(x)))` means x."""
    match predicate:
        case p.Everything():
            return {}
        case p.OneOf(values):
            # an empty list cannot be written
            return {"in": [text_of(value) for value in sorted(values)]} if values else {"where": _call(p.Or(()))}
        case p.InNetwork(cidr):
            return {"cidr": cidr}
        case p.Matches(pattern, ignore_case):
            return {"matches": pattern, **_flag(ignore_case)}
        case p.Contains(text, ignore_case):
            return {"contains": text_of(text), **_flag(ignore_case)}
        case p.StartsWith(text, ignore_case):
            return {"prefix": text_of(text), **_flag(ignore_case)}
        case p.EndsWith(text, ignore_case):
            return {"suffix": text_of(text), **_flag(ignore_case)}
        case p.Glob(text, ignore_case):
            return {"like": text_of(text), **_flag(ignore_case)}
        case p.Compare(op, value, order):
            return {"op": op, "value": text_of(value), **_order(order)}
        case p.Between(low, high, order):
            return {"from": text_of(low), "to": text_of(high), **_order(order)}
        case p.SliceCompare(start, stop, op, value):
            return {"slice": f"{start}:{'' if stop is None else stop}", "op": op, "value": text_of(value)}
        case p.SliceContains(start, stop, part):
            return {"slice": f"{start}:{'' if stop is None else stop}", "contains": text_of(part)}
        case p.Length(op, count):
            return {"length": count, "op": op}
        case p.Lower(inner):
            return {"lower": _call(inner)}
        case p.Upper(inner):
            return {"upper": _call(inner)}
        case p.Octets(kind, inner):
            return {kind: _call(inner)}
        case p.Not() | p.And() | p.Or():
            return {"where": _call(predicate)}
    raise AssertionError(predicate)


def _call(predicate: p.Predicate) -> Call:
    match predicate:
        case p.Not(inner):
            return Call("Not", [_call(inner)])
        case p.And(parts):
            return Call("Intersect", [_call(part) for part in parts])
        case p.Or(parts):
            return Call("Union", [_call(part) for part in parts])
    return Call(NAME, args=written(predicate))


def _flag(ignore_case: bool) -> dict[str, Any]:
    return {"ignorecase": True} if ignore_case else {}


def _order(order: p.Order) -> dict[str, Any]:
    return {} if order == "bytes" else {"order": order}


def in_rows(call: Call, translator: Any) -> Call:
    """The call in row ids: one Row of all the rows that its predicate means. Raises QueryError (400), LimitExceeded (504)."""
    name = call.args.get("field")
    field = translator.field(name) if isinstance(name, str) else None
    if field is None:
        raise QueryError("field not found" if name else f"{NAME}(): field required", call.position)
    try:
        rows = translator.matching(field, predicate_of(call))
    except PredicateError as error:
        raise QueryError(f"{NAME}(): {error}", call.position) from None
    return Call("Row", args={"row": rows}, legacy=call.legacy, position=call.position)
