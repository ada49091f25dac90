"""From the wire to the answer: the whole product captures and indexes, and is asked meanwhile how far it is."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.live.counters import adding_up
from benchmarks.live.delays import NS, Wholeness, delays, quantiles, wholeness
from benchmarks.live.polling import Poller
from benchmarks.live.product import Product
from benchmarks.live.wire import Sent, Wire
from capture.packets.sources import open_capture

PATIENCE = 120.0
SETTLED = 5.0  # seconds: by then workers have loaded what they need for their first batch
STOPPED_AFTER = 3.0  # seconds of traffic before the stop that is timed

Say = Callable[[str], None]


@dataclass(frozen=True)
class Case:
    """rate: packets a second. fields: as the job names them."""

    rate: int
    fields: str


@dataclass(frozen=True)
class Latency:
    """What came of a case. p50, p99, highest: seconds from capture to answer. slowest: seconds since the first packet when
    the one with the highest was captured. settled: p99 of packets from SETTLED on. received, dropped, captured: by the product's
    own counters. lag: the longest that it said itself. values: new ones in the translation table. asking: seconds of a poll
    (median). cpu: cores that the product kept busy. halt, end: seconds from the stop until nothing more was captured, and
    until the job had ended."""

    case: Case
    sent: Sent
    received: int
    dropped: int
    captured: int
    p50: float
    p99: float
    highest: float
    slowest: float
    settled: float
    whole: Wholeness
    lag: float
    values: int
    asking: float
    cpu: float
    halt: float
    end: float


def measured(case: Case, wire: Wire, folder: Path, seconds: float, say: Say) -> Latency:
    """One case, in a product of its own, so that all values are new to it."""
    target = Path(tempfile.mkdtemp(dir=folder))
    try:
        with Product(target / "data") as product:
            found = _measured(case, wire, product, seconds)
    finally:
        shutil.rmtree(target, ignore_errors=True)
    say(
        f"{case.fields}, {case.rate:,}: {found.sent.rate:,.0f} packets/s sent, p50 {found.p50:.2f} s, p99 {found.p99:.2f} s, "
        f"max {found.highest:.2f} s (after {found.slowest:.1f} s; p99 from {SETTLED:g} s on {found.settled:.2f} s), "
        f"{found.dropped} dropped, {found.sent.packets - found.captured} not captured, "
        f"seconds whole in time {found.whole.whole} of {found.whole.seconds}, CPU {found.cpu:.2f}, "
        f"{found.values:,} new values, halt {found.halt:.2f} s, end {found.end:.2f} s"
    )
    return found


def _measured(case: Case, wire: Wire, product: Product, seconds: float) -> Latency:
    before = product.new_values()
    job = product.capture(wire.near, fields=[case.fields])
    poller = Poller(product.up.port, job)
    poller.start()
    time.sleep(1)
    used, began, lag = _cpu(product), time.monotonic(), 0.0
    wire.start(case.rate, seconds)
    while time.monotonic() - began < seconds:
        time.sleep(1)
        lag = max(lag, float(product.connection.job(job)["live"]["lag"]["seconds"]))
    sent = wire.went()
    cpu = (_cpu(product) - used) / (time.monotonic() - began)
    said = product.caught_up(job, lambda: poller.count)["live"]
    values = product.new_values() - before
    time.sleep(3)  # the last second is asked for, too
    poller.end()
    halt, end = _stopped(product, wire, job, case.rate)
    times = capture_times(product.data / "captures" / str(job) / "ring")[: said["captured"]]
    late = delays(times, poller.polls)
    p50, p99, highest = quantiles(late)
    since = (times - times[0]) / NS
    slowest, settled = float(since[late.argmax()]), quantiles(late[since >= SETTLED])[1]
    asking = statistics.median((poll.answered - poll.asked) / NS for poll in poller.polls)
    counted = (said["received"], said["dropped_by_kernel"], said["captured"])
    whole = wholeness(times, poller.seconds)
    return Latency(case, sent, *counted, p50, p99, highest, slowest, settled, whole, lag, values, asking, cpu, halt, end)


def _stopped(product: Product, wire: Wire, job: int, rate: int) -> tuple[float, float]:
    """Seconds from a stop amid traffic until nothing more is captured, and until the job has ended."""
    wire.start(rate)
    time.sleep(STOPPED_AFTER)
    began = time.monotonic()
    product.connection.ask("POST", f"/jobs/{job}/stop/")
    halt = None
    while True:
        said = product.connection.job(job)
        if halt is None and not said["live"]["capturing"]:
            halt = time.monotonic() - began
        if said["finished"]:
            break
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError(f"the job does not end: {said}")
        time.sleep(0.02)
    end = time.monotonic() - began
    wire.stop()
    wire.went()
    if wrong := [words for words, right in adding_up(said) if not right]:
        raise RuntimeError(f"{'; '.join(wrong)}: {said}")
    return halt or end, end


def capture_times(folder: Path) -> NDArray[np.int64]:
    """When the packets of ring files were captured, ns since 1970, in the order of their numbers."""
    found: list[NDArray[Any]] = []
    for path in sorted(folder.iterdir()):
        with open_capture(path) as source:
            found += [batch.locator["time_ns"].astype(np.int64) for batch in source.scan(1 << 18)]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _cpu(product: Product) -> float:
    """CPU seconds of all processes of the product, those that have ended included."""
    total = 0.0
    for process in product.processes():
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total
