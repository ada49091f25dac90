"""A predicate as a condition of SQL: exact for any value, and written so that an index of the copied values can be used.

The functions and indexes are in migrations/0007_value_predicates.py. What is text here is a value as indexing_form sees it: byte
b is the character of that number, so nothing is ever no text. Everything that compares text does so under the collation "C".
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Any

from indexing import predicates as p
from indexing.predicates import PredicateError
from indexing.predicates_regex import form, to_postgres

KEY_BYTES = 64  # of a value stand in TranslationCopy.key
_MOST_PARTS, _MOST_LEVELS = 2000, 100
_MOST_BYTES = 1 << 30  # of a value, in Postgres
_SQL_OPS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?")
_LIKE_SPECIAL = re.compile(r"([\\%_])")


@dataclass(frozen=True)
class Sql:
    """A piece of SQL and its parameters, in order; placeholders are %s, and typed by casts."""

    text: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Subject:
    """Expressions for a value: as bytea, as text, as inet or NULL. key: its first 64 bytes, as a column that is indexed, "" where
    there is none. row: the number that it stands for, if it is no number that is written in the text."""

    bytes: str
    text: str
    address: str
    key: str = ""
    row: str = ""


def subject_of(value: str) -> Subject:
    """A bytea expression as a subject."""
    return Subject(value, f'(indexing_form({value}) COLLATE "C")', f"indexing_address({value})")


def condition(predicate: p.Predicate, subject: Subject) -> Sql:
    """A condition; where it is NULL (of what is no address, no number), it does not hold either. Raises PredicateError."""
    return _Writer().write(predicate, subject, 0)


class _Writer:
    def __init__(self) -> None:
        self.parts = 0

    def write(self, predicate: p.Predicate, on: Subject, level: int) -> Sql:
        self.parts += 1
        if self.parts > _MOST_PARTS or level > _MOST_LEVELS:
            raise PredicateError(f"predicate: more than {_MOST_PARTS} parts or {_MOST_LEVELS} levels")
        match predicate:
            case p.Not(inner):
                some = self.write(inner, on, level + 1)
                return Sql(f"(NOT coalesce({some.text}, false))", some.params)
            case p.And(parts):
                return _joined(" AND ", "true", [self.write(part, on, level + 1) for part in parts])
            case p.Or(parts):
                return _joined(" OR ", "false", [self.write(part, on, level + 1) for part in parts])
            case p.Lower(inner) | p.Upper(inner):
                # SQL's own on what was ASCII already; `_simpler` keeps the indexes of use
                simpler = _simpler(predicate)
                if simpler is not None:
                    return self.write(simpler, on, level + 1)
                name = "lower" if isinstance(predicate, p.Lower) else "upper"
                return self.write(inner, subject_of(f"indexing_bytes({name}({on.text}))"), level + 1)
            case p.Octets(kind, inner):
                octets = f"indexing_hex_octets({on.text})" if kind == "hex" else f"indexing_ip_octets({on.bytes})"
                some = self.write(inner, subject_of(octets), level + 1)
                first = _hex_prefix(inner) if kind == "hex" else None
                narrow = Sql("") if first is None else self.write(first, on, level + 1)
                text = f"({narrow.text}{' AND ' if narrow.text else ''}{octets} IS NOT NULL AND {some.text})"
                return Sql(text, narrow.params + some.params)
            case _:
                return _leaf(predicate, on)


def _joined(word: str, empty: str, parts: list[Sql]) -> Sql:
    if not parts:
        return Sql(empty)
    return Sql("(" + word.join(part.text for part in parts) + ")", tuple(value for part in parts for value in part.params))


def _simpler(predicate: p.Lower | p.Upper) -> p.Predicate | None:
    """The same without the change of case, where it can be said so."""
    lower = isinstance(predicate, p.Lower)
    inner = predicate.inner
    match inner:
        case p.Contains(text) | p.StartsWith(text) | p.EndsWith(text) | p.Glob(text):
            if inner.ignore_case:
                return inner
            return replace(inner, ignore_case=True) if text == (text.lower() if lower else text.upper()) else p.Or(())
        case p.Everything():
            return inner
        case p.Length():
            return inner
    return None


def _hex_prefix(inner: p.Predicate) -> p.Predicate | None:
    """What a text begins with if its octets begin as `inner` says; None if that is not said."""
    match inner:
        case p.StartsWith(octets, False):
            pass
        case p.SliceCompare(0, int(stop), "==", octets) if stop == len(octets):
            pass
        case p.Compare("==", octets, "bytes"):
            pass
        case _:
            return None
    if not octets:
        return None
    return p.Or((p.StartsWith(octets.hex(":").encode(), True), p.StartsWith(octets.hex().encode(), True)))


def _leaf(predicate: p.Predicate, on: Subject) -> Sql:
    match predicate:
        case p.Everything():
            return Sql("true")
        case p.OneOf(values):
            return _one_of(sorted(values), on)
        case p.InNetwork(cidr):
            return _in_network(cidr, on)
        case p.Matches(pattern, ignore_case):
            return Sql(f"({on.text} ~ %s::text)", (to_postgres(pattern, ignore_case),))
        case p.Contains(part, ignore_case):
            return _like(f"%{_escaped(part)}%", ignore_case, on)
        case p.StartsWith(prefix, False):
            return _starts_with(prefix, on)
        case p.StartsWith(prefix, True):
            return _like(f"{_escaped(prefix)}%", True, on)
        case p.EndsWith(suffix, ignore_case):
            return _like(f"%{_escaped(suffix)}", ignore_case, on)
        case p.Glob(pattern, ignore_case):
            return _like(_like_of_glob(pattern), ignore_case, on)
        case p.Compare(op, value, order):
            return _compare(op, value, order, on)
        case p.Between(low, high, order):
            if order == "address":
                _same_family(low, high)
            return _joined(" AND ", "true", [_compare(">=", low, order, on), _compare("<=", high, order, on)])
        case p.SliceCompare(start, stop, op, value):
            return _slice(start, stop, on, f"{_SQL_OPS[op]} %s::bytea", value)
        case p.SliceContains(start, stop, part):
            return _slice(start, stop, on, "", part)
        case p.Length(op, count):
            count = max(-1, min(count, _MOST_BYTES))
            return Sql(f"(coalesce(octet_length({on.bytes}), 0) {_SQL_OPS[op]} %s::bigint)", (count,))
    raise PredicateError(f"no predicate: {predicate!r}")


def _one_of(values: list[bytes], on: Subject) -> Sql:
    exact = Sql(f"({on.bytes} = ANY(%s::bytea[]))", (values,))
    if not on.key:
        return exact
    keys = sorted({value[:KEY_BYTES] for value in values})
    return Sql(f"({on.key} = ANY(%s::bytea[]) AND {exact.text})", (keys, *exact.params))


def network_of(cidr: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The network. Raises PredicateError."""
    try:
        return ipaddress.ip_network(cidr.strip(), strict=False)
    except ValueError as error:
        raise PredicateError(f"no network: {cidr!r} ({error})") from None


def _in_network(cidr: str, on: Subject) -> Sql:
    network = network_of(cidr)
    first, last = str(network.network_address), str(network.broadcast_address)
    if "%" in first:
        raise PredicateError(f"no network: {cidr!r} has a zone")
    within = Sql(f"({on.address} BETWEEN %s::text::inet AND %s::text::inet)", (first, last))
    if on.key:
        return within
    # A look at the text first, which costs a tenth of reading it as an address. CASE: AND would be in the planner's order.
    shape = _shape_of(network)
    return Sql(f"(CASE WHEN {on.text} ~ %s::text THEN {within.text} END)", (shape, *within.params))


def _shape_of(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    """An ARE that every address of the network matches, and few others: what its first octets, or its first group, begin with."""
    if network.version == 4:
        octets = str(network.network_address).split(".")[: network.prefixlen // 8]
        return "^" + "".join(octet + "[.]" for octet in octets[:3]) + (octets[3] + "$" if len(octets) == 4 else "[0-9]")
    first = int(network.network_address) >> 112
    if network.prefixlen < 16 or first == 0:
        return ":"
    return "^0*" + "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in f"{first:x}") + ":"


def _address(value: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        found = ipaddress.ip_address(value.decode("ascii", "replace"))
    except ValueError:
        raise PredicateError(f"no IP address: {form(value)!r}") from None
    if found.version == 6 and found.scope_id:
        raise PredicateError(f"no IP address: {form(value)!r} has a zone")
    return found


def _same_family(low: bytes, high: bytes) -> None:
    if _address(low).version != _address(high).version:
        raise PredicateError(f"{form(low)} and {form(high)} are not of one family")


def _escaped(part: bytes) -> str:
    return _LIKE_SPECIAL.sub(r"\\\1", form(part))


def _like(pattern: str, ignore_case: bool, on: Subject) -> Sql:
    return Sql(f"({on.text} {'ILIKE' if ignore_case else 'LIKE'} %s::text)", (pattern,))


def _like_of_glob(pattern: bytes) -> str:
    out = ""
    text = form(pattern)
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            at += 1
            out += _LIKE_SPECIAL.sub(r"\\\1", text[at])
        else:
            out += {"*": "%", "?": "_"}.get(char) or _LIKE_SPECIAL.sub(r"\\\1", char)
        at += 1
    return out


def _after(prefix: bytes) -> bytes | None:
    """The least bytes that come after everything which begins with `prefix`; None if nothing does."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None


def _starts_with(prefix: bytes, on: Subject) -> Sql:
    if not on.key:
        return Sql(f"(substring({on.bytes} FROM 1 FOR %s::int) = %s::bytea)", (len(prefix), prefix))
    first = prefix[:KEY_BYTES]
    after = _after(first)
    text, params = f"({on.key} >= %s::bytea", [first]
    if after is not None:
        text, params = f"{text} AND {on.key} < %s::bytea", [*params, after]
    if len(prefix) > KEY_BYTES:
        text += f" AND substring({on.bytes} FROM 1 FOR {len(prefix)}) = %s::bytea"
        params.append(prefix)
    return Sql(text + ")", tuple(params))


def _compare(op: p.Op, value: bytes, order: p.Order, on: Subject) -> Sql:
    sign = _SQL_OPS[op]
    if order == "address":
        address = _address(value)
        family = f"family({on.address}) = {address.version}"
        low, high = ("0.0.0.0", "255.255.255.255") if address.version == 4 else ("::", "f" * 4 + ":ffff" * 7)
        # the bounds of the family, and not family(), where an index is to be used
        if op in ("<", "<="):
            return Sql(f"({on.address} >= '{low}' AND {on.address} {sign} %s::text::inet)", (str(address),))
        if op in (">", ">="):
            return Sql(f"({on.address} <= '{high}' AND {on.address} {sign} %s::text::inet)", (str(address),))
        return Sql(f"({on.address} {sign} %s::text::inet AND {family})", (str(address),))
    if order == "number":
        if not _NUMBER.fullmatch(value):
            raise PredicateError(f"no number: {form(value)!r}")
        number = on.row or f"CASE WHEN {on.text} ~ '^-?[0-9]+([.][0-9]+)?$' THEN {on.text}::numeric END"
        return Sql(f"(({number}) {sign} %s::text::numeric)", (value.decode(),))
    exact = Sql(f"({on.bytes} {sign} %s::bytea)", (value,))
    if not on.key or op == "!=":
        return exact
    # the beginnings compare in the same way, or are the same
    narrow = {"==": "=", "<": "<=", ">": ">="}.get(op, sign)
    return Sql(f"({on.key} {narrow} %s::bytea AND {exact.text})", (value[:KEY_BYTES], *exact.params))


def _slice(start: int, stop: int | None, on: Subject, comparison: str, value: bytes) -> Sql:
    if not all(abs(place) <= _MOST_BYTES for place in (start, stop or 0)):
        raise PredicateError(f"slice: no value has {_MOST_BYTES} bytes")
    size = f"coalesce(octet_length({on.bytes}), 0)"
    first = f"{start}" if start >= 0 else f"({size} - {-start})"
    end = size if stop is None else f"{stop}" if stop >= 0 else f"({size} - {-stop})"
    piece = f"substring({on.bytes} FROM {first} + 1 FOR {end} - {first})"
    there = f"{first} >= 0 AND {first} < {end} AND {end} <= {size}"
    what = f"{piece} {comparison}" if comparison else f"position(%s::bytea IN {piece}) > 0"
    # CASE: a length below 0 is an error in SQL, and AND has no order
    return Sql(f"(CASE WHEN {there} THEN {what} ELSE false END)", (value,))
