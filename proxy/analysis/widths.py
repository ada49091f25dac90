"""How wide a bin is: written, read, and chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from capture.services.errors import Refused

US_NS = 1000
SECOND_NS = 1_000_000_000
_UNITS = {"us": 1, "µs": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6}  # microseconds
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(us|µs|ms|s|m|h|d)", re.ASCII)
_PLAIN = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)
_ROUND = (1, 2, 5)
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY = 86400


def width_of(text: str) -> int:
    """Nanoseconds of a width as users write it: "100ms", "1s", "5m", "1h30m", "1d", or seconds, "0.25". Raises Refused."""
    parts = [(match[1], _UNITS[match[2]]) for match in _PART.finditer(text)]
    if _PLAIN.fullmatch(text):
        parts = [(text, 10**6)]
    elif not parts or "".join(match[0] for match in _PART.finditer(text)) != text:
        raise Refused(f"width must be a duration like 100ms, 1s, 5m, 1h or 1d, or seconds, not {text!r}", option="width")
    total = sum(Fraction(number) * unit for number, unit in parts)
    if total.denominator != 1 or total < 1:
        raise Refused(f"width must be whole microseconds, at least one, not {text!r}", option="width")
    return int(total) * US_NS


def text_of(width: int) -> str:
    """A width of so many nanoseconds, whole microseconds, in the largest unit that it is a whole number of."""
    microseconds = width // US_NS
    for name in ("d", "h", "m", "s", "ms", "us"):
        if microseconds % _UNITS[name] == 0:
            return f"{microseconds // _UNITS[name]}{name}"
    raise AssertionError(width)


def round_widths() -> Iterator[int]:
    """Widths to choose from, ascending, in ns: 1, 2 or 5 with zeros behind in us and ms; 1, 2, 5, 10, 15, 30 s and min; 1, 2, 3,
    6, 12 h; 1, 2 or 5 days with zeros behind."""
    for power in range(6):
        yield from (one * 10**power * US_NS for one in _ROUND)
    yield from (one * SECOND_NS for one in _SECONDS)
    for power in range(9):
        yield from (one * 10**power * _DAY * SECOND_NS for one in _ROUND)


def chosen(low: int, high: int, bins: int) -> int:
    """The least of the round widths with which low..high (ns, both in a bin) take no more than `bins` bins (> 0)."""
    for width in round_widths():
        if number(low, high, width) <= bins:
            return width
    raise AssertionError((low, high))


def number(low: int, high: int, width: int) -> int:
    """How many bins, which begin at whole multiples of the width since 1970, there are from the one of low to the one of high."""
    return high // width - low // width + 1
