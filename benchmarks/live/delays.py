"""From counts over time to the delay of each packet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NS = 1_000_000_000


@dataclass(frozen=True)
class Poll:
    """An answer: asked and answered, ns since 1970; how many packets it counted."""

    asked: int
    answered: int
    count: int


def delays(times: NDArray[np.int64], polls: Iterable[Poll]) -> NDArray[np.int64]:
    """Of each packet, in the order of their numbers: ns from its capture until an answer that counts as many packets as its
    number had come. times: when they were captured, ns since 1970. Raises ValueError where the answers do not reach the last.

    Which packets an answer counts it does not say: they are taken to come in their order."""
    answers = list(polls)
    counts = np.maximum.accumulate(np.array([poll.count for poll in answers], np.int64))
    answered = np.array([poll.answered for poll in answers], np.int64)
    first = np.searchsorted(counts, np.arange(1, len(times) + 1), "left")
    if len(first) and first[-1] >= len(counts):
        most = int(counts[-1]) if len(counts) else 0
        raise ValueError(f"{len(times)} packets were captured, and the answers count no more than {most}")
    return answered[first] - times


@dataclass(frozen=True)
class Wholeness:
    """Of the seconds that were asked for: how many, how many of them were whole, and the packets that were not there yet."""

    seconds: int
    whole: int
    missing: int


def wholeness(times: NDArray[np.int64], asked: dict[int, int]) -> Wholeness:
    """asked: second since 1970 -> packets of it that were in the answer. Here the answer names its packets."""
    seconds = times // NS
    there = {second: int(np.count_nonzero(seconds == second)) for second in asked}
    missing = {second: there[second] - count for second, count in asked.items() if there[second]}
    return Wholeness(len(missing), sum(not count for count in missing.values()), sum(missing.values()))


def quantiles(values: NDArray[Any]) -> tuple[float, float, float]:
    """Median, 99th hundredth and maximum of ns, in seconds."""
    p50, p99, highest = np.percentile(values, [50, 99, 100]) / NS
    return float(p50), float(p99), float(highest)
