"""At which rate programs that capture begin to drop: steps of rates, in turns, on one wire."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.live.programs import Counted, Program, Running
from benchmarks.live.wire import Sent, Wire

STEPS = (25_000, 50_000, 100_000, 150_000, 200_000, 250_000, 300_000, 350_000, 400_000, 500_000, 600_000, 800_000, 1_000_000)
TOP = 0.0  # as fast as the sender goes
# What the machine can send ends where the sender misses a step by more than SHORT, and sends not even RISING as much as before.
SHORT, RISING = 0.95, 1.05

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One program at one rate."""

    sent: Sent
    counted: Counted

    @property
    def lost(self) -> int:
        """Packets that were sent and are not in the file."""
        return self.sent.packets - self.counted.written

    @property
    def share(self) -> float:
        return self.lost / self.sent.packets


@dataclass
class Result:
    """Of a program: the highest rate of each round at which nothing was lost (sent packets a second), the lowest at which
    something was (None: nothing was, at any rate that the sender reached), and what happened when it sent as fast as it goes."""

    program: Program
    clean: list[float] = field(default_factory=list)
    dropped_at: list[float | None] = field(default_factory=list)
    tops: list[Run] = field(default_factory=list)

    @property
    def sustained(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.clean)

    @property
    def top_share(self) -> float:
        return statistics.median(run.share for run in self.tops)


def measured(programs: list[Program], wire: Wire, folder: Path, rounds: int, seconds: float, say: Say) -> list[Result]:
    """All programs in turns, so many rounds."""
    results = [Result(program) for program in programs]
    for number in range(rounds):
        for result in results:
            run = partial(once, result.program, wire, folder, seconds)
            climb(result, run, _saying(say, number))
    return results


def _saying(say: Say, number: int) -> Say:
    return lambda line: say(f"round {number + 1}: {line}")


def climb(result: Result, run: Callable[[float], Run], say: Say) -> None:
    """One round of a program: rates go up until packets are lost or the sender reaches no more, and then the topmost."""
    clean, dropped_at = 0.0, None
    for rate in STEPS:
        one = run(rate)
        say(_words(result.program.name, rate, one))
        if one.lost:
            dropped_at = one.sent.rate
            break
        at_its_end = one.sent.rate < min(SHORT * rate, RISING * clean)
        clean = max(clean, one.sent.rate)
        if at_its_end:
            break
    top = run(TOP)
    say(_words(result.program.name, TOP, top))
    result.tops.append(top)
    if dropped_at is None and top.lost:
        dropped_at = top.sent.rate
    elif dropped_at is None:
        clean = max(clean, top.sent.rate)
    result.clean.append(clean)
    result.dropped_at.append(dropped_at)


def once(program: Program, wire: Wire, folder: Path, seconds: float, rate: float) -> Run:
    """One program, one rate, into a folder that is gone afterwards."""
    target = Path(tempfile.mkdtemp(dir=folder))
    try:
        with Running(program, wire.near, target) as running:
            sent = wire.send(rate, seconds)
            return Run(sent, running.end())
    finally:
        shutil.rmtree(target)


def _words(name: str, rate: float, run: Run) -> str:
    asked = f"{rate:,.0f}" if rate else "all it can"
    return (
        f"{name}: {asked}: {run.sent.rate:,.0f} packets/s sent, {run.lost:,} of {run.sent.packets:,} not in the file, "
        f"the kernel dropped {run.counted.dropped:,}"
    )
