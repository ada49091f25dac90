"""Comparisons of `frame.time` and `frame.time_epoch`, to the nanosecond; whole seconds are rows of time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import partial

from indexing.calls import Call
from proxy.display.literals import refuse
from proxy.display.sources import difference, nothing
from proxy.display.tree import Literal
from proxy.moments import NS, written
from proxy.spans import LAST, since, span, stamped

_FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%b %d, %Y %H:%M:%S",
    "%b %d, %Y %H:%M", "%b %d, %Y",
)  # fmt: skip
_PARTS = re.compile(r"(.*?[0-9])(?:\.([0-9]{1,9}))?\s*(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?", re.ASCII)
RELATIVE = "frame.time_relative"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(literal: Literal, field: str) -> int:
    """Nanoseconds since 1970 (RELATIVE: since the capture began). Without a zone it is UTC. Raises QueryError."""
    if field in ("frame.time_epoch", RELATIVE):
        return _number_of_seconds(literal, "since the capture began" if field == RELATIVE else "since 1970")
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


def _number_of_seconds(literal: Literal, since: str) -> int:
    try:
        found = (
            Decimal(literal.text)
            if literal.kind == "word" and re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,9})?", literal.text)
            else None
        )
    except InvalidOperation:
        found = None
    if found is None:
        refuse(literal, f"{literal.shown} is no number of seconds {since}")
    return int(found * NS)


def _zone(text: str | None) -> timezone:
    if not text or text in ("Z", "UTC"):
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def compared(op: str, literal: Literal, field: str) -> Call:
    """Packets whose time compares so. Raises QueryError."""
    at = moment(literal, field)
    within, since_then = (_relative, partial(_relative, high=None)) if field == RELATIVE else (_within, _from)
    match op:
        case ">=":
            return since_then(at)
        case ">":
            return since_then(at + 1)
        case "<":
            return difference(stamped(), since_then(at))
        case "<=":
            return difference(stamped(), since_then(at + 1))
        case "==":
            return within(at, at + 1)
    return difference(stamped(), within(at, at + 1))


def between(low: Literal, high: Literal, field: str) -> Call:
    """Packets from low to high, both inclusive. Raises QueryError."""
    return (_relative if field == RELATIVE else _within)(moment(low, field), moment(high, field) + 1)


def _relative(low: int, high: int | None) -> Call:
    """From low to high - 1 nanoseconds since the capture began."""
    if high is not None and low >= high:
        return nothing()
    args = {"from": low} if high is None else {"from": low, "to": high}
    return Call("TimeRelative", args={name: _seconds(ns) for name, ns in args.items()})


def _seconds(ns: int) -> str:
    seconds, rest = divmod(abs(ns), NS)
    decimals = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{'-' * (ns < 0)}{seconds}{decimals}"


def _from(ns: int) -> Call:
    if ns <= 0:
        return stamped()
    if ns % NS == 0:
        return since(ns // NS)
    return Call("Time", args={"from": written(ns)}) if ns < LAST * NS else nothing()


def _within(low: int, high: int) -> Call:
    """From low to high - 1: whole seconds by rows alone."""
    low, high = max(low, 0), min(high, LAST * NS)
    if low >= high:
        return nothing()
    if low % NS == 0 and high % NS == 0:
        return span(low // NS, high // NS)
    return Call("Time", args={"from": written(low), "to": written(high)})
