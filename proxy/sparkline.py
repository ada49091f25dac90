"""A live job's rates of the last two minutes as the numbers of an SVG of fixed size. No script draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS = 120
HEIGHT = 40
# So far below the top the highest value stays, whatever it is.
ROOM = 2


@dataclass(frozen=True)
class Sparkline:
    """One unit of x is a second, `end` (epoch seconds) at the right edge; y is down, as in SVG.

    packets: paths of filled areas; indexed: of lines; both with a part for each run of seconds without a gap between.
    dropped: x of the seconds in which packets were dropped. top: packets a second at the upper edge.
    """

    end: int
    top: int
    packets: str
    indexed: str
    dropped: list[int]
    most: float
    mean: float
    lost: int

    width = SECONDS
    height = HEIGHT


def sparkline(rates: Sequence[Sequence[float]], end: int | None = None) -> Sparkline:
    """The picture of `rates` (epoch second, packets, bytes, dropped, indexed; each a second) up to `end` (None: the last one)."""
    end = int(rates[-1][0]) if end is None and rates else end or 0
    shown = {int(one[0]): one for one in rates if end - SECONDS < one[0] <= end}
    packets = {second: one[1] for second, one in shown.items()}
    indexed = {second: one[4] for second, one in shown.items()}
    top = ceiling(max([*packets.values(), *indexed.values(), 0]))
    runs = _runs(sorted(shown))
    return Sparkline(
        end=end,
        top=top,
        packets=" ".join(_area(run, packets, end, top) for run in runs),
        indexed=" ".join(f"M{_line(run, indexed, end, top)}" for run in runs),
        dropped=[_x(second, end) for second, one in sorted(shown.items()) if one[3] > 0],
        most=max(packets.values(), default=0),
        mean=sum(packets.values()) / len(packets) if packets else 0.0,
        lost=round(sum(one[3] for one in shown.values())),
    )


def ceiling(value: float) -> int:
    """The next 1, 2 or 5 with zeros behind, at least 10: the scale changes seldom while values move."""
    if value <= 10:
        return 10
    power = int(10 ** math.floor(math.log10(value)))
    return next(step * power for step in (1, 2, 5, 10) if value <= step * power)


def _runs(seconds: list[int]) -> list[list[int]]:
    """Seconds in a row. One tick may come a little late and miss a second of the clock: that is no gap."""
    runs: list[list[int]] = []
    for second in seconds:
        if runs and second - runs[-1][-1] <= 2:
            runs[-1].append(second)
        else:
            runs.append([second])
    return runs


def _x(second: int, end: int) -> int:
    return SECONDS - 1 - (end - second)


def _y(value: float, top: int) -> str:
    return f"{HEIGHT - (HEIGHT - ROOM) * value / top:.1f}"


def _line(run: list[int], values: dict[int, float], end: int, top: int) -> str:
    # From the beginning of its first second to the end of its last, so that a single second is seen too.
    points = [(_x(second, end) + 0.5, _y(values[second], top)) for second in run]
    points = [(points[0][0] - 0.5, points[0][1]), *points, (points[-1][0] + 0.5, points[-1][1])]
    return " ".join(f"{x:g},{y}" for x, y in points)


def _area(run: list[int], values: dict[int, float], end: int, top: int) -> str:
    first, last = _x(run[0], end), _x(run[-1], end) + 1
    return f"M{first},{HEIGHT} {_line(run, values, end, top)} {last},{HEIGHT}Z"
