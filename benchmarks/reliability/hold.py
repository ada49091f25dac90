"""Load that is held for minutes without any fault: how long answers take, what goes wrong, and whether memory stays flat."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil

from benchmarks.faults.running import Running
from benchmarks.reliability.load import Load, Upload, answers
from benchmarks.soak.watch import service_of

EVERY = 10.0  # seconds between looks at memory


@dataclass(frozen=True)
class Held:
    """milliseconds: of right answers, p50, p95, p99. memory: service -> bytes (PSS) after a minute, and at the end."""

    seconds: float
    right: int
    wrong: list[str]
    away: int
    refused: int
    jobs: int
    packets: int
    milliseconds: tuple[float, float, float]
    memory: dict[str, tuple[int, int]]


def hold(
    running: Running,
    job: int,
    uploads: Sequence[Upload],
    seconds: float,
    people: tuple[int, int],
    say: Callable[[str], None],
) -> Held:
    """people: uploaders, queriers."""
    began, looks = time.monotonic(), list[tuple[float, dict[str, int]]]()
    with Load(running.up.port, answers(running.up.port, job), uploads, *people, seed=1) as load:
        while (passed := time.monotonic() - began) < seconds:
            looks.append((passed, memory(running)))
            say(f"{passed:4.0f} s  {load.tally.right} right answers, {load.jobs} jobs, {len(load.tally.wrong)} wrong")
            time.sleep(min(EVERY, max(0.0, seconds - passed)))
        looks.append((time.monotonic() - began, memory(running)))
    tally = load.tally
    first = next(one for passed, one in looks if passed >= min(60.0, seconds / 2))
    cuts = statistics.quantiles(tally.seconds, n=100) if len(tally.seconds) > 1 else [0.0] * 99
    return Held(
        seconds,
        tally.right,
        tally.wrong,
        tally.away,
        tally.refused,
        load.jobs,
        load.packets,
        (cuts[49] * 1000, cuts[94] * 1000, cuts[98] * 1000),
        {name: (first.get(name, 0), looks[-1][1][name]) for name in sorted(looks[-1][1])},
    )


def memory(running: Running) -> dict[str, int]:
    """Bytes (PSS) by service, of `up` and all below it."""
    found: dict[str, int] = {}
    for process in [psutil.Process(running.up.pid), *psutil.Process(running.up.pid).children(recursive=True)]:
        try:
            name = service_of(" ".join(process.cmdline()))
            found[name] = found.get(name, 0) + process.memory_full_info().pss
        except psutil.Error:
            continue
    return found
