# ruff: noqa: E501
"""Many small captures: uploaded one after the other, and one alone at rest."""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.ingest.run import Watch, sizes
from benchmarks.live.product import WORKERS, Product
from capture.packets.sources import open_capture

PACKETS = 20
AT_REST = 20  # single files, one at a time
POLL_SECONDS = 0.005
PATIENCE = 300.0


@dataclass
class Small:
    """seconds: from the first upload's first byte to the end of the last job; alone: of single files at rest, from POST to done."""

    jobs: int
    posted: float
    seconds: float
    alone: list[float]
    cpu: dict[str, float]
    shards: int
    sizes: dict[str, int]


def pieces(capture: Path, count: int, packets: int = PACKETS) -> Iterator[bytes]:
    """`count` pcap files of the capture's next `packets` packets each."""
    with capture.open("rb") as file, open_capture(capture) as source:
        head = file.read(24)
        scan = source.scan(packets)
        for _ in range(count):
            locator = next(scan).locator
            begin = int(locator["offset"][0]) - 16  # with its record's header
            end = int(locator["offset"][-1]) + int(locator["captured_length"][-1])
            file.seek(begin)
            yield head + file.read(end - begin)


def measured(capture: Path, folder: Path, jobs: int, preset: str) -> Small:
    """Uploads `jobs` captures of PACKETS packets to a product on an empty folder. Raises RuntimeError where a job is not done."""
    with tempfile.TemporaryDirectory(dir=folder) as name, Product(Path(name) / "data") as product:
        files = list(pieces(capture, jobs + 2 * AT_REST))
        client = _Client(product, preset)
        for body in files[: AT_REST // 2]:
            client.until_done(client.post(body))
        alone = []
        for body in files[AT_REST : 2 * AT_REST]:
            time.sleep(0.1)
            began = time.monotonic()
            client.until_done(client.post(body))
            alone.append(time.monotonic() - began)
        watch = Watch(product, None)
        began = time.monotonic()
        last = 0
        for body in files[2 * AT_REST :]:
            last = client.post(body)
        posted = time.monotonic() - began
        client.until_all_done(jobs + AT_REST + AT_REST // 2)
        seconds = time.monotonic() - began
        cpu, _ = watch.end()
        counted = product.connection.pql("Count(Not(Row(job=0)))")[0]
        if counted != (jobs + AT_REST + AT_REST // 2) * PACKETS:
            raise RuntimeError(f"{counted} packets are counted after job {last}")
        shards = int(product.sql("SELECT (max(next_column) + 1048575) / 1048576 FROM indexing_packetindex"))
        return Small(jobs, posted, seconds, alone, cpu, shards, sizes(product))


class _Client:
    """One connection that is kept alive."""

    def __init__(self, product: Product, preset: str) -> None:
        self._product, self._preset = product, preset
        self._connection = http.client.HTTPConnection("127.0.0.1", product.up.port, timeout=60)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        kind = {"Content-Type": "application/vnd.tcpdump.pcap"} if body else {}
        self._connection.request(
            method, path, body, {"Host": self._product.connection.host, "Accept": "application/json", **kind}
        )
        answer = self._connection.getresponse()
        said = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path}: {answer.status}: {said[:300]!r}")
        return json.loads(said)

    def post(self, body: bytes) -> int:
        return int(self._ask("POST", f"/jobs/?again=1&fields={self._preset}", body)["id"])

    def until_done(self, job: int) -> None:
        until = time.monotonic() + PATIENCE
        while not (said := self._ask("GET", f"/jobs/{job}/"))["finished"]:
            if time.monotonic() > until:
                raise RuntimeError(f"job {job} does not end: {said}")
            time.sleep(POLL_SECONDS)
        if said["state"] != "done":
            raise RuntimeError(f"job {job}: {said}")

    def until_all_done(self, jobs: int) -> None:
        until = time.monotonic() + PATIENCE
        while (done := self._product.sql("SELECT count(*) FROM capture_job WHERE state = 'done'")) < jobs:
            if time.monotonic() > until:
                raise RuntimeError(f"{done} of {jobs} jobs are done")
            time.sleep(0.05)


def section(capture: Path, folder: Path, jobs: int, say: Any) -> str:
    """The section of the page."""
    rows = []
    for preset in ("picap", "all"):
        found = measured(capture, folder, jobs, preset)
        p50, worst = statistics.median(found.alone), max(found.alone)
        rate = found.jobs / found.seconds
        cpu = ", ".join(f"{kind} {1e3 * seconds / found.jobs:.1f}" for kind, seconds in found.cpu.items() if seconds >= 0.05)
        rows.append(
            f"| {preset} | {found.jobs:,} | {found.jobs / found.posted:.0f} | **{rate:.0f}** | {p50 * 1e3:.0f} ms | {worst * 1e3:.0f} ms "
            f"| {cpu} | {found.shards} | {found.sizes['store'] / 1e6:.1f} MB |"
        )
        say(rows[-1])
    title = (
        f"`manage.py up` with {WORKERS} workers on an empty folder; captures of {PACKETS} packets each, sent one after the other over one "
        "connection. *Jobs a second*: until the last one is done. *Alone*: one file, nothing else to do, from POST to done."
    )
    head = "| fields | jobs | sent a second | jobs a second | alone, median | alone, worst | CPU ms a job | shards | store |"
    by = f"`script/benchmark small`: {machine.described()}"
    return "\n".join(
        ["## Small captures", "", title, "", head, "| --- " * 9 + "|", *rows, "", "Targets: 50 jobs a second; 300 ms.", "", by]
    )
