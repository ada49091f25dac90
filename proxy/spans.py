"""Whole seconds as rows of the time fields, the longest rows that fit."""

from __future__ import annotations

from itertools import pairwise

from capture.packets.registry import FIELDS
from indexing import predicates as p
from indexing.calls import Call
from proxy.display.sources import union, values

LAST = 86400 * 2**24  # seconds, a whole day; after every time stamp
# Shortest first.
UNITS = sorted((one for one in FIELDS.values() if one.encoding == "time" and not one.plugin), key=lambda one: one.seconds)


def stamped() -> Call:
    """The packets that have a time stamp."""
    return values(UNITS[-1].name, p.Everything())


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


def cover(low: int, high: int) -> list[tuple[str, int]]:
    """Time rows that together are exactly the seconds low .. high - 1, in order: (field, epoch second that it begins with)."""
    rows = []
    at = max(low, 0)
    while at < high:
        one = next(one for one in reversed(UNITS) if at % one.seconds == 0 and at + one.seconds <= high)
        rows.append((one.name, at))
        at += one.seconds
    return rows
