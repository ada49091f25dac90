"""A job's state and counters: always in its row, changed only here, in the transaction of what they count.

Locks are taken in the order live capture, capture file, batch, job.
"""

from __future__ import annotations

from collections import Counter

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from capture.models import CaptureFile, Job, JobKind, JobState, LiveCapture, ScanState
from indexing import batches
from indexing.models import Batch, BatchState

# A live job that is to stop still has all to be indexed that it captured; one that waits for a worker has old files perhaps.
LIVE_WORK = (JobState.QUEUED, JobState.RUNNING, JobState.STOPPING)


def begin(job: Job) -> bool:
    """A worker begins: queued becomes running. False if the job is not to be worked on (stopped, deleted)."""
    if job.kind == JobKind.INTERFACE:
        return Job.objects.live().filter(pk=job.pk, state__in=LIVE_WORK).exists()
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE capture_job SET state = 'running',
                      started = CASE WHEN state = 'queued' THEN statement_timestamp() ELSE started END
               WHERE id = %s AND deleted IS NULL AND state IN ('queued', 'running')""",
            [job.pk],
        )
        return bool(cursor.rowcount)


def note_scanned(batch: Batch, live: bool = False) -> bool:
    """A batch was cut. False if the job is no longer worked on: the caller's transaction must be rolled back."""
    return bool(
        Job.objects.live()
        .filter(pk=batch.job, state__in=LIVE_WORK if live else [JobState.RUNNING])
        .update(
            packets_read=F("packets_read") + batch.read,
            packets_filtered_out=F("packets_filtered_out") + batch.filtered_out,
            bytes_captured=F("bytes_captured") + batch.captured_bytes,
            bytes_wire=F("bytes_wire") + batch.wire_bytes,
        )
    )


def note_visible(batch: Batch) -> None:
    """A batch is in the index."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE capture_job SET packets_indexed = packets_indexed + %s, packets_undecodable = packets_undecodable + %s,
                      packets_handed_over = packets_handed_over + %s, waiting_for = '' WHERE id = %s""",
            [batch.packets, batch.undecodable, batch.handed_over, batch.job],
        )
    if batch.not_indexed:
        job = Job.objects.select_for_update().get(pk=batch.job)
        batches.add_not_indexed(job.not_indexed, batch.not_indexed, batch.packets)
        job.save(update_fields=["not_indexed"])


# Endings of a live capture that are failures: what was ordered could not be done.
CAPTURE_FAILED = frozenset({"gone", "error"})


def note_waiting(job: int, part: str) -> None:
    """A part is away: the job's row says which one it waits for."""
    Job.objects.filter(pk=job).update(waiting_for=part)


def recount(job: Job) -> None:
    """Sets a (locked) job's counters from its batches, the truth."""
    sums = batches.totals(job.pk)
    gone = Counter(job.gone)
    for name in ("read", "filtered_out", "failed", "undecodable", "handed_over", "captured_bytes", "wire_bytes"):
        sums[name] += gone[name]
    job.packets_read, job.packets_filtered_out = sums["read"], sums["filtered_out"]
    job.packets_indexed, job.packets_failed = sums["indexed"], sums["failed"]
    job.packets_undecodable, job.packets_handed_over = sums["undecodable"], sums["handed_over"]
    job.not_indexed = batches.not_indexed(job.pk)
    job.bytes_captured, job.bytes_wire = sums["captured_bytes"], sums["wire_bytes"]


def end_if_done(job_id: int) -> bool:
    """Ends a job whose work is over, with the right state and final counters. True if it has ended now."""
    if not _may_be_done(job_id):
        return False
    if _end_simply(job_id):
        return True
    with transaction.atomic():
        if Job.objects.filter(pk=job_id, state=JobState.STOPPING, kind=JobKind.FILE).exists():
            # A worker that died meanwhile has lost its batch: nobody is to take it up after the job's end.
            batches.drop_waiting(job_id)
        job = Job.objects.live().select_for_update().filter(pk=job_id, state__in=[JobState.RUNNING, JobState.STOPPING]).first()
        if job is None or _work_left(job):
            return False
        recount(job)
        failed = Batch.objects.filter(job=job.pk, state=BatchState.FAILED).order_by("sequence").first()
        unreadable = job.captures.filter(scan_state=ScanState.FAILED).first()
        if unreadable is not None:
            job.state, job.error = JobState.FAILED, unreadable.read_error
        elif failed is not None:
            job.state = JobState.FAILED
            job.error = (
                f"packets {failed.first_number} to {failed.last_number} (batch {failed.sequence}) were set aside: {failed.error}"
            )
        elif job.gone.get("failed"):
            job.state = JobState.FAILED
            job.error = job.error or f"{job.gone['failed']} packets of ring files that are gone were set aside"
        elif job.kind == JobKind.INTERFACE and _capture_failed(job):
            job.state = JobState.FAILED
        elif job.state == JobState.STOPPING:
            job.state = JobState.STOPPED
        else:
            job.state, job.error = JobState.DONE, ""
        job.finished, job.waiting_for = Now(), ""
        job.save()
    return True


def _end_simply(job_id: int) -> bool:
    """The end of nearly every job of a file, in one statement: all is scanned, all its batches are visible and lack no field."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE capture_job j SET state = 'done', error = '', waiting_for = '', finished = statement_timestamp(),
                      not_indexed = '{}', packets_read = s.read, packets_filtered_out = s.filtered_out,
                      packets_indexed = s.packets, packets_failed = 0, packets_undecodable = s.undecodable,
                      packets_handed_over = s.handed_over, bytes_captured = s.captured_bytes, bytes_wire = s.wire_bytes
               FROM (SELECT count(*) AS batches, coalesce(sum(read), 0) AS read, coalesce(sum(filtered_out), 0) AS filtered_out,
                            coalesce(sum(packets), 0) AS packets, coalesce(sum(undecodable), 0) AS undecodable,
                            coalesce(sum(handed_over), 0) AS handed_over, coalesce(sum(captured_bytes), 0) AS captured_bytes,
                            coalesce(sum(wire_bytes), 0) AS wire_bytes,
                            coalesce(bool_and(state = 'visible' AND not_indexed = '{}'), true) AS simple
                     FROM indexing_batch WHERE job = %s) s
               WHERE j.id = %s AND j.deleted IS NULL AND j.state = 'running' AND j.kind = 'file' AND j.gone = '{}' AND s.simple
                 AND NOT EXISTS (SELECT 1 FROM capture_capturefile c WHERE c.job_id = j.id AND c.scan_state <> 'done')""",
            [job_id, job_id],
        )
        return bool(cursor.rowcount)


def _may_be_done(job_id: int) -> bool:
    """A look without a lock, after each scan and each batch: mostly the job has more to do. Whoever does its last piece of work
    looks behind it, and then there is none; what is found here is looked at again under the job's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (
                   SELECT 1 FROM capture_job j WHERE j.id = %s AND j.deleted IS NULL
                   AND (j.state = 'stopping' OR j.state = 'running'
                       AND NOT EXISTS (SELECT 1 FROM indexing_batch b WHERE b.job = j.id AND b.state IN ('ready', 'claimed'))
                       AND NOT EXISTS (SELECT 1 FROM capture_capturefile c WHERE c.job_id = j.id
                                       AND c.scan_state IN ('waiting', 'scanning'))))""",
            [job_id],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def _capture_failed(job: Job) -> bool:
    return LiveCapture.objects.filter(pk=job.pk, ending__in=CAPTURE_FAILED).exists()


def _work_left(job: Job) -> bool:
    """Whether a batch or a scan of the job is to be done, or being done; of a file's job that is stopping only what is being
    done counts, and a live job has work as long as it is captured for."""
    if LiveCapture.objects.filter(pk=job.pk, open=True).exists():
        return True
    scans = CaptureFile.objects.filter(job=job)
    if job.state == JobState.STOPPING and job.kind == JobKind.FILE:
        at_work = Q(lease_until__gt=Now())
        claimed = Batch.objects.filter(at_work, job=job.pk, state=BatchState.CLAIMED)
        return claimed.exists() or scans.filter(at_work, scan_state=ScanState.SCANNING).exists()
    return scans.filter(scan_state__in=[ScanState.WAITING, ScanState.SCANNING]).exists() or batches.open_batches(job.pk)
