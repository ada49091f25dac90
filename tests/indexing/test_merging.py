"""Small batches of a live capture become few: nobody notices, whoever is killed or deleted meanwhile."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.models import F, Sum
from django.test import Client

from capture.models import Job
from capture.packets.locator import write_locator
from capture.packets.registry import FIELDS
from capture.services import control, progress, work
from indexing import batches, merging, retired_locators, store
from indexing.backends.base import BackendAway, BatchRange
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.embedded_ints import IntFragment
from indexing.calls import Call, CountResult, RowRef
from indexing.fragment import decode
from indexing.merge_plan import SMALL_PACKETS
from indexing.models import Batch, BatchState
from proxy.ask import ask_text
from proxy.locate import batch_of, column_of, packet_bytes
from proxy.one_packet import one_packet
from tests.indexing.masking import live
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
PACKETS = 136
SIZE = 3  # packets of a batch: 45 of them, and one more


@pytest.fixture(autouse=True)
def _nobody_rests():
    merging._resting.clear()
    retired_locators._swept = 0.0


def live_job(path: Path, size: int = SIZE, **options: Any) -> Job:
    """A job whose batches are small, as those of a live capture; of picap's few fields, for the sake of time."""
    job = run_job(path, **{"bufsize": size, "again": True, "fields": "picap"} | options)
    Batch.objects.filter(job=job.pk).update(urgent=True)
    return job


def merge_all(settled: bool = True) -> int:
    """Merges until there is nothing to merge; how often."""
    times = 0
    while merging.merge_once(lambda _: settled):
        times += 1
    return times


def ended(_: Batch) -> bool:
    return True


def small_rows(job: Job) -> int:
    return Batch.objects.filter(job=job.pk).count()


def count(job: Job) -> int:
    row = Call("Row", args={"row": RowRef("job", job.pk)})
    call = Call("Intersect", [row, live()]) if store.backend().masked else row
    result = store.backend().query(job.index, [Call("Count", [call])])[0]
    assert isinstance(result, CountResult)
    return result.count


def held(index: str = "net") -> list[BatchRange]:
    backend = store.backend()
    assert isinstance(backend, EmbeddedBackend)
    return backend.batches(index)


def rows_as_held(job: Job) -> list[BatchRange]:
    rows = Batch.objects.filter(job=job.pk, packets__gt=0).order_by("pk")
    return [BatchRange(*row) for row in rows.values_list("pk", "first_column", "packets")]


def counters(job: Job) -> list[Any]:
    job.refresh_from_db()
    progress.recount(job)
    said = [getattr(job, field.name) for field in Job._meta.fields if field.name.startswith(("packets_", "bytes_"))]
    times = Batch.objects.filter(job=job.pk).aggregate(Sum("read"))
    return [said, times, batches.totals(job.pk), batches.column_ranges(job.pk), batches.not_indexed(job.pk)]


def answers(job: Job) -> list[Any]:
    """Tops, sums and rows of every seventh field (bits_of looks at all), and of a few columns."""
    found: list[Any] = []
    for name, field in [*list(FIELDS.items())[::7], ("length", FIELDS["length"])]:
        asked = f"Sum(field={name})" if field.kind == "int" else f"TopN({name}, n=0)"
        found.append(ask_text(job.index, asked).results)
    columns = np.arange(batches.column_ranges(job.pk)[0][0], batches.column_ranges(job.pk)[-1][1] + 1, dtype=np.uint64)
    for name in ("netsrc", "transdst", "job"):
        found.append([part.tolist() for part in store.backend().rows_of_columns(job.index, name, columns)])
    return found


def all_bytes() -> list[bytes]:
    """The packets of the only job."""
    found = [(batch_of("net", column), column) for column in range(PACKETS)]
    return [packet_bytes(batch, column)[0] for batch, column in found if batch is not None]


def packets(job: Job) -> list[Any]:
    """Packets of the job as their pages show them: some of the first, the last, the second and the last but one of a batch."""
    first, last = batches.column_ranges(job.pk)[0]
    return [one_packet(job.index, column).as_json() for column in {*range(first, last + 1, 24), first + 1, last - 1, last}]


def test_a_job_of_many_small_batches_answers_as_before_when_they_are_few(index, shared):
    run_job(shared / CAPTURE, index=index)
    job = run_job(shared / CAPTURE, index=index, again=True, bufsize=SIZE)
    run_job(shared / CAPTURE, index=index, again=True)
    client = Client(headers={"host": "localhost"})
    number = Batch.objects.filter(job=job.pk, packets__gt=0).order_by("sequence")[7].first_number + 1

    def page() -> bytes:
        answer = client.get(f"/jobs/{job.pk}/packets/{number}/", headers={"accept": "application/json"})
        assert answer.status_code in (200, 302)
        return answer.content + answer.headers.get("location", "").encode()

    def look() -> list[Any]:
        found = [column_of(job.pk, n) for n in range(1, PACKETS + 1)]
        return [answers(job), counters(job), found, page(), count(job)]

    before, pages, last = look(), packets(job), batches.last_sequence(job.pk)
    assert small_rows(job) == 46
    for came in (17, 33, 46):
        Batch.objects.filter(job=job.pk).update(urgent=False)
        Batch.objects.filter(job=job.pk, sequence__lt=came).update(urgent=True)
        while merging.merge_once(ended):
            assert look() == before
    assert small_rows(job) == 2, "the youngest stays by itself"
    assert batches.last_sequence(job.pk) == last
    assert (look(), packets(job)) == (before, pages)
    assert not Batch.objects.filter(job=job.pk, urgent=True).exists(), "nobody looks at them any more"
    others = Batch.objects.exclude(job=job.pk)
    assert sorted(others.values_list("packets", flat=True)) == [PACKETS, PACKETS]
    control.delete(job)
    assert count(job) == 0
    work.until_idle()
    assert not Batch.objects.filter(job=job.pk).exists()


def bits_of(job: Job) -> dict[tuple[str, int], list[Any]]:
    """(field, first packet of the batch) -> its bits or values, by packet of the job."""
    base = batches.column_ranges(job.pk)[0][0]
    found: dict[tuple[str, int], list[Any]] = {}
    with store.backend()._opened().read() as snapshot:
        for name, field in FIELDS.items():
            for batch in snapshot.batches(job.index):
                first, blob = batch.first_column, snapshot.blob(job.index, name, 0, batch)
                if blob is None or name in ("job", "flow") or not base <= first < base + PACKETS:
                    continue  # job and flow have the job's own number in them
                if field.kind == "int":
                    values = IntFragment(blob)
                    found[name, first - base] = [(values.columns - base).tolist(), values.sum(None), values.maximum]
                else:
                    position = decode(blob)
                    found[name, first - base] = [
                        (position >> np.uint64(20)).tolist(),
                        (position % np.uint64(1 << 20) - base).tolist(),
                    ]
    return found


def test_the_store_is_as_if_the_batch_had_been_large_from_the_start(data, shared):
    whole = run_job(shared / CAPTURE, bufsize=SIZE * (PACKETS // SIZE))
    job = live_job(shared / CAPTURE, fields="all")  # of the same index, so that row ids are the same
    assert merge_all() > 0
    large, merged_bits = bits_of(whole), bits_of(job)
    assert len(large) > 20
    assert merged_bits == large
    merged, undisturbed = (Batch.objects.filter(job=one.pk).order_by("sequence").first() for one in (job, whole))
    assert merged is not None and undisturbed is not None
    for name in (*merging._SUMMED, *merging._FIRST, *merging._LAST, "dissector", "not_indexed"):
        assert getattr(merged, name) == getattr(undisturbed, name), name
    assert (data / merged.locator).read_bytes() == (data / undisturbed.locator).read_bytes()


def test_batches_that_let_no_packet_in_join_their_neighbours(data, shared):
    job = live_job(shared / CAPTURE)
    before = [packets(job), counters(job)]
    Batch.objects.filter(job=job.pk).update(sequence=F("sequence") * -2 - 1)
    Batch.objects.filter(job=job.pk).update(sequence=-F("sequence"))
    template = Batch.objects.filter(job=job.pk).first()
    assert template is not None
    nothing = dict.fromkeys(["first_number", "last_number", "first_time_ns", "last_time_ns"])
    for i in range(46):
        Batch.objects.create(
            index=template.index,
            job=job.pk,
            sequence=2 * i,
            state=BatchState.VISIBLE,
            capture=template.capture,
            locator=f"captures/{job.pk}/locators/{2 * i:06d}-9",
            fields=template.fields,
            dissector="fast",
            first_column=10**6,
            packets=0,
            read=1000,
            filtered_out=1000,
            urgent=True,
            **nothing,
        )
    totals = batches.totals(job.pk)
    assert merge_all() > 0
    assert batches.totals(job.pk) == totals
    assert [packets(job), counters(job)[3]] == [before[0], before[1][3]]
    rows = list(Batch.objects.filter(job=job.pk).order_by("sequence").values_list("sequence", "packets", "filtered_out"))
    assert rows == [(0, 135, 46_000), (91, 1, 0)]
    assert held() == rows_as_held(job)
    Batch.objects.filter(job=job.pk).update(urgent=True)
    control.delete(job)
    assert held() == []


@contextmanager
def crash_before_rows_are_committed(monkeypatch):
    """The store commits, and then the process is gone."""
    backend = store.backend()
    real = backend.merge_batches

    def commit_and_die(*args: Any) -> None:
        real(*args)
        raise BackendAway("killed")

    with monkeypatch.context() as patch:
        patch.setattr(backend, "merge_batches", commit_and_die)
        yield
    merging._resting.clear()


def half_done(job: Job, monkeypatch) -> None:
    """The store has one batch where there are rows of sixteen and more."""
    rows = rows_as_held(job)
    with crash_before_rows_are_committed(monkeypatch):
        assert not merging.merge_once()
    assert rows_as_held(job) == rows
    assert len(held()) < len(rows) - 10


def test_who_dies_between_the_two_commits_leaves_right_answers_and_the_next_one_ends_it(data, shared, monkeypatch):
    job = live_job(shared / CAPTURE)
    before = [answers(job), packets(job), counters(job)]
    half_done(job, monkeypatch)
    assert [answers(job), packets(job), counters(job)] == before
    assert merge_all() > 0
    assert [answers(job), packets(job), counters(job)] == before
    assert small_rows(job) == 2
    assert held() == rows_as_held(job)


def test_the_rows_follow_the_store_where_the_next_plan_is_another_one(data, shared, monkeypatch):
    """A batch before those of the half-done merge becomes visible only now: the run would begin with it."""
    job = live_job(shared / CAPTURE)
    before = [answers(job), packets(job), counters(job)]
    rows = Batch.objects.filter(job=job.pk)
    rows.filter(sequence=0).update(state=BatchState.READY)
    rows.filter(sequence__gt=25).update(urgent=False)
    half_done(job, monkeypatch)
    rows.filter(sequence=0).update(state=BatchState.VISIBLE)
    rows.filter(sequence__gt=20).update(urgent=False)
    with caught_plans(monkeypatch) as plans:
        assert merging.merge_once()
    assert plans, "the store refused the plan, and said what it has"
    assert small_rows(job) == 46 - 24
    assert [answers(job), packets(job), counters(job)] == before
    rows.update(urgent=True)
    assert merge_all() > 0
    assert [answers(job), packets(job), counters(job)] == before
    assert small_rows(job) == 2
    assert held() == rows_as_held(job)


@contextmanager
def caught_plans(monkeypatch):
    followed: list[BatchRange] = []
    real = merging._follow

    def follow(job: int, of: BatchRange) -> bool:
        followed.append(of)
        return real(job, of)

    with monkeypatch.context() as patch:
        patch.setattr(merging, "_follow", follow)
        yield followed


def test_a_job_deleted_between_the_two_commits_is_gone(data, shared, monkeypatch):
    other = run_job(shared / CAPTURE)
    job = live_job(shared / CAPTURE)
    half_done(job, monkeypatch)
    control.delete(job)
    assert count(job) == 0
    assert [batch.batch for batch in held()] == list(Batch.objects.filter(job=other.pk).values_list("pk", flat=True))
    assert merge_all() == 0
    work.until_idle()
    assert not Batch.objects.filter(job=job.pk).exists()
    assert count(other) == PACKETS


def test_a_merge_that_never_came_to_its_end_leaves_everything(data, shared, monkeypatch):
    """Postgres goes away before anything was committed."""
    job = live_job(shared / CAPTURE)
    rows = rows_as_held(job)
    with monkeypatch.context() as patch:
        patch.setattr(store.backend(), "merge_batches", lambda *_: (_ for _ in ()).throw(BackendAway("node 3 is away")))
        assert not merging.merge_once()
    assert rows_as_held(job) == rows == held()
    assert not merging.merge_once(), "the job rests"
    merging._resting.clear()
    assert merging.merge_once()


def test_many_mergers_at_once_do_the_work_once(data, shared):
    jobs = [live_job(shared / CAPTURE) for _ in range(2)]
    before = [[answers(job), packets(job), counters(job)] for job in jobs]
    errors: list[BaseException] = []

    def work_on() -> None:
        try:
            for _ in range(60):
                merging.merge_once(lambda _: True)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    merge_all()
    assert [[answers(job), packets(job), counters(job)] for job in jobs] == before
    assert [small_rows(job) for job in jobs] == [2, 2]
    assert held() == sorted(rows_as_held(jobs[0]) + rows_as_held(jobs[1]), key=lambda batch: batch.batch)


def test_a_deletion_is_not_waited_for_and_waits_for_a_merge(data, shared):
    job = live_job(shared / CAPTURE)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Batch.objects.select_for_update().filter(job=job.pk, sequence=4))
            locked.set()
            done.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait(30)
    assert not merging.merge_once()
    done.set()
    thread.join()

    inside, go = threading.Event(), threading.Event()
    real = store.backend().merge_batches

    def slow(*args: Any) -> None:
        inside.set()
        go.wait(30)
        real(*args)

    def merge() -> None:
        merging.merge_once()
        connection.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.backend(), "merge_batches", slow)
        merger = threading.Thread(target=merge)
        merger.start()
        assert inside.wait(30)
        deleter = threading.Thread(target=lambda: (control.delete(job), connection.close()))
        deleter.start()
        deleter.join(0.3)
        assert deleter.is_alive()
        go.set()
        merger.join()
        deleter.join()
    assert held() == []
    work.until_idle()
    assert not Batch.objects.exists()


def test_who_has_just_read_a_row_still_finds_its_locator_and_later_it_is_gone(data, shared, monkeypatch):
    job = live_job(shared / CAPTURE)
    old = [(batch_of("net", column), column) for column in range(PACKETS)]
    folder = data / f"captures/{job.pk}/locators"
    before = {path.name for path in folder.iterdir()}
    merge_all()
    for batch, column in old:
        assert batch is not None
        new = batch_of("net", column)
        assert new is not None
        assert packet_bytes(batch, column) == packet_bytes(new, column)
    assert before < {path.name for path in folder.iterdir()}
    assert retired_locators.sweep() == 0

    aged(data)
    with transaction.atomic():
        assert retired_locators.lock(job.pk)
        sweeper = threading.Thread(target=lambda: (retired_locators.sweep(), connection.close()))
        sweeper.start()
        sweeper.join()
        assert before < {path.name for path in folder.iterdir()}, "a merge is at work"
    retired_locators._swept = 0.0
    assert not merging.merge_once()
    named = set(Batch.objects.filter(job=job.pk).values_list("locator", flat=True))
    assert {f"captures/{job.pk}/locators/{path.name}" for path in folder.iterdir()} == named
    assert list((data / "retired").iterdir()) == []
    assert len(all_bytes()) == PACKETS


def aged(data: Path) -> None:
    for path in (data / "retired").iterdir():
        then = time.time() - retired_locators.GRACE_SECONDS - 1
        os.utime(path, (then, then))


def test_the_locator_of_a_merge_that_was_not_committed_is_removed_and_the_old_ones_stay(data, shared, monkeypatch):
    job = live_job(shared / CAPTURE)
    folder = data / f"captures/{job.pk}/locators"
    before = {path.name for path in folder.iterdir()}
    half_done(job, monkeypatch)
    assert len({path.name for path in folder.iterdir()}) == len(before) + 1
    (data / "retired" / f".{job.pk}-cut").write_text('{"capt')
    (data / "retired" / "strange").write_text("")
    aged(data)
    assert retired_locators.sweep() == 1
    assert {path.name for path in folder.iterdir()} == before
    assert [path.name for path in (data / "retired").iterdir()] == ["strange"]
    assert len(all_bytes()) == PACKETS


def test_a_batch_whose_locator_cannot_be_read_stays_and_the_others_are_merged(data, shared):
    job = live_job(shared / CAPTURE)
    gone, damaged, short = Batch.objects.filter(job=job.pk, sequence__in=[3, 20, 30]).order_by("sequence")
    (data / gone.locator).unlink()
    (data / damaged.locator).write_bytes(b"no locator")
    (data / short.locator).write_bytes((data / Batch.objects.get(job=job.pk, sequence=45).locator).read_bytes())
    merge_all()
    rows = Batch.objects.filter(job=job.pk).order_by("sequence").values_list("sequence", "packets")
    assert list(rows) == [(0, 9), (3, 3), (4, 48), (20, 3), (21, 27), (30, 3), (31, 42), (45, 1)]
    assert held() == rows_as_held(job)


def test_interfaces_keep_their_names(data, shared):
    job = live_job(shared / CAPTURE)
    for row in Batch.objects.filter(job=job.pk):
        path = data / row.locator
        locator = merging.read_locator_and_names(path)[0]
        locator["interface"] = row.sequence % 3
        write_locator(path, locator, [b"lo", b"", b"eth\xff"])
    merge_all()
    row = Batch.objects.get(job=job.pk, sequence=0)
    locator, names = merging.read_locator_and_names(data / row.locator)
    assert names == (b"lo", b"", b"eth\xff")
    assert locator["interface"].tolist() == [n // 3 % 3 for n in range(135)]

    again = live_job(shared / CAPTURE)
    path = data / Batch.objects.get(job=again.pk, sequence=5).locator
    write_locator(path, merging.read_locator_and_names(path)[0], [b"another"])
    path = data / Batch.objects.get(job=again.pk, sequence=6).locator
    write_locator(path, merging.read_locator_and_names(path)[0], [b"name"])
    merge_all()
    assert list(Batch.objects.filter(job=again.pk).order_by("sequence").values_list("sequence", flat=True)) == [0, 6, 7, 45]


@pytest.mark.parametrize(
    "difference",
    [
        {"capture": "captures/1/other"},
        {"generation": 1},
        {"fields": ["netsrc"]},
        {"dissector": "fast 0"},
        {"not_indexed": {"x": "y"}},
    ],
)
def test_only_what_is_alike_becomes_one(data, shared, difference):
    job = live_job(shared / CAPTURE)
    Batch.objects.filter(job=job.pk, sequence__gte=20).update(**difference)
    merge_all()
    rows = Batch.objects.filter(job=job.pk).order_by("sequence").values_list("sequence", "packets")
    assert list(rows) == [(0, 60), (20, 75), (45, 1)]


def test_batches_of_files_are_left_alone_and_nothing_to_do_is_one_query(data, shared, django_assert_num_queries):
    run_job(shared / CAPTURE, bufsize=SIZE)
    retired_locators._swept = time.monotonic()
    with django_assert_num_queries(1):
        assert not merging.merge_once()


def test_the_index_of_small_batches_is_asked_and_holds_few(data, shared):
    job = live_job(shared / CAPTURE)
    merge_all()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT job FROM indexing_batch WHERE {merging._MERGEABLE}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("SET enable_seqscan = on")
    assert "batch_mergeable" in plan
    assert str(SMALL_PACKETS) in merging._MERGEABLE
    assert Batch.objects.filter(job=job.pk, urgent=True).count() == 0
