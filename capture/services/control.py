"""Stop, retry, delete. Locks are taken in the order live capture, capture file, batch, job (see progress)."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models.functions import Now

from capture.models import ENDED, CaptureFile, ConversationPass, Job, JobKind, JobState, ScanState
from capture.services import conversation_rows, live, progress, storage, turning
from capture.services.errors import Refused
from capture.services.ring import ring
from indexing import batches, given_up, store, translation_freeing
from indexing.backends.base import BackendAway, BackendError, BatchRange
from indexing.models import Batch, BatchState
from people import audit

logger = logging.getLogger(__name__)


def stop(job: Job) -> Job:
    """Ends a job before its end: batches that no worker has are dropped, those at work are finished. Of a live job, only the
    capturing ends: all that was captured is indexed. Raises Refused (409)."""
    with transaction.atomic():
        live.lock(job.pk)
        if job.kind == JobKind.FILE:
            list(CaptureFile.objects.select_for_update().filter(job=job))
            batches.drop_waiting(job.pk)
        job = _locked(job)
        if job.state in ENDED:
            raise Refused(f"job {job.pk} has ended already: it is {job.state}", 409)
        if job.state == JobState.QUEUED:
            job.started = job.started or Now()
        job.state = JobState.STOPPING
        job.save(update_fields=["state", "started"])
        audit.record("job stopped", f"job {job.pk}", name=job.name)
        ring()
    progress.end_if_done(job.pk)
    job.refresh_from_db()
    return job


def retry(job: Job) -> Job:
    """A stopped or failed job goes on where it ended; what was set aside or dropped is tried again. Raises Refused (409)."""
    with transaction.atomic():
        live.lock(job.pk)
        list(CaptureFile.objects.select_for_update().filter(job=job))
        if batches.make_ready_again(job.pk) and ConversationPass.objects.filter(pk=job.pk).exists():
            conversation_rows.begin_again(job.pk)
        job = _locked(job)
        if job.state not in (JobState.STOPPED, JobState.FAILED):
            raise Refused(f"job {job.pk} is {job.state}: only a stopped or failed job can be retried", 409)
        job.captures.exclude(scan_state=ScanState.DONE).update(
            scan_state=ScanState.WAITING, failures=0, lease_until=None, not_before=None, read_error=""
        )
        progress.recount(job)
        scanned = not job.captures.exclude(scan_state=ScanState.DONE).exists()
        # Only a scan turns queued into running; where none is left, batches are all there is to do.
        job.state = JobState.RUNNING if scanned and job.kind == JobKind.FILE else JobState.QUEUED
        if job.kind == JobKind.INTERFACE:
            live.reopen(job)
        job.error, job.finished = "", None
        job.save()
        audit.record("job retried", f"job {job.pk}", name=job.name)
        ring(2)
    progress.end_if_done(job.pk)
    job.refresh_from_db()
    return job


def share(job: Job, shared: bool) -> Job:
    """Everybody sees the job and its packets, or only its owner and admins do. Idempotent."""
    with transaction.atomic():
        job = _locked(job)
        if job.shared != shared:
            job.shared = shared
            job.save(update_fields=["shared"])
            audit.record("job shared" if shared else "job unshared", f"job {job.pk}", name=job.name)
    return job


def delete(job: Job, *, only_ended: bool = False) -> None:
    """Takes a job out of every list and answer at once; its bits, captures and rows go in the background.

    Waits for an import in flight. only_ended: a job that has not ended is a Refused (409). Raises BackendAway: then nothing has
    changed."""
    if Batch.objects.filter(job=job.pk, packets__gt=0).exists():
        store.backend().status()
    with transaction.atomic():
        live.lock(job.pk)
        list(CaptureFile.objects.select_for_update().filter(job=job))
        hidden = batches.hide(job.pk)
        locked = Job.objects.live().select_for_update().filter(pk=job.pk).first()
        if locked is None:
            raise Refused(f"there is no job {job.pk}", 404)
        if only_ended and locked.state not in ENDED:
            raise Refused(f"job {job.pk} is {locked.state}", 409)
        locked.deleted = Now()
        locked.save(update_fields=["deleted"])
        owner = locked.owner.get_username() if locked.owner else None
        audit.record("job deleted", f"job {job.pk}", name=job.name, packets=job.packets_indexed, owner=owner)
        ring()
    # After the commit: bits that are gone before it would be missed, if it did not come to that. Clearing hides them again.
    for index, ranges in _ranges(hidden).items():
        try:
            store.backend().hide_batches(index, ranges)
        except (BackendAway, BackendError) as error:
            logger.warning("packets of the deleted job %d are in answers until it is cleared: %s", job.pk, error)


def clear_one_deleted() -> bool:
    """Clears what a deleted job left: bits, files, rows. False if there is none, or the backend is away."""
    deleted = Job.objects.filter(deleted__isnull=False).order_by("id").values_list("pk", flat=True)
    return any(_clear(pk) for pk in deleted)


def _clear(pk: int) -> bool:
    if live.is_captured(pk):
        return False  # its live worker ends within a moment, and still writes
    with transaction.atomic():
        live.lock(pk)
        captures = CaptureFile.objects.select_for_update(skip_locked=True).filter(job=pk)
        if len(captures) != CaptureFile.objects.filter(job=pk).count():
            return False
        list(Batch.objects.select_for_update().filter(job=pk).order_by("id").values_list("pk"))
        job = Job.objects.select_for_update(skip_locked=True).filter(pk=pk, deleted__isnull=False).first()
        if job is None:
            return False
        ranges_of = _ranges(list(Batch.objects.select_related("index").filter(job=job.pk)))
        try:
            for index, ranges in ranges_of.items():
                store.backend().clear_batches(index, ranges)
        except (BackendAway, BackendError) as error:
            logger.warning("clearing job %d waits: %s", job.pk, error)
            return False
        storage.remove_job_folder(job.pk)
        given_up.forget_job(job.pk)
        Batch.objects.filter(job=job.pk, state=BatchState.HIDDEN).delete()
        job.delete()
        translation_freeing.want(ranges_of)
    return True


def _locked(job: Job) -> Job:
    locked = Job.objects.live().select_for_update().filter(pk=job.pk).first()
    if locked is None:
        raise Refused(f"there is no job {job.pk}", 404)
    return locked


def _ranges(hidden: list[Batch]) -> dict[str, list[BatchRange]]:
    ranges: dict[str, list[BatchRange]] = {}
    for batch in hidden:
        if batch.packets:
            ranges.setdefault(batch.index.name, []).append(turning.range_of(batch))
    return ranges
