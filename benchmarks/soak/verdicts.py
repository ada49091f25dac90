"""What must be true of a soak, each in a line with its numbers, and whether it is."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.live.counters import adding_up
from benchmarks.soak.asking import Asker
from benchmarks.soak.watch import Sample

MIB = 1 << 20
# Growth from the 2nd to the last fifth of the run that is none: what an allocator and caches do, and no more.
FLAT_SHARE, FLAT_BYTES = 0.05, 8 * MIB
# Files more than ordered: the one that is written, and one whose packets are being indexed.
MORE_FILES = 2
# A share that rows and files of an index may vary by between two moments of a ring that turns.
STEADY = 0.25
# Shorter than this, the fifths say nothing: caches are being filled.
LEAST_SECONDS = 300.0


@dataclass(frozen=True)
class Ring:
    """files of so many bytes, as ordered."""

    files: int
    bytes: int


@dataclass(frozen=True)
class Verdict:
    words: str
    right: bool


def fifths(samples: list[Sample], value: Callable[[Sample], float | None]) -> tuple[float, float]:
    """Medians of the 2nd and of the last fifth of a run; what a sample does not have (None) is left out."""

    def median(part: list[Sample]) -> float:
        return statistics.median([found for one in part if (found := value(one)) is not None] or [0.0])

    length = max(1, len(samples) // 5)
    return median(samples[length : 2 * length] or samples), median(samples[-length:])


def is_flat(before: float, after: float) -> bool:
    return after <= before * (1 + FLAT_SHARE) + FLAT_BYTES


def packets(sent: int, job: dict[str, Any], answered: int, on_disk: int) -> Iterable[Verdict]:
    """Nothing is lost, and all counters say so. answered: packets of the job in the index; on_disk: in its ring files."""
    live, counted = job["live"], job["packets"]
    yield Verdict(f"sent {sent:,} = received {live['received']:,}", sent == live["received"])
    dropped = live["dropped_by_kernel"] + live["dropped_by_interface"] + live["unread"]
    yield Verdict(f"dropped by kernel and interface, or unread: {dropped:,}", dropped == 0)
    yield Verdict(f"failed: {counted['failed']:,}", counted["failed"] == 0)
    for words, right in adding_up(job):
        yield Verdict(words, right)
    yield Verdict(f"indexed {counted['indexed']:,} = counted by a query {answered:,}", counted["indexed"] == answered)
    yield Verdict(f"indexed {counted['indexed']:,} = in the ring's files {on_disk:,}", counted["indexed"] == on_disk)
    yield Verdict(f"the job has ended as {job['state']}", job["state"] == "stopped")


def memory(samples: list[Sample]) -> Iterable[Verdict]:
    """Each process has as much memory of its own at the end as near the start."""
    for name in samples[-1].memory:
        before, after = fifths(samples, lambda one, name=name: one.memory[name].anonymous if name in one.memory else None)  # type: ignore[misc]
        words = f"{name}: {before / MIB:.1f} MiB of its own, later {after / MIB:.1f} ({(after - before) / MIB:+.1f})"
        yield Verdict(words, is_flat(before, after))


def stayed(samples: list[Sample]) -> Verdict:
    """No process came or went, once the first fifth of the run was over (workers start with the first work)."""
    first, last = samples[len(samples) // 5].pids, samples[-1].pids
    other = sorted(name for name in first | last if first.get(name) != last.get(name))
    return Verdict(f"processes that came or went: {', '.join(other) or 'none'}", not other)


def disk(samples: list[Sample], ring: Ring) -> Iterable[Verdict]:
    """The ring has turned, and what it left is gone."""
    removed = int(samples[-1].job["live"]["files"]["removed"])
    yield Verdict(f"ring files removed: {removed:,}", removed > 0)
    most, allowed = max(one.ring for one in samples), (ring.files + MORE_FILES) * ring.bytes
    yield Verdict(f"ring's files: {most / MIB:.1f} MiB at most, bound {allowed / MIB:.1f}", most <= allowed)
    for name, value in (
        ("index", lambda one: one.disk["index"]),
        ("captures and locators", lambda one: one.disk["captures"]),
        ("database", lambda one: one.database),
    ):
        before, after = fifths(samples, value)
        words = f"{name}: {before / MIB:.1f} MiB, later {after / MIB:.1f} ({(after - before) / MIB:+.1f})"
        yield Verdict(words, after <= before * (1 + STEADY) + FLAT_BYTES)
    before, after = fifths(samples, lambda one: one.batches)
    highest = max(one.batches for one in samples)
    words = f"rows of batches: {before:.0f}, later {after:.0f}, at most {highest}"
    yield Verdict(words, after <= before * (1 + STEADY) + 20)


def answers(asker: Asker) -> Verdict:
    """Whoever asked meanwhile had an answer."""
    took = sorted(asker.took) or [0.0]
    words = (
        f"queries and pages: {len(asker.took):,} answered (median {statistics.median(took) * 1000:.0f} ms, longest "
        f"{took[-1] * 1000:.0f} ms), {len(asker.failed)} failed{': ' + asker.failed[0] if asker.failed else ''}"
    )
    return Verdict(words, bool(asker.took) and not asker.failed)
