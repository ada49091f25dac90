"""The embedded store: what a process, a disk and a second process can do to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from indexing.backends.base import SHARD_WIDTH, BackendAway, BackendError, BatchRange, FieldSchema
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.embedded_store import Overlap
from tests.indexing.backends.conftest import bits, of, row

FIELDS = [FieldSchema("proto", "set"), FieldSchema("length", "int", -(1 << 63), (1 << 63) - 1)]
LIVE = of("Count", of("Not", of("Union")))


@pytest.fixture
def store(tmp_path: Path):
    opened = EmbeddedBackend(tmp_path / "index")
    opened.ensure_index("net", FIELDS)
    yield opened
    opened.close()


def count(backend: EmbeddedBackend) -> int:
    return backend.query("net", [LIVE])[0].count  # type: ignore[union-attr]


def test_a_retry_replaces_what_the_batch_had(store: EmbeddedBackend) -> None:
    store.import_batch("net", bits(1, SHARD_WIDTH - 5, 10, proto=[(6, c) for c in range(10)], length={1: 5}))
    store.import_batch("net", bits(1, 100, 3, proto=[(17, 0)]))  # the same batch at other columns, with other fields
    top, total, live = store.query("net", [of("TopN", field="proto"), of("Sum", field="length"), LIVE])
    assert [(p.id, p.count) for p in top.pairs] == [(17, 1)]
    assert (total.value, total.count, live.count) == (0, 0, 3)
    assert store.batches("net") == [BatchRange(1, 100, 3)]


def test_columns_of_another_batch_are_refused_by_name(store: EmbeddedBackend) -> None:
    store.import_batch("net", bits(1, 100, 50))
    store.import_batch("net", bits(2, 200, 50))
    for first, length in [(149, 1), (90, 11), (120, 5), (90, 200), (249, 10), (160, 41)]:
        with pytest.raises(Overlap, match="overlap batch"):
            store.import_batch("net", bits(3, first, length))
    store.import_batch("net", bits(3, 150, 50))
    assert count(store) == 150


def test_sums_are_exact_beyond_64_bits(store: EmbeddedBackend) -> None:
    low, high = -(1 << 63), (1 << 63) - 1
    store.import_batch("net", bits(1, 0, 5, length={0: high, 1: high, 2: high - 1, 4: low}))
    total, least, greatest = store.query("net", [of(name, field="length") for name in ("Sum", "Min", "Max")])
    assert (total.value, total.count) == (high * 2 + high - 1 + low, 4)
    assert (least.value, least.count, greatest.value, greatest.count) == (low, 1, high, 2)


def test_shift_carries_columns_into_the_next_shard(store: EmbeddedBackend) -> None:
    store.import_batch("net", bits(1, SHARD_WIDTH - 2, 2, proto=[(6, 0), (6, 1)]))
    (answer,) = store.query("net", [of("Shift", row("proto", 6), n=1)])
    assert answer.columns.tolist() == [SHARD_WIDTH - 1, SHARD_WIDTH]


def test_everything_is_there_after_opening_again(store: EmbeddedBackend, tmp_path: Path) -> None:
    store.import_batch("net", bits(1, 0, 5, proto=[(6, 0)]))
    store.close()
    again = EmbeddedBackend(tmp_path / "index")
    assert count(again) == 5
    assert again.indexes() == {"net": FIELDS[::-1]}
    again.close()


def test_two_backends_of_a_process_share_a_store(store: EmbeddedBackend, tmp_path: Path) -> None:
    other = EmbeddedBackend(tmp_path / "index")
    other.import_batch("net", bits(1, 0, 5))
    assert count(store) == 5
    other.close()
    store.import_batch("net", bits(2, 5, 5))
    assert count(store) == 10


def test_a_forked_child_opens_the_store_for_itself(store: EmbeddedBackend) -> None:
    store.import_batch("net", bits(1, 0, 5))

    def child() -> None:
        store.import_batch("net", bits(2, 5, 5))
        os._exit(0 if count(store) == 10 else 1)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(120)
    assert process.exitcode == 0
    assert count(store) == 10


def test_a_fork_leaves_the_reads_of_other_threads_alone(store: EmbeddedBackend) -> None:
    store.import_batch("net", bits(1, 0, 5))
    wrong: list[object] = []
    done = threading.Event()

    def reader() -> None:
        while not done.is_set():
            if count(store) % 5:
                wrong.append("part of a batch")

    threads = [threading.Thread(target=reader) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        child = os.fork()
        if child == 0:
            os._exit(0 if count(store) >= 5 else 1)
        store.import_batch("net", bits(child, child * 10, 5))
        assert os.waitpid(child, 0)[1] == 0
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert count(store) == 55


WRITER = """
    import sys
    from pathlib import Path
    from indexing.backends.embedded import EmbeddedBackend
    from tests.indexing.backends.conftest import bits
    store, first, many = EmbeddedBackend(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
    for i in range(first, first + many):
        store.import_batch("net", bits(i, i * 100, 100, proto=[(i % 7, c) for c in range(100)]))
        print(i, flush=True)
"""


def writer(folder: Path, first: int, many: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(folder), str(first), str(many)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])


def test_processes_write_while_this_one_reads(store: EmbeddedBackend, tmp_path: Path) -> None:
    writers = [writer(tmp_path / "index", first, 30) for first in (0, 1000, 2000)]
    while any(process.poll() is None for process in writers):
        assert count(store) % 100 == 0  # never a part of a batch
    assert [process.wait() for process in writers] == [0, 0, 0]
    for process in writers:
        process.communicate()
    assert count(store) == 9000
    top = store.query("net", [of("TopN", field="proto")])[0]
    assert sum(pair.count for pair in top.pairs) == 9000


def test_a_killed_writer_loses_nothing_that_it_reported(store: EmbeddedBackend, tmp_path: Path) -> None:
    process = writer(tmp_path / "index", 0, 100_000)
    assert process.stdout is not None
    reported = [process.stdout.readline() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    reported += process.communicate()[0].splitlines()
    present = {batch.batch for batch in store.batches("net")}
    assert {int(line) for line in reported if line.strip()} <= present
    assert count(store) == 100 * len(present)
    store.import_batch("net", bits(200_000, 100_000_000, 5))  # and its lock is free
    assert count(store) == 100 * len(present) + 5


def test_a_full_store_says_so_and_keeps_what_it_had(tmp_path: Path) -> None:
    small = EmbeddedBackend(tmp_path / "small", map_size=1 << 20)
    small.ensure_index("net", FIELDS)
    small.import_batch("net", bits(1, 0, 10, proto=[(6, 0)]))

    def fill() -> None:
        for batch in range(2, 40):
            small.import_batch("net", bits(batch, batch * 10_000, 10_000, proto=[(c, c) for c in range(10_000)]))

    with pytest.raises(BackendError, match="full"):
        fill()
    before = count(small)
    assert before % 10_000 == 10
    small.hide_batches("net", [BatchRange(2, 20_000, 10_000)])
    assert count(small) == before - 10_000
    small.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendAway, match="file"):
        EmbeddedBackend(tmp_path / "file" / "index").indexes()


def test_a_file_that_is_not_a_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "data.mdb").write_bytes(b"not a store" * 4096)
    with pytest.raises(BackendError, match="damaged or not ours"):
        EmbeddedBackend(tmp_path / "index").indexes()
