"""Stop, retry, delete; leases; batches that end badly."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from capture.models import CaptureFile, Job, JobState, ScanState
from capture.services import control, scan, work
from capture.services.describe import job_json
from capture.services.errors import Refused
from indexing import batches, pipeline, store
from indexing.backends.base import BackendAway
from indexing.calls import Call, CountResult, RowRef
from indexing.models import Batch, BatchState
from tests.jobs import order_job, run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
PACKETS = 136


def count(job: Job, index: str = "net") -> int:
    row = Call("Row", args={"row": RowRef("job", job.pk)})
    result = store.ensure_index(index).query(index, [Call("Count", [row])])[0]
    assert isinstance(result, CountResult)
    return result.count


def assert_adds_up(job: Job) -> None:
    said = job_json(job)["packets"]
    assert said["read"] == said["indexed"] + said["filtered_out"] + said["failed"]


def test_a_queued_job_that_is_stopped_is_stopped_at_once_and_nothing_is_indexed(data, shared):
    job = control.stop(order_job(shared / CAPTURE))
    assert job.state == JobState.STOPPED
    assert not work.step()
    assert count(job) == 0


def test_a_running_job_that_is_stopped_keeps_what_is_visible_and_retry_does_the_rest(data, shared):
    job = order_job(shared / CAPTURE, bufsize=20)
    work.step()  # the scan
    work.step()
    work.step()
    job = control.stop(job)
    assert job.state == JobState.STOPPED
    assert job.packets_indexed == 40 == count(job)
    assert job_json(job)["progress"]["fraction"] == pytest.approx(40 / PACKETS)
    assert_adds_up(job)
    work.until_idle()
    assert count(job) == 40

    control.retry(job)
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert job.packets_indexed == PACKETS == count(job)
    assert batches.column_ranges(job.pk) == [[0, PACKETS - 1]]


def test_a_stop_while_a_batch_is_at_work_ends_when_that_batch_has(data, shared):
    job = order_job(shared / CAPTURE, bufsize=20)
    work.step()
    claimed = batches.claim()
    assert claimed is not None
    assert control.stop(job).state == JobState.STOPPING
    work.run_batch(*claimed)
    job.refresh_from_db()
    assert job.state == JobState.STOPPED
    assert job.packets_indexed == 20 == count(job)


def test_an_ended_job_cannot_be_stopped_and_a_done_one_not_retried(data, shared):
    job = run_job(shared / CAPTURE)
    with pytest.raises(Refused, match="has ended already: it is done"):
        control.stop(job)
    with pytest.raises(Refused, match="only a stopped or failed job"):
        control.retry(job)


def test_a_deleted_job_is_out_of_every_answer_at_once_and_then_gone(index, shared):
    other = run_job(shared / CAPTURE, index=index)
    job = run_job(shared / CAPTURE, index=index, again=True)
    control.delete(job)
    assert not Job.objects.live().filter(pk=job.pk).exists()
    row = Call("Row", args={"row": RowRef("job", job.pk)})
    if store.backend().masked:
        row = Call("Intersect", [row, Call("Row", args={"row": RowRef("access", 0)})])
    assert store.backend().query(index, [Call("Count", [row])]) == [CountResult(0)]
    assert count(other, index) == PACKETS

    folder = job.folder
    assert folder.exists()
    work.until_idle()
    assert not folder.exists()
    assert not Job.objects.filter(pk=job.pk).exists()
    assert not Batch.objects.filter(job=job.pk).exists()
    assert count(job, index) == 0
    assert count(other, index) == PACKETS


def test_a_job_deleted_while_a_worker_has_its_batch_leaves_nothing_behind(data, shared):
    job = order_job(shared / CAPTURE, bufsize=50)
    work.step()
    claimed = batches.claim()
    assert claimed is not None
    control.delete(job)
    work.run_batch(*claimed)
    work.until_idle()
    assert count(job) == 0
    assert not Batch.objects.exists()


def test_a_batch_whose_worker_died_is_taken_up_when_its_lease_is_over(data, shared):
    job = order_job(shared / CAPTURE, bufsize=50)
    work.step()
    dead = batches.claim()
    assert dead is not None
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    Batch.objects.filter(pk=dead[0].pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert count(job) == PACKETS


def test_a_worker_that_lost_its_lease_changes_nothing(data, shared):
    job = order_job(shared / CAPTURE, bufsize=500)
    work.step()
    slow = batches.claim()
    assert slow is not None
    Batch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    work.until_idle()
    before = job_json(Job.objects.get(pk=job.pk))
    work.run_batch(*slow)
    assert job_json(Job.objects.get(pk=job.pk)) == before
    assert count(job) == PACKETS


def test_a_scan_whose_worker_died_goes_on_behind_its_last_batch(data, shared, monkeypatch):
    job = order_job(shared / CAPTURE, bufsize=20)
    commit, done = scan._commit, []

    def die_after_three(*args):
        if len(done) == 3:
            raise KeyboardInterrupt
        commit(*args)
        done.append(1)

    monkeypatch.setattr(scan, "_commit", die_after_three)
    with pytest.raises(KeyboardInterrupt):
        work.step()
    monkeypatch.setattr(scan, "_commit", commit)
    CaptureFile.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert job.packets_read == job.packets_indexed == PACKETS == count(job)
    assert [b.read for b in Batch.objects.order_by("sequence")] == [20] * 6 + [16]


def test_a_batch_that_kills_its_workers_is_set_aside_and_named_and_the_rest_goes_on(data, shared):
    job = order_job(shared / CAPTURE, bufsize=50)
    work.step()
    poison = Batch.objects.get(sequence=1)
    Batch.objects.filter(pk=poison.pk).update(
        state=BatchState.CLAIMED, attempt=batches.MAX_ATTEMPTS, lease_until=timezone.now() - timedelta(seconds=1), worker="w/1"
    )
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "packets 51 to 100 (batch 1) were set aside" in job.error
    assert job.packets_failed == 50
    assert job.packets_indexed == PACKETS - 50 == count(job)
    assert_adds_up(job)
    control.retry(job)
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert count(job) == PACKETS


def test_a_job_waits_for_an_index_that_is_away_and_says_so(data, shared, monkeypatch):
    job = order_job(shared / CAPTURE)
    prepare = pipeline.prepare

    def away(*args):
        raise BackendAway("Pilosa at 127.0.0.1:1 does not answer")

    monkeypatch.setattr(pipeline, "prepare", away)
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    assert job.waiting_for == "Pilosa at 127.0.0.1:1 does not answer"
    assert Batch.objects.get().attempt == 0
    monkeypatch.setattr(pipeline, "prepare", prepare)
    Batch.objects.update(not_before=None)
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.waiting_for) == (JobState.DONE, "")


def test_a_capture_that_vanished_fails_the_job_with_the_reason(data, shared):
    job = order_job(shared / CAPTURE)
    job.captures.get().file.unlink()
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "No such file" in job.error
    assert job.captures.get().scan_state == ScanState.FAILED


def test_concurrency_limits_the_batches_at_work(data, shared):
    order_job(shared / CAPTURE, bufsize=20, concurrency=2)
    work.step()
    assert batches.claim(work._busy_jobs()) is not None
    assert batches.claim(work._busy_jobs()) is not None
    assert batches.claim(work._busy_jobs()) is None


def test_the_job_of_the_api_is_json(data, shared):
    assert json.loads(json.dumps(job_json(run_job(shared / CAPTURE))))["state"] == "done"


def test_a_stopped_job_whose_worker_was_frozen_does_not_go_on_after_its_end(data, shared):
    job = order_job(shared / CAPTURE, bufsize=50)
    work.step()
    frozen = batches.claim()
    assert frozen is not None
    Batch.objects.filter(pk=frozen[0].pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    job = control.stop(job)
    assert job.state == JobState.STOPPED
    assert_adds_up(job)
    work.until_idle()
    work.run_batch(*frozen)
    job.refresh_from_db()
    assert (job.packets_indexed, count(job)) == (0, 0)


def test_a_scan_of_a_job_that_was_deleted_and_cleared_leaves_no_files(data, shared, monkeypatch):
    job = order_job(shared / CAPTURE, bufsize=20)
    commit, folder = scan._commit, job.folder

    def delete_first(*args):
        control.delete(job)
        assert control.clear_one_deleted()
        commit(*args)

    monkeypatch.setattr(scan, "_commit", delete_first)
    work.step()
    assert not Job.objects.exists()
    assert not folder.exists()
