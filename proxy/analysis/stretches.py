"""The stretches of time that packets fill: captures of different years leave nearly all of the time between them empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from proxy.analysis import widths
from proxy.analysis.histogram import Histogram

LEAST_GAP = 5  # a gap is a fifth of the bins or more
MOST = 10  # stretches
DEEPEST = 3  # so often what is left is looked at again


@dataclass(frozen=True)
class Stretch:
    """low, high: its first and last ns, both included, to the width of a bin."""

    low: int
    high: int


def stretches(found: Histogram, ask: Callable[[Stretch], Histogram]) -> list[Stretch]:
    """The stretches of a histogram, in order; none if its time is best shown as it is.

    ask: the histogram of the packets of a stretch, in its own bins: what was a bin among years is looked at again."""
    if found.whole.counts.size < LEAST_GAP:
        return []
    some = _together(_filled(found))
    for _ in range(DEEPEST):
        if len(some) < 2:
            return []
        finer = _together([each for one in some for each in _filled(ask(one)) or [one]])
        if len(finer) > MOST:
            break
        parted, some = len(finer) > len(some), finer
        if not parted:
            break
    return some if len(some) > 1 else []


def _together(some: list[Stretch]) -> list[Stretch]:
    """Without the gaps that are shorter than what packets fill: those are part of the picture."""
    filled = sum(one.high + 1 - one.low for one in some)
    out = some[:1]
    for one in some[1:]:
        if one.low - out[-1].high <= filled:
            out[-1] = Stretch(out[-1].low, one.high)
        else:
            out.append(one)
    return out


def _filled(found: Histogram) -> list[Stretch]:
    """What lies between gaps."""
    counts = found.whole.counts
    places = np.flatnonzero(counts)
    if not places.size:
        return []
    behind = np.flatnonzero(np.diff(places) > max(1, counts.size // LEAST_GAP))
    starts = places[np.concatenate([[0], behind + 1])]
    ends = places[np.concatenate([behind, [places.size - 1]])]
    return [
        Stretch(found.first + low * found.width, found.first + (high + 1) * found.width - 1)
        for low, high in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def width_for(some: Sequence[Stretch], bins: int) -> int:
    """The least round width with which all stretches together take no more than `bins` bins, or one each."""
    for width in widths.round_widths():
        if sum(widths.number(one.low, one.high, width) for one in some) <= max(bins, 2 * len(some)):
            return width
    raise AssertionError(some)
