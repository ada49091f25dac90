"""The soak itself: a product, a wire, a job, people who ask, and a sample every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.live.product import PATIENCE, Product
from benchmarks.live.programs import packets_in
from benchmarks.live.wire import Sent, Wire
from benchmarks.soak import verdicts, watch
from benchmarks.soak.asking import Asker
from benchmarks.soak.verdicts import MIB, Ring, Verdict
from benchmarks.soak.watch import Sample

EVERY = 5.0

Say = Callable[[str], None]


@dataclass
class Soaked:
    """What came of it."""

    ring: Ring
    sent: Sent
    samples: list[Sample] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        return all(verdict.right for verdict in self.verdicts)


def soak(wire: Wire, folder: Path, seconds: float, rate: float, ring: Ring, say: Say) -> Soaked:
    """One soak; every moment of it is said."""
    with Product(folder / "data") as product:
        job = product.capture(wire.near, ring_files=ring.files, ring_bytes=ring.bytes)
        asker = Asker(product.up.port, job)
        asker.start()
        samples: list[Sample] = []
        began = time.monotonic()
        wire.start(rate, seconds)
        while time.monotonic() - began < seconds:
            samples.append(watch.sample(product, job, began))
            say(words(samples[-1]))
            time.sleep(max(0.0, min(began + EVERY * len(samples), began + seconds) - time.monotonic()))
        sent = wire.went()
        asker.end()
        said = product.caught_up(job, lambda: product.connection.job(job)["packets"]["read"] - waiting(product, job))
        product.connection.ask("POST", f"/jobs/{job}/stop/")
        said = _ended(product, job)
        samples.append(watch.sample(product, job, began))
        found = Soaked(ring, sent, samples, lines=product.up.lines)
        found.verdicts += verdicts.packets(sent.packets, said, counted(product, job), on_disk(product, job))
        found.verdicts += [*verdicts.disk(samples, ring), verdicts.stayed(samples), verdicts.answers(asker)]
        if seconds >= verdicts.LEAST_SECONDS:
            found.verdicts += verdicts.memory(samples[:-1])
    return found


def waiting(product: Product, job: int) -> int:
    """Packets that are scanned and in no answer yet."""
    query = f"SELECT coalesce(sum(packets), 0)::bigint FROM indexing_batch WHERE job = {job} AND state IN ('ready', 'claimed')"
    return int(product.sql(query))


def counted(product: Product, job: int) -> int:
    (count,) = product.connection.pql(f"Count(Row(job={job}))")
    return int(count)


def on_disk(product: Product, job: int) -> int:
    return sum(packets_in(path) for path in (product.data / "captures" / str(job) / "ring").iterdir())


def _ended(product: Product, job: int) -> dict[str, Any]:
    """The job once it has ended, and its ring has turned as far as it is to."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        said = product.connection.job(job)
        if said["finished"] and said["live"]["files"]["kept"] <= said["options"]["ring_files"]:
            return said
        time.sleep(0.2)
    raise RuntimeError(f"the job does not end: {said}")


def words(sample: Sample) -> str:
    """A sample in a line."""
    own = ", ".join(f"{name} {memory.anonymous / MIB:.0f}" for name, memory in sorted(sample.memory.items()))
    parts = ", ".join(f"{name} {size / MIB:.0f}" for name, size in sorted(sample.disk.items()) if size >= MIB)
    live = sample.job["live"]
    return (
        f"{sample.seconds:.0f} s: captured {live['captured']:,}, dropped {live['dropped_by_kernel']}, "
        f"lag {live['lag']['seconds']:.1f} s, ring {sample.ring_files} files of {sample.ring / MIB:.1f} MiB, "
        f"removed {live['files']['removed']}, batches {sample.batches}; "
        f"MiB of their own: {own}; on disk: {parts}, database {sample.database / MIB:.0f}"
    )
