"""Packets over time as the numbers of an SVG: bars that lead to their packets, stacked where they are split by a field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from proxy.analysis import widths
from proxy.analysis.counter import I64
from proxy.analysis.histogram import Histogram, Part
from proxy.moments import written

HEIGHT = 84
_UNITS = {"m": "min", "us": "µs"}  # those that pages write otherwise than addresses
STEP, BAR = 8, 7  # units of x from a bar to the next, and of a bar
GAP = 3  # steps that stand for the time that is left out between two stretches
LEAST = 1.5  # a bin with a packet is seen, however many another has
YEAR, DAY = 365 * 86400, 86400


@dataclass(frozen=True)
class Piece:
    """A part of a bar: y and height are SVG's; series is its place among the series (0 where there is one)."""

    y: str
    height: str
    series: int


@dataclass(frozen=True)
class Bar:
    x: int
    title: str
    url: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Series:
    """What a colour stands for. url: the page narrowed to it; empty: others, none."""

    name: str
    label: str | None
    count: int
    url: str


@dataclass(frozen=True)
class Skipped:
    """Time without packets that is left out, from `begin` to `end`; x: where a mark stands for it."""

    x: int
    begin: str
    end: str
    words: str

    width = STEP * GAP


@dataclass(frozen=True)
class TimeChart:
    """stretches: for the script that lets a range be drawn: `step,bins,first ns,width in ns` of each. untimed: packets without a
    time stamp."""

    stretches: str
    steps: int
    begin: str
    end: str
    width_words: str
    most: int
    untimed: int
    bars: list[Bar]
    series: list[Series]
    skipped: list[Skipped]
    by: str = ""

    height = HEIGHT

    @property
    def view_width(self) -> int:
        return STEP * self.steps


def time_chart(
    found: Sequence[Histogram], count: int, narrow: Callable[[str, str], str], series_url: Callable[[str], str]
) -> TimeChart | None:
    """The chart of histograms that follow one another, in bins of one width; None if no packet has a time.

    count: of all packets. narrow: (from, to) -> the page of that time, "" for none."""
    found = [one for one in found if one.whole.counts.size]
    if not found:
        return None
    shown = [i for i in range(len(found[0].parts)) if any(one.parts[i].count for one in found)] if found[0].by else []
    parts = [[one.parts[i] for i in shown] if one.by else [one.whole] for one in found]
    # What has several values of a field is in several parts: a bar is as high as they are together
    heights = [
        np.sum([part.counts for part in some], axis=0) if some else one.whole.counts
        for one, some in zip(found, parts, strict=True)
    ]
    top = max(1, max(int(some.max()) for some in heights))
    bars: list[Bar] = []
    skipped: list[Skipped] = []
    spans: list[str] = []
    step = 0
    for place, one in enumerate(found):
        if place:
            skipped.append(_skipped(found[place - 1], one, step))
            step += GAP
        bars += _bars(one, parts[place], heights[place], step, top, narrow)
        spans.append(f"{step},{one.whole.counts.size},{one.first},{one.width}")
        step += one.whole.counts.size
    return TimeChart(
        stretches=" ".join(spans),
        steps=step,
        begin=written(found[0].first),
        end=written(_end(found[-1])),
        width_words=_words(found[0].width),
        most=max(int(one.whole.counts.max()) for one in found),
        untimed=max(0, count - sum(int(one.whole.counts.sum()) for one in found)),
        bars=bars,
        series=_series(found, shown, series_url) if found[0].by else [],
        skipped=skipped,
        by=found[0].by,
    )


def _end(one: Histogram) -> int:
    return one.first + one.whole.counts.size * one.width


def _bars(one: Histogram, parts: list[Part], heights: I64, step: int, top: int, narrow: Callable[[str, str], str]) -> list[Bar]:
    bars = []
    for i in np.flatnonzero(heights).tolist():
        begin = one.first + i * one.width
        low, high = written(begin), written(begin + one.width)
        count = int(one.whole.counts[i])
        title = f"{low.replace('T', ' ').rstrip('Z')} · {count:,} packet{'' if count == 1 else 's'}"
        bars.append(Bar(STEP * (step + i), title, narrow(low, high), _pieces(parts, i, top)))
    return bars


def _pieces(parts: list[Part], i: int, top: int) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    foot = float(HEIGHT)
    for number, part in enumerate(parts):
        count = int(part.counts[i])
        if not count:
            continue
        height = max(LEAST if not pieces else 0.0, HEIGHT * count / top)
        foot -= height
        pieces.append(Piece(f"{max(0.0, foot):.1f}", f"{height:.1f}", number))
    return tuple(pieces)


def _series(found: Sequence[Histogram], shown: list[int], url: Callable[[str], str]) -> list[Series]:
    values, by = found[0].values, found[0].by
    out = []
    for i in shown:
        count = sum(one.parts[i].count for one in found)
        if i < len(values):
            out.append(Series(values[i]["value"], values[i].get("label"), count, url(values[i]["value"])))
        else:
            out.append(Series("other values" if i == len(values) else f"no {by}", None, count, ""))
    return out


def _skipped(before: Histogram, after: Histogram, step: int) -> Skipped:
    begin, end = _end(before), after.first
    return Skipped(STEP * step, written(begin), written(end), spoken((end - begin) // 1_000_000_000))


def spoken(seconds: int) -> str:
    """A long time in its two largest units: "2 years 45 days"."""
    units = (("year", YEAR), ("day", DAY), ("hour", 3600), ("minute", 60), ("second", 1))
    words: list[str] = []
    for name, size in units:
        number, seconds = divmod(seconds, size)
        if number or words:
            words.append(f"{number:,} {name}{'' if number == 1 else 's'}" if number else "")
        if len(words) == 2:
            break
    return " ".join(word for word in words if word) or "less than a second"


def _words(width: int) -> str:
    """A width as durations are written on pages: 5 s, 10 min."""
    text = widths.text_of(width)
    unit = text.lstrip("0123456789")
    return f"{text.removesuffix(unit)} {_UNITS.get(unit, unit)}"
