"""Store and Postgres commit one after the other. Whoever is killed in between leaves an index that is right, or becomes so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone

from capture.models import CaptureFile, Job, JobState
from capture.services import checking, control, progress, scan, work
from indexing import batches, checking_digest, store
from indexing.models import Batch
from tests.jobs import order_job, run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
COMPRESSED = "pcaps/large/zeek__contentline__rsh-long-client-user-no-nul.pcapng.gz"
PACKETS = 136


class Killed(BaseException):
    """Ends a step as a SIGKILL does: nothing catches it."""


def lapse() -> None:
    """All leases have run out."""
    Batch.objects.filter(state="claimed").update(lease_until=timezone.now() - timedelta(seconds=1))
    CaptureFile.objects.filter(scan_state="scanning").update(lease_until=timezone.now() - timedelta(seconds=1))


def killed_in(monkeypatch, module, name: str, error: BaseException) -> None:
    """One step, which ends in this function."""

    def die(*_args, **_more):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(module, name, die)
        with pytest.raises(type(error)):
            work.step()
    lapse()


def right(job: Job, state: JobState) -> Job:
    work.until_idle()
    job.refresh_from_db()
    assert job.state == state, job.error
    assert list(checking.check_all()) == []
    return job


@pytest.fixture
def half(data, shared, monkeypatch) -> Job:
    """A job whose second batch is in the store, and not in Postgres."""
    job = order_job(shared / CAPTURE, bufsize=50)
    while not Batch.objects.filter(state="visible").exists():
        work.step()
    killed_in(monkeypatch, progress, "note_visible", Killed())
    assert [one.state for one in Batch.objects.order_by("sequence")] == ["visible", "claimed", "ready"]
    assert len(store.backend().batches("net")) == 2
    assert list(checking.check_all()) == []
    return job


def test_the_next_attempt_replaces_it(half, shared):
    right(half, JobState.DONE)
    quiet = run_job(shared / CAPTURE, again=True)
    assert checking_digest.digests("net", half.pk) == checking_digest.digests("net", quiet.pk)


def test_the_next_attempt_replaces_it_in_a_segment_as_well(data, shared, monkeypatch):
    """Small batches were joined in the store meanwhile, the one that Postgres does not know of among them."""
    job = order_job(shared / CAPTURE, bufsize=10)
    while Batch.objects.filter(state="visible").count() < 12:
        work.step()
    killed_in(monkeypatch, progress, "note_visible", Killed())
    assert store.backend().compact()
    while store.backend().compact():
        pass
    right(job, JobState.DONE)
    quiet = run_job(shared / CAPTURE, again=True)
    assert checking_digest.digests("net", job.pk) == checking_digest.digests("net", quiet.pk)


def test_a_stop_takes_it_out(half):
    control.stop(half)
    assert right(half, JobState.STOPPED).packets_indexed == 50
    assert len(store.backend().batches("net")) == 1
    control.retry(half)
    assert right(half, JobState.DONE).packets_indexed == PACKETS


def test_a_batch_that_is_given_up_is_taken_out(half):
    Batch.objects.filter(state="claimed").update(attempt=batches.MAX_ATTEMPTS)
    assert right(half, JobState.FAILED).packets_failed == 50
    assert f"without a word {batches.MAX_ATTEMPTS} times" in half.error
    assert len(store.backend().batches("net")) == 2
    control.retry(half)
    assert right(half, JobState.DONE).packets_indexed == PACKETS


def test_a_batch_that_postgres_refuses_is_taken_out(data, shared, monkeypatch):
    job = order_job(shared / CAPTURE, bufsize=50)

    def refuse(_batch):
        raise ValueError("no")

    with monkeypatch.context() as patched:
        patched.setattr(progress, "note_visible", refuse)
        work.until_idle()
    assert right(job, JobState.FAILED).packets_failed == PACKETS
    assert store.backend().batches("net") == []


def test_postgres_goes_away_while_a_batch_is_at_work(data, shared, monkeypatch):
    job = order_job(shared / CAPTURE, bufsize=50)
    while not job.captures.filter(scan_state="done").exists():
        work.step()
    import_batch = type(store.backend()).import_batch

    def import_and_lose(self, index, bits):
        import_batch(self, index, bits)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patched:
        patched.setattr(type(store.backend()), "import_batch", import_and_lose)
        with pytest.raises(OperationalError):
            work.step()
    lapse()
    right(job, JobState.DONE)


def test_a_deletion_is_in_postgres_before_it_is_in_the_store(data, shared, monkeypatch):
    job = run_job(shared / CAPTURE)

    def die(*_):
        assert not connections["default"].in_atomic_block
        assert Job.objects.get(pk=job.pk).deleted
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(store.backend()), "hide_batches", die)
        with pytest.raises(Killed):
            control.delete(job)
    assert list(checking.check_all()) == []
    work.until_idle()
    assert list(checking.check_all()) == []
    assert store.backend().batches("net") == []
    assert not Job.objects.exists()


def test_an_upload_is_there_until_postgres_knows_that_it_is_stored(data, shared, monkeypatch):
    job = order_job(shared / COMPRESSED)
    killed_in(monkeypatch, scan, "_save", OperationalError("the connection is closed"))
    right(job, JobState.DONE)
    assert not (job.folder / "upload").exists()
