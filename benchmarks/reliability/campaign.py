"""One fault after the other under load, each with what the people saw of it and how long it took until all was well again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from benchmarks.faults.running import Running
from benchmarks.reliability.faults import Fault
from benchmarks.reliability.load import Load, Upload, answers, found_in, is_found

AROUND_SECONDS = 6.0  # how long people are there before a fault and after all is well again
WELL_SECONDS = 180.0  # longer than this, it has not recovered

Say = Callable[[str], None]


@dataclass
class Seen:
    """One fault as people saw it. recovered: seconds from its end until /readyz says so and a capture that was uploaded then is
    indexed. Counts of answers: see load.Tally. lost: in words what was lost, doubled or wrong."""

    words: str
    right: int = 0
    away: int = 0
    refused: int = 0
    jobs: int = 0
    packets: int = 0
    recovered: float = 0.0
    seconds: float = 0.0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Campaign:
    """captures: with their packets; the first is what queriers ask about. around: seconds, as AROUND_SECONDS.

    What is right is asked once, before the first fault: what one fault spoils, and nobody sees at once, the next one shows."""

    def __init__(
        self,
        running: Running,
        captures: Sequence[tuple[Path, int]],
        uploaders: int,
        queriers: int,
        seed: int,
        say: Say,
        around: float = AROUND_SECONDS,
    ) -> None:
        self._running, self._captures, self._seed, self._say = running, captures, seed, say
        self._uploaders, self._queriers, self._around = uploaders, queriers, around
        path, packets = captures[0]
        self.job = self.indexed(path, packets)
        self._expected = answers(running.up.port, self.job)
        self.uploads = [self._upload(path, packets) for path, packets in captures[1:]]

    def _upload(self, path: Path, packets: int) -> Upload:
        job = self.indexed(path, packets)
        status, said = self._running.ask("GET", f"/jobs/{job}/health/")
        if status != 200:
            raise RuntimeError(f"job {job}: {status}: {said}")
        self._running.delete(job)
        return Upload(path, packets, found_in(said))

    def indexed(self, path: Path, packets: int) -> int:
        job = self._running.order(path, "bufsize=2000")

        def ended() -> bool:
            said = self._running.job(job)
            if said is not None and said["state"] in ("failed", "stopped"):
                raise RuntimeError(f"job {job}: {said['error']}")
            return said is not None and said["state"] == "done" and said["packets"]["indexed"] == packets and is_found(said)

        self._running.until(ended, f"the end of job {job}", WELL_SECONDS)
        return job

    def run(self, faults: Sequence[Fault]) -> Iterator[Seen]:
        for number, fault in enumerate(faults):
            yield self._one(fault, number)

    def _one(self, fault: Fault, number: int) -> Seen:
        seen, began = Seen(fault.words), time.monotonic()
        port = self._running.up.port
        with Load(port, self._expected, self.uploads, self._uploaders, self._queriers, self._seed + 100 * number) as load:
            time.sleep(self._around)
            try:
                with cast(AbstractContextManager[None], fault.lasts(self._running)):
                    pass
                ended = time.monotonic()
                self._running.until(self._running.serves, "/readyz", WELL_SECONDS)
                path, packets = self._captures[1]
                self._running.delete(self.indexed(path, packets))
                seen.recovered = time.monotonic() - ended
            except (TimeoutError, RuntimeError) as error:
                seen.wrong.append(str(error))
            time.sleep(self._around)
        tally = load.tally
        seen.right, seen.away, seen.refused, seen.jobs, seen.packets = (
            tally.right,
            tally.away,
            tally.refused,
            load.jobs,
            load.packets,
        )
        seen.wrong += tally.wrong
        seen.slowest = max(tally.seconds, default=0.0)
        seen.seconds = time.monotonic() - began
        try:
            for (question, now), (_, before) in zip(answers(port, self.job), self._expected, strict=True):
                if now != before:
                    seen.wrong.append(f"afterwards: {question}: {now}, and before {before}")
        except (RuntimeError, OSError) as error:
            seen.wrong.append(f"afterwards: {error}")
        self._say(line(seen))
        return seen


def line(seen: Seen) -> str:
    """A fault in a line, and what was wrong in more."""
    words = (
        f"{seen.words}: {seen.right} right answers, {seen.away} x 503 with Retry-After, {seen.refused} without an answer, "
        f"{seen.jobs} jobs of {seen.packets:,} packets; well again after {seen.recovered:.1f} s"
    )
    if seen.wrong:
        words += f"\n  WRONG ({len(seen.wrong)}): " + "\n  ".join(seen.wrong[:8])
    return words
