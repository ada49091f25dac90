"""script/soak: its verdicts, and what it reads from the kernel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.soak import verdicts, watch
from benchmarks.soak.verdicts import MIB, Ring
from benchmarks.soak.watch import Memory, Sample
from tests.benchmarks.test_live import live_job

ROLLUP = """55d0-7ffd ---p 00000000 00:00 0                          [rollup]
Rss:              102400 kB
Pss:               51200 kB
Pss_Dirty:         20480 kB
Pss_Anon:          40960 kB
Pss_File:          10240 kB
"""


def samples(**changes: dict) -> list[Sample]:
    """Ten of a steady run; changes: of the later half."""

    def one(number: int) -> Sample:
        values = {
            "memory": {"web": Memory(60 * MIB, 50 * MIB, 40 * MIB)},
            "pids": {"web": 7},
            "disk": {"index": 5 * MIB, "captures": 9 * MIB},
            "ring": 8 * MIB,
            "ring_files": 4,
            "batches": 10,
            "database": 30 * MIB,
            "job": {"live": {"files": {"removed": number}}},
        }
        return Sample(5.0 * number, **{**values, **(changes if number >= 5 else {})})  # type: ignore[arg-type]

    return [one(number) for number in range(10)]


def wrong(found) -> list[str]:
    return [verdict.words for verdict in found if not verdict.right]


def everything(found: list[Sample]) -> list[str]:
    return wrong([*verdicts.disk(found, Ring(4, 2 * MIB)), *verdicts.memory(found), verdicts.stayed(found)])


def test_a_steady_run_is_right() -> None:
    assert everything(samples()) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"memory": {"web": Memory(0, 0, 51 * MIB)}}, "web"),
        ({"pids": {"web": 8}}, "processes"),
        ({"pids": {}}, "processes"),
        ({"ring": 13 * MIB}, "ring's files"),
        ({"disk": {"index": 15 * MIB, "captures": 9 * MIB}}, "index"),
        ({"disk": {"index": 5 * MIB, "captures": 22 * MIB}}, "captures"),
        ({"database": 47 * MIB}, "database"),
        ({"batches": 40}, "rows of batches"),
        ({"job": {"live": {"files": {"removed": 0}}}}, "ring files removed"),
    ],
)
def test_what_grows_is_named(changes: dict, word: str) -> None:
    (words,) = everything(samples(**changes))
    assert words.startswith(word)


def test_a_process_that_was_not_there_at_first_is_compared_with_itself() -> None:
    found = samples(memory={"web": Memory(0, 0, 40 * MIB), "worker": Memory(0, 0, 90 * MIB)})
    assert wrong(verdicts.memory(found)) == ["worker: 0.0 MiB of its own, later 90.0 (+90.0)"]


def ended(**changed: int) -> dict:
    return {**live_job(dropped_by_kernel=0, received=8, **changed), "state": "stopped"}


def test_packets_that_are_lost_anywhere_are_named() -> None:
    job = ended()
    job["live"]["interfaces"] = [{**job["live"]["interfaces"][0], "dropped_kernel": 0, "received": 8}]
    assert wrong(verdicts.packets(8, job, 5, 5)) == []
    assert wrong(verdicts.packets(9, job, 5, 5)) == ["sent 9 = received 8"]
    assert wrong(verdicts.packets(8, job, 4, 5)) == ["indexed 5 = counted by a query 4"]
    assert wrong(verdicts.packets(8, job, 5, 6)) == ["indexed 5 = in the ring's files 6"]
    assert wrong(verdicts.packets(8, {**job, "state": "failed"}, 5, 5)) == ["the job has ended as failed"]


def test_memory_is_what_the_kernel_says() -> None:
    assert watch.parsed(ROLLUP) == Memory(100 * MIB, 50 * MIB, 40 * MIB)
    assert watch.memory_of(os.getpid()).anonymous > MIB


@pytest.mark.parametrize(
    ("command", "service"),
    [
        ("/x/bin/postgres -D /y", "postgres"),
        ("postgres: checkpointer ", "postgres"),
        ("/x/valkey-server *:0", "valkey"),
        ("python /x/manage.py live", "live worker"),
        ("python -m celery --quiet -A picapweb.celery worker --pool prefork", "worker"),
        ("python -m celery --quiet -A picapweb.clock beat --loglevel WARNING", "clock"),
        ("python -m granian picapweb.wsgi:application", "web"),
        ("python /x/manage.py up --port 1", "up"),
        ("sleep 1", "other"),
    ],
)
def test_processes_are_known_by_their_command_lines(command: str, service: str) -> None:
    assert watch.service_of(command) == service


def test_disk_is_what_is_allocated(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x" * 100_000)
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(1 << 30)
    assert 100_000 <= watch.allocated(tmp_path) < 1 << 20
