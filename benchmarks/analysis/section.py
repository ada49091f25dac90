# ruff: noqa: E501
"""The section of the page: every question of the list, asked of the product over HTTP and of DuckDB, in turns."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import captures, machine
from benchmarks.analysis import table
from benchmarks.analysis.lines import Known, Line, lines, tshark_filter
from benchmarks.ingest.run import ended, upload
from benchmarks.live.product import Product
from benchmarks.query.asking import quantile
from capture.packets.sources import open_capture
from proxy.analysis.widths import SECOND_NS, chosen
from proxy.moments import written

Say = Callable[[str], None]
CALLS, TURNS, WARM_UP = 60, 6, 8
SLOW_SECONDS, FEW = 1.0, 12  # what takes that long is asked so often
COMPARED = 2
BINS = 200
SETTLE_SECONDS = 20.0
TSHARK_PACKETS = 200_000
PORTS = 30


@dataclass
class Both:
    """The product and DuckDB with the same packets."""

    product: Product
    database: duckdb.DuckDBPyConnection
    known: Known
    load_seconds: float
    size: int

    def ask(self, path: str) -> Any:
        """The product's answer."""
        return json.loads(self.product.connection.ask("GET", path))

    def rows(self, sql: str) -> list[Any]:
        """DuckDB's answer, all of it."""
        return self.database.execute(sql).fetchall()


def measured(capture: Path, packets: int, folder: Path, say: Say) -> str:
    """The section."""
    with serving(capture, packets, folder, say) as both:
        table_ = [(line, *latencies(both, line, say)) for line in lines(both.known)]
        tshark = _tshark(both, capture, packets, folder, say)
    return "\n".join([*_head(packets, both), *map(_row, table_), "", tshark, "", _by()])


@contextmanager
def serving(capture: Path, packets: int, folder: Path, say: Say) -> Iterator[Both]:
    """Both halves of a capture as jobs of the product, and in a table, at rest."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        halves = _halves(capture, packets, Path(made))
        with Product(Path(made) / "product") as product:
            jobs = []
            for half in halves:
                job = ended(product, upload(product, half, "again=1&concurrency=0"))
                if job["state"] != "done" or job["packets"]["indexed"] != job["packets"]["read"]:
                    raise RuntimeError(f"{half}: {job}")
                jobs.append(job)
            say(f"analysis: {packets:,} packets are indexed")
            began = time.monotonic()
            file = Path(made) / "packets.duckdb"
            database = table.made(halves, file)
            seconds = time.monotonic() - began
            say(f"analysis: {packets:,} packets are in DuckDB's table, in {seconds:.0f} s")
            time.sleep(SETTLE_SECONDS)  # batches are merged in the background
            ports = [
                row[0]
                for row in database.execute(
                    "SELECT transdst FROM packets WHERE transproto = 'TCP' AND transdst IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 "
                    f"LIMIT {PORTS}"
                ).fetchall()
            ]
            first, last, cut = database.execute(
                'SELECT min("time"), max("time"), min("time") FILTER (half = 1) FROM packets'
            ).fetchall()[0]
            width = max(1, chosen(first, last, BINS) // SECOND_NS)
            known = Known((jobs[0]["id"], jobs[1]["id"]), ports, packets, written(cut // SECOND_NS * SECOND_NS), width)
            yield Both(product, database, known, seconds, file.stat().st_size)
            database.close()


def _halves(capture: Path, packets: int, folder: Path) -> list[Path]:
    """The first and the second half of a pcap file."""
    first = captures.head(capture, packets // 2, folder)
    with open_capture(capture) as source:
        at, begin = 0, 0
        for batch in source.scan(packets // 2):
            at += len(batch.locator)
            begin = int(batch.locator["offset"][-1]) + int(batch.locator["captured_length"][-1])
            break
    second = folder / "second.pcap"
    with capture.open("rb") as source_file, second.open("wb") as out:
        out.write(source_file.read(24))
        source_file.seek(begin)
        shutil.copyfileobj(source_file, out, 1 << 22)
    return [first, second]


def latencies(both: Both, line: Line, say: Say) -> tuple[list[float], list[float]]:
    """Milliseconds of every call: ours, DuckDB's. Where answers can be compared they must be the same. Raises RuntimeError."""
    for i in range(COMPARED):
        if line.numbers is not None and line.rows is not None and line.sql is not None:
            ours, theirs = line.numbers(both.ask(line.path(i))), line.rows(both.rows(line.sql(i)))
            if ours != theirs:
                raise RuntimeError(f"{line.name}: {str(ours)[:400]} and {str(theirs)[:400]}")
    askers: list[Callable[[int], Any]] = [lambda i: both.product.connection.ask("GET", line.path(i))]
    if line.sql is not None:
        sql = line.sql
        askers.append(lambda i: both.rows(sql(i)))
    slowest = 0.0
    for ask in askers:
        for i in range(WARM_UP):
            began = time.perf_counter()
            ask(1000 + i)
            took = time.perf_counter() - began
            if i and took > SLOW_SECONDS:
                break
        slowest = max(slowest, took)
    calls = FEW if slowest > SLOW_SECONDS else CALLS
    times: list[list[float]] = [[] for _ in askers]
    for turn in range(TURNS):
        for at, ask in enumerate(askers):
            for i in range(turn * calls // TURNS, (turn + 1) * calls // TURNS):
                began = time.perf_counter()
                ask(i)
                times[at].append(1e3 * (time.perf_counter() - began))
    say(f"{line.name}: " + ", ".join(f"{name} {_cell(some)}" for name, some in zip(("ours", "DuckDB"), times, strict=False)))
    return times[0], times[1] if len(times) > 1 else []


def _tshark(both: Both, capture: Path, packets: int, folder: Path, say: Say) -> str:
    """What tshark takes for the first line's filter, on the head of the same file."""
    if shutil.which("tshark") is None:
        return "tshark is not installed here."
    some = min(packets, TSHARK_PACKETS)
    head = captures.head(capture, some, folder)
    text = tshark_filter(0, both.known.ports)
    began = time.monotonic()
    done = subprocess.run(["tshark", "-n", "-r", str(head), "-Y", text], capture_output=True, check=True)
    seconds = time.monotonic() - began
    found = done.stdout.count(b"\n")
    head.unlink()
    say(f"tshark: {seconds:.1f} s for {some:,} packets")
    return (
        f"`tshark -n -Y '{text}'` on the first {some:,} packets of the file: {seconds:.1f} s ({found:,} packets found), "
        f"which is {seconds * packets / some:,.0f} s for all of them at that pace."
    )


def _cell(times: list[float]) -> str:
    return f"{quantile(times, 0.5):.1f} ({quantile(times, 0.99):.1f})" if times else ""


def _row(measured_: tuple[Line, list[float], list[float]]) -> str:
    line, ours, theirs = measured_
    ratio = f"{quantile(theirs, 0.5) / quantile(ours, 0.5):.2g}" if theirs else ""
    return (
        f"| {line.name} | **{_cell(ours)}** | {_cell(theirs)} | {ratio} | {'' if line.target is None else f'{line.target:g}'} |"
    )


def _head(packets: int, both: Both) -> list[str]:
    return [
        "## Analysis",
        "",
        f"{packets:,} packets (`make_capture.py`), indexed with all fields as two jobs, each a half. Milliseconds until the whole answer is there, p50 (p99) over {CALLS} calls ({FEW} where one takes a second), other values each time so that no answer is one that was kept, after {WARM_UP} that do not count. Ours: the embedded store, HTTP over one connection that is kept alive. DuckDB {duckdb.__version__}: in this benchmark's own process, without HTTP, its default threads, a table in a file of {both.size / 1e6:,.0f} MB of {len(table.SET_FIELDS)} of our fields, time and length, filled from the fast dissector's own batches in {both.load_seconds:.0f} s. Both are asked in turns, and counts, tops and histograms were equal. DuckDB compares its {len(table.SET_FIELDS)} fields, we all of ours. Targets are for ten million packets; those of counts, tops, histograms and cross-tables are what DuckDB took another day.",
        "",
        "| | ours | DuckDB | times as fast | target |",
        "| --- | --- | --- | --- | --- |",
    ]


def _by() -> str:
    return f"`script/benchmark analysis`: {machine.described()}"
