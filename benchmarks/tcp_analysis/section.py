# ruff: noqa: E501
"""The section of the page: TCP packets per second of the second pass's loops on one core, beside tshark; bytes per conversation."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import captures, machine
from benchmarks.timing import Subject, measure, on_one_core, per_second
from capture.packets.batch import PacketBatch
from capture.packets.conversations import tcp
from capture.packets.conversations.contract import MOST_HELD
from capture.packets.conversations.tcp_segments import SEGMENT
from capture.packets.conversations.tcp_state import TcpState
from capture.packets.sources import open_capture

Say = Callable[[str], None]
BATCH_PACKETS = 65_536
TSHARK_PACKETS = 200_000  # of the same capture: tshark is slow
TARGET = 3e6  # TCP packets a second of the state's loop
MANY = 1_000_000  # conversations, for their memory
FLOOD = 4_000_000  # more than may be known at once


@dataclass
class Held:
    """A capture in memory: batches whose bytes are read, and their records."""

    batches: list[tuple[PacketBatch, int]]
    records: list[NDArray[Any]]

    @property
    def packets(self) -> int:
        return sum(len(batch) for batch, _ in self.batches)

    @property
    def segments(self) -> int:
        return sum(map(len, self.records))

    def find(self) -> int:
        """records() of every batch; how many segments."""
        return sum(len(tcp.records(batch, first)) for batch, first in self.batches)

    def analyse(self) -> tuple[TcpState, int]:
        """A state that took all records, and how much it found."""
        state = tcp.state(0, 1)
        return state, sum(len(state.take(records).field) for records in self.records)

    def both(self) -> int:
        """records() and the state's loop, batch by batch; how many segments."""
        state, count = tcp.state(0, 1), 0
        for batch, first in self.batches:
            records = tcp.records(batch, first)
            state.take(records)
            count += len(records)
        return count


def _held(capture: Path) -> Held:
    data = np.fromfile(capture, np.uint8)
    batches, first = [], 0
    with open_capture(capture) as source:
        for scanned in source.scan(BATCH_PACKETS):
            batches.append((PacketBatch(data, scanned.locator["offset"].astype(np.int64), scanned.locator), first))
            first += len(scanned.locator)
    return Held(batches, [tcp.records(batch, first) for batch, first in batches])


def measured(capture: Path, folder: Path, rounds: int, say: Say) -> str:
    """The section. Pins this process to one core."""
    if shutil.which("tshark") is None:
        raise SystemExit("tcp-analysis cannot be measured without tshark")
    on_one_core()
    held = _held(capture)
    sample = captures.head(capture, min(TSHARK_PACKETS, held.packets), folder)
    sampled = sum(len(tcp.records(batch, first)) for batch, first in _held(sample).batches)

    def tshark() -> int:
        command = ["tshark", "-n", "-2", "-r", str(sample), "-T", "fields", "-e", "tcp.analysis.flags"]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return sampled

    state, findings = held.analyse()
    subjects = [
        Subject("the state's loop", "records to findings: conversations, rules, round trips, handshakes", lambda: held.segments if held.analyse() else 0),
        Subject("records()", "packets in memory to records of TCP segments", held.find),
        Subject("both", "packets in memory to findings", held.both),
        Subject("tshark -2", f"`-T fields -e tcp.analysis.flags`, first {TSHARK_PACKETS:,} packets", tshark),
    ]
    measure(subjects, rounds, say)
    lines = [
        "## TCP analysis (second pass)",
        "",
        f"{held.packets:,} packets (`make_capture.py`), {held.segments:,} of them TCP, one core, batches of {BATCH_PACKETS:,} packets, code compiled; {rounds} rounds of all "
        "rows in turns after one that does not count. TCP packets per second: best and median by the clock, and of CPU time (median), which leaves out what others on the "
        f"machine took. {findings:,} findings.",
        "",
        "| what | does | best | median | per CPU second | target |",
        "| --- " * 6 + "|",
    ]
    for subject in subjects:
        target = per_second(TARGET) if subject is subjects[0] else ""
        lines.append(
            f"| {subject.name} | {subject.does} | {per_second(subject.best)} | {per_second(subject.median)} | **{per_second(subject.per_cpu)}** | {target} |"
        )
    many = _many()
    lines += [
        "",
        f"Per CPU second, records and loop together do {subjects[2].per_cpu / subjects[3].per_cpu:.0f} times as many as tshark, which dissects what lies above TCP, too.",
        "",
        "| memory of a state | conversations | bytes each | MB | MB stored |",
        "| --- | --- | --- | --- | --- |",
        _memory("after that capture (none forgotten)", state),
        _memory(f"after {MANY:,} SYNs of as many conversations", many),
        _memory("the same, stored and loaded", _loaded(many)),
        _memory(f"after {FLOOD:,} SYNs of as many conversations, where so many may be known", _many(FLOOD, 2 * FLOOD)),
        _memory(f"the same, with the usual bound of {MOST_HELD:,}", _many(FLOOD)),
        "",
        f"`script/benchmark tcp-analysis`: {machine.described()}",
    ]
    return "\n".join(lines)


def _memory(what: str, state: TcpState) -> str:
    """A row of the table of memory."""
    each, stored = state.memory() / state.conversations(), sum(array.nbytes for array in state.dump().values())
    return f"| {what} | {state.conversations():,} | {each:.0f} | {state.memory() / 1e6:,.0f} | {stored / 1e6:,.0f} |"


def _many(count: int = MANY, most: int = MOST_HELD) -> TcpState:
    """A state that was given very many conversations, each a SYN that waits, a microsecond after the one before."""
    records = np.zeros(count, SEGMENT)
    records["column"] = records["first_low"] = np.arange(count)
    records["time_ns"], records["flags"] = 1_700_000_000_000_000_000 + 1000 * np.arange(count), 2
    state = tcp.state(0, 1, most)
    state.take(records)
    return state


def _loaded(state: TcpState) -> TcpState:
    fresh = tcp.state(0, 1)
    fresh.load(state.dump())
    return fresh
