# ruff: noqa: E501
"""Does indexing stay as fast, and as small, as the capture grows? One long capture, looked at tenth by tenth."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import captures, machine
from benchmarks.ingest.run import KINDS, Ingested, Watch, ended, ingest, upload
from benchmarks.live.product import WORKERS, Connection, Product

PARTS = 10
SHORT = 1_000_000  # packets of the capture that the long one is compared with: its own beginning
_POLL_SECONDS = 0.25


def section(capture: Path, folder: Path, say: Callable[[str], None]) -> str:
    """The section of the page. Picap's fields, embedded."""
    packets = captures.packets_of(capture)
    head = captures.head(capture, min(SHORT, packets), folder)
    warm = captures.head(capture, min(400_000, packets), folder)
    with tempfile.TemporaryDirectory(dir=folder) as data, Product(Path(data)) as product:
        for _ in range(2):
            ended(product, upload(product, warm, "again=1&fields=picap&index=warm"))
        short = ingest(product, head, "picap")
        say(f"{short.packets:,} packets: {short.rate / 1e3:,.0f} k/s")
    with tempfile.TemporaryDirectory(dir=folder) as data, Product(Path(data)) as product:
        for _ in range(2):
            ended(product, upload(product, warm, "again=1&fields=picap&index=warm"))
        tenths = _Tenths(product, packets)
        long = ingest(product, capture, "picap")
        tenths.end()
        say(f"{long.packets:,} packets: {long.rate / 1e3:,.0f} k/s")
    return _page(short, long, tenths)


class _Tenths:
    """When each tenth of the capture's packets was indexed, and what the largest process of a kind had for itself then."""

    def __init__(self, product: Product, packets: int) -> None:
        self._product, self._packets = product, packets
        self._connection = Connection(product.up.port)  # its own: another thread waits for the job
        self.rates: list[float] = []
        self.memory: list[dict[str, int]] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="tenths", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._done.set()
        self._thread.join()

    def _indexed(self) -> int:
        said = self._connection.ask("GET", "/jobs/?index=net&limit=1")
        found = json.loads(said)["results"]
        return int(found[0]["packets"]["indexed"]) if found else 0

    def _look(self) -> None:
        watch = Watch(self._product, None)
        last_at, last = time.monotonic(), 0
        while len(self.rates) < PARTS and not self._done.wait(_POLL_SECONDS):
            now = self._indexed()
            if last == 0 and now == 0:
                last_at = time.monotonic()
            if now >= self._packets * (len(self.rates) + 1) / PARTS:
                at = time.monotonic()
                self.rates.append((now - last) / (at - last_at))
                last_at, last = at, now
                self.memory.append(watch.end()[1])
                watch = Watch(self._product, None)
        watch.end()


def _page(short: Ingested, long: Ingested, tenths: _Tenths) -> str:
    lines = [
        "## Growth",
        "",
        f"`manage.py up` with {WORKERS} workers, embedded, picap's fields; a capture of {long.packets:,} packets ({long.sizes['captures'] / 1e9:.1f} GB), and its first {short.packets:,} packets into another, empty folder before. "
        f"Rates are from the first scan to the last packet visible: {short.rate / 1e6:.3f} M packets/s for the short one, **{long.rate / 1e6:.3f} M** for the long one, **{long.rate / short.rate:.0%}** (target: 80 %). "
        "Memory: what the largest process of a kind had for itself (private and resident) at most meanwhile.",
        "",
        "| tenth | packets/s | largest worker | largest Postgres process | largest other process |",
        "| --- " * 5 + "|",
    ]
    for i, (rate, memory) in enumerate(zip(tenths.rates, tenths.memory, strict=True), start=1):
        parts = " | ".join(f"{memory.get(kind, 0) / 2**20:.0f} MiB" for kind in ("workers", "Postgres", "others"))
        lines.append(f"| {i} | {rate / 1e6:.3f} M | {parts} |")
    per = ", ".join(f"{part} {long.sizes[part] / long.packets:.2f}" for part in ("store", "translation", "locators", "batches"))
    cpu = ", ".join(f"{kind} {long.cpu[kind] * 1e6 / long.packets:.2f}" for kind in KINDS if long.cpu[kind])
    lines += ["", f"Bytes a packet: {per}. CPU seconds a million packets: {cpu}."]
    return "\n".join([*lines, "", f"`script/benchmark growth`: {machine.described()}"])
