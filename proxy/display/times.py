"""Comparisons of `frame.time` and `frame.time_epoch`: whole seconds as rows of time, the longest that fit."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from capture.packets.registry import FIELDS
from indexing import predicates as p
from indexing.calls import Call
from proxy.display.errors import wrong
from proxy.display.literals import refuse
from proxy.display.sources import difference, union, values
from proxy.display.tree import Literal

_FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%b %d, %Y %H:%M:%S",
    "%b %d, %Y %H:%M", "%b %d, %Y",
)  # fmt: skip
_PARTS = re.compile(r"(.*?[0-9])(?:\.([0-9]{1,9}))?\s*(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NS = 1_000_000_000
LAST = 86400 * 2**24  # seconds, a whole day; after every time stamp
# Shortest first.
UNITS = sorted((one for one in FIELDS.values() if one.encoding == "time" and not one.plugin), key=lambda one: one.seconds)


def moment(literal: Literal, field: str) -> int:
    """Nanoseconds since 1970. Without a zone it is UTC. Raises QueryError."""
    if field == "frame.time_epoch":
        return _epoch(literal)
    if literal.kind == "word" and re.fullmatch(r"[0-9.]+", literal.text):
        refuse(literal, f"{literal.text} is no time: write {field} as 2012-04-02 02:28:30, or ask for frame.time_epoch")
    text = literal.text.strip()
    m = _PARTS.fullmatch(text)
    for form in _FORMATS if m is not None else ():
        assert m is not None
        try:
            at = datetime.strptime(m[1], form)
        except ValueError:
            continue
        if m[2] and "%S" not in form:
            continue
        since = at.replace(tzinfo=_zone(m[3])) - _EPOCH
        return (since // timedelta(seconds=1)) * NS + int((m[2] or "0").ljust(9, "0"))
    refuse(literal, f"{literal.shown} is no time: write it as 2012-04-02 02:28:30 (UTC), or with Z, UTC or +02:00 behind it")


def _epoch(literal: Literal) -> int:
    try:
        found = (
            Decimal(literal.text)
            if literal.kind == "word" and re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,9})?", literal.text)
            else None
        )
    except InvalidOperation:
        found = None
    if found is None:
        refuse(literal, f"{literal.shown} is no number of seconds since 1970")
    return int(found * NS)


def _zone(text: str | None) -> timezone:
    if not text or text in ("Z", "UTC"):
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def stamped() -> Call:
    """The packets that have a time stamp."""
    return values(UNITS[-1].name, p.Everything())


def compared(op: str, literal: Literal, field: str) -> Call:
    """Packets whose time compares so. Raises QueryError."""
    at = moment(literal, field)
    if op in (">=", "<") and at % NS == 0:
        second = at // NS
        return since(second) if op == ">=" else difference(stamped(), since(second))
    if op in (">", "<=") and (at + 1) % NS == 0:
        second = (at + 1) // NS
        return since(second) if op == ">" else difference(stamped(), since(second))
    raise _finer(literal, field)


def between(low: Literal, high: Literal, field: str) -> Call:
    """Packets from low to high, both inclusive. Raises QueryError."""
    first, last = moment(low, field), moment(high, field) + 1
    if first % NS:
        raise _finer(low, field)
    if last % NS:
        raise _finer(high, field)
    return span(first // NS, last // NS)


def _finer(literal: Literal, field: str) -> Exception:
    return wrong(f"{field} is indexed to the whole second: write >= and < with whole seconds", literal.position)


def since(second: int) -> Call:
    """Packets of `second` and later."""
    return span(second, LAST)


def span(low: int, high: int) -> Call:
    """Packets of the seconds low .. high - 1: seconds up to the next minute, minutes up to the next hour ... and back again."""
    low, high = max(low, 0), min(high, LAST)
    head: list[Call] = []
    tail: list[Call] = []
    for unit, longer in pairwise(UNITS):
        if low >= high:
            break
        up, down = -(-low // longer.seconds) * longer.seconds, high // longer.seconds * longer.seconds
        if up >= down:
            head += _rows(unit.name, unit.seconds, low, high)
            low = high
            break
        head += _rows(unit.name, unit.seconds, low, up)
        tail = _rows(unit.name, unit.seconds, down, high) + tail
        low, high = up, down
    if low < high:
        head += _rows(UNITS[-1].name, UNITS[-1].seconds, low, high)
    return union(head + tail)


def _rows(field: str, seconds: int, low: int, high: int) -> list[Call]:
    if low >= high:
        return []
    bounds = (b"%d" % low, b"%d" % (high - seconds))
    if high >= LAST:
        return [values(field, p.Compare(">=", bounds[0], "number"))]
    return [values(field, p.Between(*bounds, "number"))]
