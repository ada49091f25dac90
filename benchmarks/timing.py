"""Rounds of many subjects, interleaved, on one core: what disturbs the machine for a while disturbs all of them alike."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass
class Subject:
    """run() processes the packets of one round and answers how many. seconds, cpu: of each round, children's CPU included."""

    name: str
    does: str
    run: Callable[[], int]
    packets: int = 0
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """Packets per second in the best round."""
        return self.packets / min(self.seconds)

    @property
    def median(self) -> float:
        """Packets per second, median of the rounds."""
        return self.packets / statistics.median(self.seconds)

    @property
    def per_cpu(self) -> float:
        """Packets per second of CPU time, median: what the median would be if nobody else wanted the core."""
        return self.packets / statistics.median(self.cpu)


def on_one_core() -> int:
    """Pins this process, and all that it starts, to one core; its number."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def measure(subjects: Iterable[Subject], rounds: int, told: Callable[[str], None] = lambda _: None) -> None:
    """One round to warm up (page cache, compiled code, allocations), then `rounds` that count."""
    subjects = list(subjects)
    for number in range(rounds + 1):
        for subject in subjects:
            began, cpu_began = time.perf_counter(), _cpu()
            subject.packets = subject.run()
            took = time.perf_counter() - began
            if number:
                subject.seconds.append(took)
                subject.cpu.append(_cpu() - cpu_began)
            told(f"{'warm-up' if not number else f'round {number}'}: {subject.name}: {subject.packets / took:,.0f} packets/s")


def _cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def per_second(rate: float) -> str:
    """1234567.0 -> `1.23 M`."""
    for unit, size in ((" M", 1e6), (" k", 1e3)):
        if rate >= size:
            return f"{rate / size:.3g}{unit}" if rate < 1000 * size else f"{rate / size:.0f}{unit}"
    return f"{rate:.0f}"
