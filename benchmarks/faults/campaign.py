"""The campaign: rounds of a few jobs and a few faults, each at a seeded random moment; then all is compared with a quiet run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults import ours
from benchmarks.faults.kinds import Kind
from benchmarks.faults.running import Running

FAULTS_A_ROUND = 3  # fewer than the attempts a batch has (indexing.batches.MAX_ATTEMPTS), or a scan
ENDED = ("done", "failed", "stopped")
OPTIONS = "bufsize={}"
COUNTED = ("read", "indexed", "filtered_out", "failed", "undecodable", "handed_over")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Quiet:
    """What an undisturbed run of a capture gave: digests by field, counters, seconds."""

    digests: dict[str, str]
    counted: dict[str, int]
    seconds: float


@dataclass
class Fault:
    """One that was injected: in which round, so many seconds after the orders, while the jobs were so far."""

    kind: Kind
    round: int
    after: float
    indexed: int
    right: bool = True


@dataclass
class Round:
    """What came of a round. wrong: in words, empty where all was as in the quiet run. retried: jobs that said why they could
    not go on, and were retried (by the API, as a person does)."""

    number: int
    faults: list[Fault] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    recovered: float = 0.0  # from the last fault to the end of the last job


@dataclass
class Campaign:
    """captures: the first is ordered in every round, and one of the others."""

    running: Running
    captures: Sequence[Path]
    seed: int
    say: Say
    batch_packets: int = 2000
    quiet: dict[Path, Quiet] = field(default_factory=dict)
    _last: list[int] = field(default_factory=list)

    def run(self, planned: Sequence[Kind], first: int = 1, only: int | None = None) -> Iterator[Round]:
        """The rounds of a plan, from the first on, or one of them alone."""
        self._rest()
        for number in range(first, 1 + -(-len(planned) // FAULTS_A_ROUND)):
            if only in (None, number):
                yield self._round(number, planned[(number - 1) * FAULTS_A_ROUND : number * FAULTS_A_ROUND])

    def _rest(self) -> None:
        """The quiet run, of each capture alone."""
        for again in range(2):  # the first run has caches to fill; of the second it is known that it is the same
            for capture in self.captures:
                began = time.monotonic()
                job = self._order(capture)
                said = self._ended(job, time.monotonic() + 180)
                seconds = time.monotonic() - began
                quiet = Quiet(self._digests(job), counters(said), seconds)
                if said["state"] != "done" or (again and quiet.digests != self.quiet[capture].digests):
                    raise RuntimeError(f"{capture.name} without any fault: {said}, {quiet}")
                self.quiet[capture] = quiet
                self._last.append(job)
                if again:
                    self.say(f"{capture.name}: {quiet.counted['indexed']:,} packets in {quiet.seconds:.1f} s undisturbed")

    def _round(self, number: int, kinds: Sequence[Kind]) -> Round:
        rng, found, began = random.Random(f"{self.seed}/{number}"), Round(number), time.monotonic()
        jobs: dict[int, Path] = {}
        try:
            for job in self._last:  # their deletion is disturbed as well
                self.running.delete(job)
            self._last = []
            ordered = self._order_some(rng, jobs)
            for kind in kinds:
                ordered = self._inject(rng, kind, jobs, ordered, found)
            last = time.monotonic()
            self._end(jobs, kinds, found)
            found.recovered = time.monotonic() - last
            self.running.until(self.running.serves, "/readyz")
            self._compare(jobs, found)
        except (TimeoutError, RuntimeError) as error:
            found.wrong.append(str(error))
        self._last = list(jobs)
        for fault in found.faults:
            fault.right = not found.wrong
        found.seconds = time.monotonic() - began
        self.say(words(found, self.seed))
        return found

    def _order(self, capture: Path) -> int:
        return self.running.order(capture, OPTIONS.format(self.batch_packets))

    def _order_some(self, rng: random.Random, jobs: dict[int, Path]) -> float:
        """Orders a round's jobs; when."""
        began = time.monotonic()
        for capture in (self.captures[0], rng.choice(self.captures[1:])):
            jobs[self._order(capture)] = capture
        return began

    def _inject(self, rng: random.Random, kind: Kind, jobs: dict[int, Path], ordered: float, found: Round) -> float:
        """A fault while there is work; where all had ended before its moment, more is ordered and a new moment drawn.

        The orders that it hit: when."""
        span = self.quiet[self.captures[0]].seconds
        while True:
            time.sleep(rng.uniform(0.0, span))
            said = [self.running.job(job) for job in jobs]
            if any(one is None or one["state"] not in ENDED for one in said):
                fault = Fault(
                    kind, found.number, time.monotonic() - ordered, sum(one["packets"]["indexed"] for one in said if one)
                )
                if self.running.until(lambda: kind.do(self.running, rng), kind.words, 60):
                    found.faults.append(fault)
                return ordered
            ordered, span = self._order_some(rng, jobs), span / 2  # the machine is quicker now than in the quiet run

    def _end(self, jobs: dict[int, Path], kinds: Sequence[Kind], found: Round) -> None:
        """Waits for all jobs; one that failed for want of disk is retried, one that failed for another reason is wrong."""
        until = time.monotonic() + 180
        for job in jobs:
            said = self._ended(job, until)
            while said["state"] == "failed" and len(found.retried) < 20:
                why = f"job {job}: {said['error']}"
                (found.retried if any(kind.disk for kind in kinds) else found.wrong).append(why)
                self.running.ask("POST", f"/jobs/{job}/retry/")
                said = self._ended(job, until)
            if said["state"] != "done":
                found.wrong.append(f"job {job} is {said['state']}: {said['error']}")

    def _ended(self, job: int, until: float) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            said = self.running.job(job)
            if said is None or said["state"] not in ENDED:
                return None
            passed = said["state"] != "done" or said["conversations"] is None or said["conversations"]["state"] == "done"
            return said if passed else None

        try:
            return dict(self.running.until(ended, f"the end of job {job}", until - time.monotonic()))
        except TimeoutError as error:
            raise TimeoutError(f"{error}; it is {self.running.job(job)}") from None

    def _digests(self, job: int) -> dict[str, str]:
        with ours.reading():
            return ours.digests(job)

    def _compare(self, jobs: dict[int, Path], found: Round) -> None:
        with ours.reading():
            found.wrong += ours.findings()
        for job, capture in jobs.items():
            quiet, said = self.quiet[capture], self.running.job(job)
            if said is None or counters(said) != quiet.counted:
                found.wrong.append(f"job {job}: {said and counters(said)} and not {quiet.counted}")
            digests = self._digests(job)
            other = sorted(name for name in quiet.digests.keys() | digests.keys() if quiet.digests.get(name) != digests.get(name))
            if other:
                shown = ", ".join(f"{name} {digests.get(name)} and not {quiet.digests.get(name)}" for name in other[:3])
                found.wrong.append(f"job {job}: {len(other)} fields are not as in the quiet run: {shown}")


def counters(job: dict[str, Any]) -> dict[str, int]:
    """Of a job as the API has it, those that a run decides."""
    return {name: int(job["packets"][name]) for name in COUNTED}


def words(found: Round, seed: int) -> str:
    """A round in a line; of one that went wrong, how to repeat it."""
    faults = "; ".join(f"{one.kind.words} after {one.after:.2f} s, {one.indexed:,} indexed" for one in found.faults)
    line = f"round {found.number}: {faults}; {found.seconds:.1f} s, {found.recovered:.1f} s after the last fault"
    if found.retried:
        line += f"; retried: {'; '.join(found.retried)}"
    if found.wrong:
        line += f"\n  WRONG (--seed {seed} --round {found.number}): " + "\n  ".join(found.wrong)
    return line
