# ruff: noqa: E501
"""The section of the page: every row of one run, side by side."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import machine
from benchmarks.ingest import picap
from benchmarks.ingest.run import Ingested, ended, ingest, upload
from benchmarks.ingest.scaling import Cost
from benchmarks.live.product import WORKERS, Product
from capture.packets.registry import select

Say = Callable[[str], None]
LARGE = 5_000_000  # from so many packets on, one round, and without picap: it takes minutes, at the same pace
WARM_UP = 400_000  # packets: two batches for each worker
TARGETS = {("embedded", "picap"): 2e6, ("embedded", "all"): 7e5, ("Pilosa", "picap"): 7e5}


@dataclass
class Row:
    """One subject on one capture: what its rounds gave."""

    name: str
    packets: int
    seconds: list[float] = field(default_factory=list)
    cpu: list[str] = field(default_factory=list)
    found: Ingested | None = None
    target: float | None = None
    fields: int = 0

    @property
    def best(self) -> float:
        return self.packets / min(self.seconds)

    @property
    def median(self) -> float:
        return self.packets / statistics.median(self.seconds)


def measured(
    captures: list[tuple[Path, int]], head: Path, folder: Path, rounds: int, anchors: Path | None, say: Say
) -> tuple[str, list[Cost]]:
    """Every subject on every capture, `rounds` rounds of all of them in turns. head: some batches, for warming up.
    anchors: the folder with picap, built; None: it is built here.

    The section, and what the last (and largest) capture cost."""
    program = picap.built(anchors or folder / "anchors")
    rows: list[Row] = []
    for capture, packets in captures:
        ours = [
            (
                backend,
                preset,
                Row(f"{backend}, {preset} fields", packets, [], [], None, TARGETS.get((backend, preset)), len(select([preset]))),
            )
            for backend in ("embedded", "Pilosa")
            for preset in ("picap", "all")
        ]
        theirs = [(parsers, Row(f"picap, {parsers} parser{'s' if parsers > 1 else ''}", packets)) for parsers in (1, 2)]
        for turn in range(rounds if packets < LARGE else 1):
            for backend, preset, row in ours:
                found = one(backend, preset, capture, head, folder)
                row.seconds.append(found.seconds)
                row.cpu.append(_cpu(found))
                row.found = found
                say(f"round {turn + 1}: {row.name}, {packets:,} packets: {found.rate / 1e3:,.0f} k/s ({row.cpu[-1]})")
            for parsers, row in theirs if program and packets < LARGE else ():
                seconds, own, server = picap.run(program, capture, folder, parsers)  # type: ignore[arg-type]
                row.seconds.append(seconds)
                row.cpu.append(f"picap {own:.1f}, Pilosa {server:.1f}")
                say(f"round {turn + 1}: {row.name}, {packets:,} packets: {packets / seconds / 1e3:,.1f} k/s ({row.cpu[-1]})")
        rows += [row for _, _, row in ours] + [row for _, row in theirs if row.seconds]
    last = captures[-1][1]
    costs = [Cost(row.name, row.found, row.fields) for row in rows if row.found and row.packets == last]
    return _page(rows, program is not None), costs


def one(backend: str, preset: str, capture: Path, head: Path, folder: Path) -> Ingested:
    """A capture through a product on an empty folder: all values are new to it."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        server = None
        settings = {}
        if backend == "Pilosa":
            address, server = stack.enter_context(picap.pilosa(data / "pilosa"))
            settings["INDEX_URL"] = f"pilosa://{address}"
        product = stack.enter_context(Product(data / "data", **settings))
        # Workers that have worked before have their memory; what they know of values is another index's.
        for _ in range(2):
            ended(product, upload(product, head, f"again=1&fields={preset}&index=warm"))
        return ingest(product, capture, preset, server, data / "pilosa" if server is not None else None)


def _cpu(found: Ingested) -> str:
    return ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in found.cpu.items() if seconds >= 0.05)


def _page(rows: list[Row], with_picap: bool) -> str:
    lines = [
        "## Capture file to queryable",
        "",
        f"`manage.py up` with {WORKERS} workers on an empty folder for each measurement, durable Postgres, default batches; captures of `make_capture.py`, uploaded before the clock starts. "
        "Seconds from the first scan to the last packet visible, as the job's row has them; every value of the capture is new to its index; the workers have indexed 400,000 packets into another one before. The Pilosa server (1.4.1, one node) shares the cores. "
        "picap is the original program into a Pilosa of its own, from its start to its end (12 fields, mapping in memory), on the smaller capture. CPU seconds are of the last round.",
        "",
        "| subject | packets | best | median | as picap (2 parsers) | CPU seconds | most private memory of a worker | target |",
        "| --- " * 8 + "|",
    ]
    for row in rows:
        reference = next((other for other in rows if other.name.startswith("picap, 2")), None)
        times = f"{row.median / reference.median:.1f} x" if reference is not None else ""
        memory = f"{row.found.peak.get('workers', 0) / 2**20:.0f} MiB" if row.found else ""
        target = f"{row.target / 1e6:.1f} M" if row.target else ""
        lines.append(
            f"| {row.name} | {row.packets:,} | {row.best / 1e6:.3f} M | **{row.median / 1e6:.3f} M** | {times} | {row.cpu[-1]} | {memory} | {target} |"
        )
    lines += [
        "",
        "Bytes a packet on disk:",
        "",
        "| subject | packets | embedded store | translation table | locators | batch rows | capture |",
    ]
    lines.append("| --- " * 7 + "|")
    for row in rows:
        if row.found:
            sizes = row.found.sizes
            parts = " | ".join(
                f"{sizes[part] / row.packets:.2f}" for part in ("store", "translation", "locators", "batches", "captures")
            )
            lines.append(f"| {row.name} | {row.packets:,} | {parts} |")
    if not with_picap:
        lines += ["", "Not measured: picap needs Go, the libpcap headers and ../shared/anchors."]
    return "\n".join([*lines, "", f"`script/benchmark ingest`: {machine.described()}"])
