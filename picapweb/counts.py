"""What processes count: requests, questions, batches. /metrics of any web process adds up what all of them have counted.

Counting must cost nothing beside a query of 0.1 ms: it is an append to a queue. A thread of the process takes the queue in and
writes what it has counted since it began to a file of its own, once a second where something changed. What a process had counted
that has ended is put into one file, by whoever reads: counters only ever grow, whoever is killed (but for the second before it).
A process holds a lock on its file while it lives: its process id would say nothing in another container. See
docs/decisions/0040-counting.md.
"""

from __future__ import annotations

import atexit
import fcntl
import itertools
import json
import os
import socket
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

SAVE_SECONDS = 1.0
# Upper bounds of a histogram's buckets, in seconds.
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True)
class Family:
    """A metric. kind: counter, histogram (of seconds), or gauge (only of processes that live)."""

    kind: str
    words: str
    labels: tuple[str, ...] = ()


FAMILIES = {
    "picapweb_http_requests": Family("counter", "Requests that were answered", ("view", "method", "status")),
    "picapweb_http_request_seconds": Family("histogram", "How long requests took, up to the answer's first byte", ("view",)),
    "picapweb_query_seconds": Family("histogram", "How long the index took for a question, by its call", ("call",)),
    "picapweb_indexed_packets": Family("counter", "Packets that became visible"),
    "picapweb_batch_seconds": Family("histogram", "How long a worker had a batch"),
    "picapweb_query_cache_lookups": Family("counter", "What was looked for in the query cache", ("result",)),
    "picapweb_query_cache_bytes": Family("gauge", "What processes keep of the index between queries, at most"),
    "picapweb_database_pool_connections": Family("gauge", "Connections to Postgres in the web processes' pools", ("state",)),
    "picapweb_database_pool_waiting": Family("gauge", "Requests that wait for a connection of a pool"),
}
# Functions, by name: what they give ({(family, labels): number}) is of the process that they are called in.
FIGURES = ["picapweb.figures.cache", "picapweb.figures.pool"]
Key = tuple[str, tuple[str, ...]]
# Of a counter or gauge its number; of a histogram the counts of its buckets and one more for what is beyond, then the sum.
Totals = dict[Key, list[float]]

_queue: deque[tuple[str, tuple[str, ...], float]] = deque()


def add(name: str, labels: tuple[str, ...] = (), amount: float = 1) -> None:
    """Counts up a counter, or puts an observation (seconds) into a histogram."""
    _queue.append((name, labels, amount))
    if _process.thread is None:
        _process.begin()


@contextmanager
def timed(name: str, labels: tuple[str, ...] = ()) -> Iterator[None]:
    """Observes how long the block takes, if it does not raise."""
    began = time.perf_counter()
    yield
    add(name, labels, time.perf_counter() - began)


@dataclass
class _Process:
    """What this process has counted."""

    totals: Totals = field(default_factory=dict)
    thread: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    file: Path | None = None
    held: int | None = None
    saved: str = ""

    def begin(self) -> None:
        with self.lock:
            if self.thread is None:
                self.thread = threading.Thread(target=self._keep_saving, name="counts", daemon=True)
                self.thread.start()

    def _keep_saving(self) -> None:
        while _process is self:
            time.sleep(SAVE_SECONDS)
            if _process is self:
                self.save()

    def take_in(self) -> None:
        while True:
            try:
                name, labels, amount = _queue.popleft()
            except IndexError:
                return
            if FAMILIES[name].kind != "histogram":
                self.totals.setdefault((name, labels), [0])[0] += amount
                continue
            cells = self.totals.setdefault((name, labels), [0] * (len(BOUNDS) + 1) + [0.0])
            cells[bisect_left(BOUNDS, amount)] += 1
            cells[-1] += amount

    def save(self) -> None:
        """Brings the file up to date. A disk that is full or away is no reason to stop counting."""
        with self.lock:
            self.take_in()
            try:
                # Put together outside: figures ask caches and pools, which are of this process.
                text = json.dumps([[*key, cells] for key, cells in {**self.totals, **_figures()}.items()])
                if text == self.saved:
                    return
                folder = _folder()
                if self.file is None or self.file.parent != folder:
                    self._open(folder)
                assert self.file is not None
                _write(self.file, text)
                self.saved = text
            except OSError:
                return

    def _open(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number in itertools.count():
            name = f"{socket.gethostname()}-{os.getpid()}-{number}".replace("/", "_")
            held = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _try_lock(held) and not (folder / f"{name}.json").exists():
                if self.held is not None:
                    os.close(self.held)
                self.file, self.held = folder / f"{name}.json", held
                return
            os.close(held)


_process = _Process()


def save() -> None:
    """Now, and not within a second: at a process's end, and before it is asked for a sum."""
    _process.save()


def _forget() -> None:
    """A forked child has counted nothing, and has no threads."""
    global _process
    _queue.clear()
    if _process.held is not None:
        os.close(_process.held)
    _process = _Process()


os.register_at_fork(after_in_child=_forget)
atexit.register(save)


def _figures() -> Totals:
    found: Totals = {}
    for name in FIGURES:
        function: Callable[[], dict[Key, float]] = import_string(name)
        found.update({key: [number] for key, number in function().items()})
    return found


def everybody() -> Totals:
    """What all processes on this data folder have counted, those that have ended included; gauges of those that live.

    Raises OSError."""
    save()
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        gone = folder / "gone.json"
        sums, ended = _read_gone(gone)
        living: list[Totals] = []
        for file in sorted(folder.glob("*.json")):
            if file != gone and file.name not in ended:
                living.append(_read(file))
                if _has_ended(file):
                    # Read again: it may have written between the two.
                    living.pop()
                    _sum(sums, _read(file), gauges=False)
                    ended.append(file.name)
        if ended:
            _write(gone, json.dumps({"counted": [[*key, cells] for key, cells in sums.items()], "ended": ended}))
            for name in ended:
                (folder / name).unlink(missing_ok=True)
                (folder / name).with_suffix(".lock").unlink(missing_ok=True)
            # What is not there any more cannot be counted twice.
            _write(gone, json.dumps({"counted": [[*key, cells] for key, cells in sums.items()], "ended": []}))
    for one in living:
        _sum(sums, one, gauges=True)
    return sums


def _sum(into: Totals, more: Totals, *, gauges: bool) -> None:
    for key, cells in more.items():
        if gauges or FAMILIES[key[0]].kind != "gauge":
            into[key] = [a + b for a, b in zip(into[key], cells, strict=True)] if key in into else list(cells)


def _has_ended(file: Path) -> bool:
    try:
        held = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        return _try_lock(held)
    finally:
        os.close(held)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(file: Path) -> Totals:
    try:
        return _known(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _read_gone(file: Path) -> tuple[Totals, list[str]]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return _known(said["counted"]), list(said["ended"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}, []


def _known(rows: Sequence[Any]) -> Totals:
    """Rows of a file that are of this version: another one may have had other metrics, labels or buckets."""
    found: Totals = {}
    for name, labels, cells in rows:
        family = FAMILIES.get(name)
        if family is None or len(labels) != len(family.labels):
            continue
        if len(cells) == (len(BOUNDS) + 2 if family.kind == "histogram" else 1):
            found[name, tuple(labels)] = cells
    return found


def _write(file: Path, text: str) -> None:
    """All of it or nothing: whoever reads it meanwhile finds the one before."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _folder() -> Path:
    return Path(settings.PICAPWEB_DATA) / "metrics"
