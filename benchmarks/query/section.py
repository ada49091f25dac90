# ruff: noqa: E501
"""The section of the page: every query of the list, asked of the product on both backends and of Pilosa, in turns."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.ingest import picap
from benchmarks.ingest.run import ended, upload
from benchmarks.live.product import Product
from benchmarks.query.asking import Peer, quantile
from benchmarks.query.crowd import Served, crowd
from benchmarks.query.lines import Line, ids_of, lines

Say = Callable[[str], None]
CALLS, TURNS = 1000, 10
WARM_UP_SECONDS, LINE_SECONDS = 5.0, 30.0  # of one who is slow; then it is asked less often
WARM_UP = 200  # as many values as there are in turn: of known values is asked
CLIENTS, CROWD_SECONDS = 32, 5.0
SETTLE_SECONDS = 15.0
COUNTED = 1  # the line that the crowd asks
DIRECT, PROXY, EMBEDDED = "Pilosa, asked directly", "the proxy onto Pilosa", "embedded"
ADDS = 0.7  # ms
CROWD = 4000  # queries a second


@dataclass
class Peers:
    """All who are asked about one capture: Pilosa first."""

    packets: int
    all: list[tuple[Peer, Callable[[Line, int], str]]]
    lines: list[Line]
    wrong: list[str] = field(default_factory=list)  # lines where Pilosa's own answer is not right


@contextmanager
def serving(capture: Path, packets: int, folder: Path, say: Say) -> Iterator[Peers]:
    """A capture in the product on both backends, at rest."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        address, _ = stack.enter_context(picap.pilosa(data / "pilosa"))
        products = []
        for name, settings in (("on-pilosa", {"INDEX_URL": f"pilosa://{address}"}), ("embedded", {})):
            product = stack.enter_context(Product(data / name, **settings))
            job = ended(product, upload(product, capture, "again=1&fields=picap&concurrency=0"))
            if job["state"] != "done" or job["packets"]["indexed"] != job["packets"]["read"]:
                raise RuntimeError(f"{name}: {job}")
            say(f"query: {packets:,} packets are {name}")
            products.append(product)
        time.sleep(SETTLE_SECONDS)  # batches are merged in the background
        asked = lines(products[1])
        ids = ids_of(products[0], asked)
        peers = [
            (Peer(DIRECT, int(address.rpartition(":")[2])), lambda line, i: line.ids(i, ids)),
            (Peer(PROXY, products[0].up.port), lambda line, i: line.values(i)),
            (Peer(EMBEDDED, products[1].up.port), lambda line, i: line.values(i)),
        ]
        yield Peers(packets, peers, asked)


def measured(captures: list[tuple[Path, int]], folder: Path, say: Say) -> str:
    """The section, of each of the captures."""
    parts = []
    for capture, packets in captures:
        with serving(capture, packets, folder, say) as peers:
            times = [latencies(peers, line, say) for line in peers.lines]
            served = [crowd_of(peers, at, say) for at in range(len(peers.all))]
            parts.append(_table(peers, times, served))
    return "\n".join([*_head(), *parts, "", f"`script/benchmark query`: {machine.described()}"])


def latencies(peers: Peers, line: Line, say: Say) -> list[list[float]]:
    """Milliseconds of every call, by peer; all are asked in turns, and must answer the same."""
    if not _compared(peers, line):
        peers.wrong.append(line.name)
    calls = CALLS
    times: list[list[float]] = [[] for _ in peers.all]
    for peer, text in peers.all:
        began = time.monotonic()
        for i in range(WARM_UP):
            peer.ask(text(line, i))
            if time.monotonic() - began > WARM_UP_SECONDS:
                calls = min(calls, max(TURNS, int(LINE_SECONDS * (i + 1) / WARM_UP_SECONDS)))
                break
    for turn in range(TURNS):
        for at, (peer, text) in enumerate(peers.all):
            times[at] += [peer.timed(text(line, i)) for i in range(turn * calls // TURNS, (turn + 1) * calls // TURNS)]
    said = ", ".join(f"{peer.name} {_cell(some)}" for (peer, _), some in zip(peers.all, times, strict=True))
    say(f"{peers.packets:,} packets: {line.name}: {said}")
    return times


def crowd_of(peers: Peers, at: int, say: Say) -> Served:
    """Many clients ask one peer for counts."""
    peer, text = peers.all[at]
    texts = [text(peers.lines[COUNTED], i) for i in range(200)]
    crowd(peer.port, texts, CLIENTS, 1.0)
    served = crowd(peer.port, texts, CLIENTS, CROWD_SECONDS)
    say(f"{CLIENTS} clients, {peer.name}: {served.rate:,.0f} queries/s, {served.errors} errors")
    return served


def _compared(peers: Peers, line: Line) -> bool:
    """Whether Pilosa says the same as the two others, which say the same.

    Its TopN(n=) takes n rows of every shard first, and so may miss some: asked for all rows and cut here, it must say what they say.
    Raises RuntimeError where it does not."""
    same = True
    for i in range(1 if line.large else 3):
        direct, *others = [_numbers(peer.results(text(line, i))[0]) for peer, text in peers.all]
        truth = direct
        if any(other != direct for other in others):
            peer, text = peers.all[0]
            same = False
            truth = _numbers(peer.results(re.sub(r", n=\d+", "", text(line, i)))[0])
            if isinstance(truth, list):
                truth = truth[: len(others[0])]
        if any(other != truth for other in others):
            raise RuntimeError(f"{line.name}: {[str(answer)[:300] for answer in (truth, *others)]}")
    return same


def _numbers(result: Any) -> Any:
    """What is the same in values and in row ids: the counts, and of a row its columns."""
    if isinstance(result, list):
        return sorted((item["count"] for item in result), reverse=True)
    if isinstance(result, dict) and "columns" in result:
        return result["columns"]
    return json.dumps(result)


def _cell(times: list[float]) -> str:
    return f"{quantile(times, 0.5):.2f} ({quantile(times, 0.99):.1f})"


def _head() -> list[str]:
    return [
        "## Queries",
        "",
        f"Milliseconds until the whole answer is there, p50 (p99) over {CALLS:,} calls (fewer, at least {TURNS}, of lines that would take one of them more than a minute), one connection that is kept alive, all three asked in turns about the same capture "
        f"(`make_capture.py`, picap's fields): Pilosa 1.4.1 in row ids, the product in values, through `POST /index/net/query`. *adds* is what the proxy's p50 is over Pilosa's (at most {ADDS} is wanted), *ratio* the embedded backend's p50 to Pilosa's (at most 1 is wanted).",
    ]


def _table(peers: Peers, times: list[list[list[float]]], served: list[Served]) -> str:
    rows = [
        "",
        f"{peers.packets:,} packets:",
        "",
        f"| query | {DIRECT} | {PROXY} | adds | {EMBEDDED} | ratio |",
        "| --- " * 6 + "|",
    ]
    for line, (direct, proxy, embedded) in zip(peers.lines, times, strict=True):
        middle = [quantile(some, 0.5) for some in (direct, proxy, embedded)]
        rows.append(
            f"| {line.name} | {_cell(direct)} | {_cell(proxy)} | {middle[1] - middle[0]:+.2f} | {_cell(embedded)} | {middle[2] / middle[0]:.2f} |"
        )
    rates = " | ".join(f"{one.rate:,.0f} queries/s, {one.errors} errors" for one in served[:2])
    rows.append(
        f"| {CLIENTS} clients at once, Count(Row(netsrc=)) | {rates} | | {served[2].rate:,.0f} queries/s, {served[2].errors} errors | |"
    )
    if peers.wrong:
        rows += [
            "",
            f"Pilosa's own answer misses rows (the greatest of each shard are not the greatest of all): {'; '.join(peers.wrong)}.",
        ]
    rows += ["", f"Wanted of {CLIENTS} clients: {CROWD:,} queries/s without an error; who asks has the same cores."]
    return "\n".join(rows)
