"""Taking what is due. Locks as everywhere: live capture, capture file, batch, job; whether it may go is decided under them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from django.db import transaction

from capture.models import ENDED, CaptureFile, Job
from capture.services import control, live, turning
from capture.services.errors import Refused
from indexing.models import Batch, BatchState
from people import audit
from retention.due import Due
from retention.models import Removal, Takes, Why


def take(due: Due) -> Removal | None:
    """Takes a job's data, and accounts for it; None if it may not go any more. Raises BackendAway, BackendError: nothing went."""
    if due.takes == Takes.ALL and not due.keep:
        return _whole(due)
    with transaction.atomic():
        live.lock(due.job)
        files = list(CaptureFile.objects.select_for_update(of=("self",)).filter(job=due.job).order_by("sequence"))
        chosen = _chosen(files, due)
        mine = Batch.objects.select_for_update(of=("self",)).select_related("index").filter(job=due.job)
        if due.keep:
            mine = mine.filter(capture__in=[file.path for file in chosen])
        rows = list(mine.exclude(state=BatchState.HIDDEN).order_by("id"))
        job = Job.objects.live().select_for_update(of=("self",)).filter(pk=due.job).first()
        if job is None or job.state not in ENDED:
            return None
        gone, packets = Counter(job.gone), 0
        if due.takes != Takes.INDEX:
            gone.update({"files": len(chosen), "file_bytes": sum(file.size for file in chosen)})
        if due.takes != Takes.CAPTURES:
            taken = turning.take_out(job, rows)
            packets = taken["indexed"]
            gone.update(taken)
        job.gone = dict(gone)
        job.save(update_fields=["gone", "packets_indexed"])
        if due.takes == Takes.INDEX:
            return _account(job, due, [], packets)
        removal = _account(job, due, chosen, packets)
        paths = [file.file for file in chosen]
        CaptureFile.objects.filter(pk__in=[file.pk for file in chosen]).delete()
        # Not before the rows are gone for good: files without a row are only space, rows without a file a fault.
        transaction.on_commit(lambda: _unlink(paths))
    return removal


def _whole(due: Due) -> Removal | None:
    job = Job.objects.live().filter(pk=due.job).first()
    if job is None:
        return None
    files = list(CaptureFile.objects.filter(job=due.job))
    packets = job.packets_indexed
    try:
        control.delete(job, only_ended=True)
    except Refused:  # retried or deleted meanwhile
        return None
    return _account(job, due, files, packets)


def _chosen(files: list[CaptureFile], due: Due) -> list[CaptureFile]:
    """All of the job's files, or its oldest ones until the others take no more than may stay."""
    if due.takes == Takes.INDEX:
        return []
    left = sum(file.size for file in files)
    chosen = []
    for file in files:
        if due.keep and left <= due.keep:
            break
        chosen.append(file)
        left -= file.size
    return chosen


def _account(job: Job, due: Due, files: list[CaptureFile], packets: int) -> Removal:
    removal = Removal.objects.create(
        job=job.pk,
        job_name=job.name,
        why=due.why,
        takes=due.takes,
        files=len(files),
        bytes=sum(file.size for file in files),
        packets=packets,
    )
    _audit(removal)
    return removal


def _audit(removal: Removal) -> None:
    """Into the audit log too. That a whole job was deleted stands there besides."""
    audit.record(
        "retention",
        f"job {removal.job}",
        why=f"retention: {Why(removal.why).label}",
        takes=str(removal.takes),
        files=removal.files,
        bytes=removal.bytes,
        packets=removal.packets,
    )


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
