"""One capture through the whole product, from its first scan to its last packet visible; what it cost by process and on disk."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.live.product import Product

SAMPLE_SECONDS = 0.1
PATIENCE = 1800.0
KINDS = ("workers", "Postgres", "Pilosa", "others")


@dataclass
class Ingested:
    """seconds: from the first scan to the last packet visible. cpu: seconds, by kind of process; peak: bytes that one process of
    the kind had for itself at most (private and resident). sizes: bytes on disk, by what they are."""

    packets: int
    seconds: float
    cpu: dict[str, float]
    peak: dict[str, int]
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Packets a second."""
        return self.packets / self.seconds


def ingest(
    product: Product, capture: Path, preset: str, pilosa: psutil.Process | None = None, store: Path | None = None
) -> Ingested:
    """Uploads a capture to a product at rest, and waits for its job; `sizes` is what that added. store: Pilosa's folder.

    Raises RuntimeError where the job is not done as asked."""
    before = sizes(product, store)
    watch = Watch(product, pilosa)
    job = upload(product, capture, f"again=1&fields={preset}&concurrency=0")
    said = ended(product, job)
    cpu, peak = watch.end()
    if said["state"] != "done" or said["packets"]["indexed"] != said["packets"]["read"]:
        raise RuntimeError(f"job {job}: {said}")
    packets = int(said["packets"]["indexed"])
    counted = product.connection.pql(f"Count(Row(job={job}))")[0]
    if counted != packets:
        raise RuntimeError(f"{packets} packets are indexed, a query counts {counted}")
    grown = {part: size - before[part] for part, size in sizes(product, store).items()}
    return Ingested(packets, _seconds(said), cpu, peak, grown)


def upload(product: Product, capture: Path, query: str) -> int:
    """Sends a capture as a raw body; the number of its job."""
    connection = http.client.HTTPConnection("127.0.0.1", product.up.port, timeout=PATIENCE)
    headers = {
        "Host": product.connection.host,
        "Content-Type": "application/vnd.tcpdump.pcap",
        "Content-Length": str(capture.stat().st_size),
        "Accept": "application/json",
    }
    with capture.open("rb") as file:
        connection.request("POST", f"/jobs/?{query}&name=capture.pcap", file, headers)
        answer = connection.getresponse()
        said = answer.read()
    connection.close()
    if answer.status != 202:
        raise RuntimeError(f"POST /jobs/: {answer.status}: {said[:300]!r}")
    return int(json.loads(said)["id"])


def ended(product: Product, job: int) -> dict[str, Any]:
    """The job once it has ended. It is asked for seldom: the web processes have the same cores as the workers."""
    until = time.monotonic() + PATIENCE
    while not (said := product.connection.job(job))["finished"]:
        if time.monotonic() > until:
            raise RuntimeError(f"job {job} does not end: {said}")
        time.sleep(SAMPLE_SECONDS)
    return said


def _seconds(said: dict[str, Any]) -> float:
    return (datetime.fromisoformat(said["finished"]) - datetime.fromisoformat(said["started"])).total_seconds()


class Watch:
    """CPU and memory of the product's processes from now on until `end`."""

    def __init__(self, product: Product, pilosa: psutil.Process | None) -> None:
        self._product, self._pilosa = product, pilosa
        self._began = dict(self._cpu())
        self._peak: dict[str, int] = defaultdict(int)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="watch", daemon=True)
        self._thread.start()

    def end(self) -> tuple[dict[str, float], dict[str, int]]:
        """CPU seconds and most bytes, by kind."""
        self._done.set()
        self._thread.join()
        cpu: dict[str, float] = dict.fromkeys(KINDS, 0.0)
        for (kind, pid), seconds in self._cpu():
            cpu[kind] += seconds - self._began.get((kind, pid), 0.0)
        return cpu, dict(self._peak)

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        for process in self._product.processes():
            try:
                name, line = process.name(), " ".join(process.cmdline())
            except psutil.Error:
                continue
            yield "Postgres" if "postgres" in name else "workers" if "celery" in line else "others", process
        if self._pilosa is not None:
            yield "Pilosa", self._pilosa

    def _cpu(self) -> Iterator[tuple[tuple[str, int], float]]:
        for kind, process in self._processes():
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            # What has ended since is in its parent's: Postgres makes a process a connection.
            ended = times.children_user + times.children_system if kind == "Postgres" else 0.0
            yield (kind, process.pid), times.user + times.system + ended

    def _sample(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            for kind, process in self._processes():
                try:
                    memory = process.memory_info()
                except psutil.Error:
                    continue
                self._peak[kind] = max(self._peak[kind], memory.rss - memory.shared)


def sizes(product: Product, store: Path | None = None) -> dict[str, int]:
    """Bytes on disk: of captures, locators, the translation table with its indexes, batch rows, the embedded store's file."""
    captures = product.data / "captures"
    locators = sum(file.stat().st_size for file in captures.glob("*/locators/*"))
    everything = sum(file.stat().st_size for file in captures.rglob("*") if file.is_file())
    relation = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c WHERE c.relname = '%s'"
    store = store or product.data / "index"
    return {
        "captures": everything - locators,
        "locators": locators,
        "translation": int(product.sql(relation % "indexing_translationvalue")),
        "batches": int(product.sql(relation % "indexing_batch")),
        "store": on_disk(store),
    }


def on_disk(folder: Path) -> int:
    """Bytes that the files of a folder take, holes left out; 0 where there is none."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())
