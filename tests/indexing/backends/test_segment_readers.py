"""Processes that read while another imports, deletes and compacts: every answer is that of a state between two commits."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np

from indexing.backends.base import BatchBits, BatchRange, FieldSchema, IntBits, SetBits
from indexing.backends.embedded import EmbeddedBackend
from tests.indexing.backends.conftest import of, row

FIELDS = [FieldSchema("one", "set"), FieldSchema("odd", "set"), FieldSchema("length", "int", 0, 10)]
COLUMNS = 6
ASKED = [
    of("Count", of("Not", of("Union"))),
    of("Count", row("one", 1)),
    of("Sum", field="length"),
    of("TopN", field="odd"),
    of("Count", of("Intersect", row("one", 1), row("odd", 1))),
    of("GroupBy", of("Rows", field="one"), of("Rows", field="odd")),
]


def batch(number: int) -> BatchBits:
    """Every column has one=1 and length=1; half of them odd=1."""
    first = number * COLUMNS
    columns = np.arange(first, first + COLUMNS, dtype=np.uint64)
    ones = np.ones(COLUMNS, np.uint64)
    odd = columns[::2]
    fields = {
        "one": SetBits(ones, columns),
        "odd": SetBits(np.ones(odd.size, np.uint64), odd),
        "length": IntBits(columns, ones.astype(np.int64)),
    }
    return BatchBits(number + 1, first, COLUMNS, fields)


def wrong(backend: EmbeddedBackend) -> str:
    """What is wrong with one set of answers; nothing if they are of one state."""
    live, one, total, top, both, groups = backend.query("net", ASKED)
    count = live.count  # type: ignore[union-attr]
    found = [
        count % COLUMNS,
        one.count - count,  # type: ignore[union-attr]
        total.value - count,  # type: ignore[union-attr]
        total.count - count,  # type: ignore[union-attr]
        sum(pair.count for pair in top.pairs) * 2 - count,  # type: ignore[union-attr]
        both.count * 2 - count,  # type: ignore[union-attr]
        sum(group.count for group in groups.groups) * 2 - count,  # type: ignore[union-attr]
    ]
    return f"{count} columns: {found}" if any(found) else ""


def read(backend: EmbeddedBackend, done, asked, failures) -> None:
    """A forked child: it opens the store for itself."""
    while not done.is_set():
        said = wrong(backend)
        if said:
            failures.put(said)
            return
        with asked.get_lock():
            asked.value += 1


def write(path: Path) -> None:
    backend = EmbeddedBackend(path)
    rng = np.random.default_rng(1)
    held: set[int] = set()
    while True:
        number = int(rng.integers(0, 300))
        if number in held and rng.random() < 0.5:
            backend.hide_batches("net", [BatchRange(number + 1, number * COLUMNS, COLUMNS)])
            held.remove(number)
        else:
            backend.import_batch("net", batch(number))
            held.add(number)
        if rng.random() < 0.2:
            backend.compact()


def test_four_processes_read_while_one_writes_until_it_is_killed(tmp_path: Path) -> None:
    backend = EmbeddedBackend(tmp_path / "index")
    backend.ensure_index("net", FIELDS)
    for number in range(100):
        backend.import_batch("net", batch(number))
    context = multiprocessing.get_context("fork")
    done, asked, failures = context.Event(), context.Value("i", 0), context.Queue()
    readers = [context.Process(target=read, args=(backend, done, asked, failures)) for _ in range(4)]
    writer = multiprocessing.get_context("spawn").Process(target=write, args=(tmp_path / "index",))
    for process in (*readers, writer):
        process.start()
    try:
        before = backend.status()["transaction"]
        until = time.monotonic() + 300
        while time.monotonic() < until and failures.empty():
            if backend.status()["transaction"] > before + 300 and asked.value > 200:
                break
            time.sleep(0.05)
    finally:
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        done.set()
        for process in (*readers, writer):
            process.join(120)
    assert failures.empty(), failures.get()
    assert asked.value > 50
    assert all(process.exitcode == 0 for process in readers)
    while backend.compact():
        assert wrong(backend) == ""
    assert wrong(backend) == ""
    with backend._opened().read() as snapshot:
        segments = list(snapshot.segments("net", 0))
    assert segments, "something was compacted"
    backend.close()
