"""The end of a small file's scan is committed with its last batch; whoever indexes that ends the job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capture.models import Job
from capture.packets.errors import PacketsError
from capture.services import control, scan, work
from indexing import batches
from indexing.models import Batch
from tests.jobs import order_job, run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
PACKETS = 136


def scanned(job: Job) -> Job:
    """One scan of it, and nothing else."""
    capture = scan.claim()
    assert capture is not None and capture.job_id == job.pk
    scan.run(capture)
    job.refresh_from_db()
    return job


def states(job: Job) -> list[str]:
    return list(Batch.objects.filter(job=job.pk).order_by("sequence").values_list("state", flat=True))


@pytest.mark.parametrize(("bufsize", "cut"), [(50, 3), (68, 2), (PACKETS, 1), (10_000, 1)])
def test_it_takes_one_commit_for_each_batch(data, index, shared, bufsize, cut):
    job = order_job(shared / CAPTURE, index=index, bufsize=bufsize)
    with CaptureQueriesContext(connection) as asked:
        scanned(job)
    ends = [one["sql"] for one in asked if "\"scan_state\" = 'done'" in one["sql"]]
    assert len(ends) == 1 and '"position" = ' in ends[0]
    assert (job.state, job.packets_read, states(job)) == ("running", PACKETS, ["ready"] * cut)
    assert list(job.captures.values_list("scan_state", "scanned_bytes")) == [("done", job.captures.get().size)]
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.packets_indexed) == ("done", PACKETS)


def test_what_goes_wrong_behind_a_batch_loses_nothing_of_it(data, index, shared, monkeypatch):
    bounded = scan._bounded

    def breaks(steps: Iterator) -> Iterator:
        for number, found in enumerate(bounded(steps)):
            if number == 2:
                raise PacketsError("block at byte offset 7 is none")
            yield found

    monkeypatch.setattr(scan, "_bounded", breaks)
    job = order_job(shared / CAPTURE, index=index, bufsize=50)
    scanned(job)
    assert (job.state, job.packets_read, states(job)) == ("running", 100, ["ready"] * 2)
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.packets_indexed, job.error) == ("failed", 100, "block at byte offset 7 is none")
    monkeypatch.undo()
    control.retry(job)
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.packets_indexed, job.error) == ("done", PACKETS, "")


class Killed(BaseException):
    """Ends a scan as a SIGKILL does: nothing catches it."""


def test_what_lies_before_a_place_that_kills_scanners_is_kept(data, index, shared, monkeypatch):
    bounded = scan._bounded

    def dies(steps: Iterator) -> Iterator:
        for found in bounded(steps):
            if found.state["offset"] > 20_000:
                raise Killed
            yield found

    monkeypatch.setattr(scan, "_bounded", dies)
    job = order_job(shared / CAPTURE, index=index, bufsize=50)
    for _ in range(scan.MAX_ATTEMPTS + 1):
        capture = scan.claim()
        assert capture is not None and not capture.failures >= scan.MAX_ATTEMPTS
        with pytest.raises(Killed):
            scan.run(capture)
        job.captures.update(lease_until=timezone.now() - timedelta(seconds=1))
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.packets_indexed) == ("failed", 50)
    assert "its scanner was ended, or took too long, 5 times at the same place" in job.error


def test_a_job_without_a_packet_ends_with_its_scan(data, index, shared):
    job = order_job(shared / CAPTURE, index=index, filter="udp port 9")
    scanned(job)
    assert (job.state, job.packets_read, job.packets_indexed) == ("done", PACKETS, 0)


def test_one_that_is_stopped_before_its_batch_is_indexed_ends(data, index, shared):
    job = order_job(shared / CAPTURE, index=index)
    scanned(job)
    control.stop(job)
    job.refresh_from_db()
    assert (job.state, batches.claim([])) == ("stopped", None)


def test_a_worker_that_dies_behind_its_batch_ends_no_job_and_another_does(data, index, shared, monkeypatch):
    """As long as it takes until somebody tidies up."""
    job = order_job(shared / CAPTURE, index=index)
    scanned(job)
    with monkeypatch.context() as patched:
        patched.setattr(work.progress, "end_if_done", lambda _job: False)
        work.run_batch(*batches.claim([]))
    job.refresh_from_db()
    assert (job.state, states(job)) == ("running", ["visible"])
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.packets_indexed) == ("done", PACKETS)
    assert run_job(shared / CAPTURE, index=index, again=True).packets_indexed == PACKETS
