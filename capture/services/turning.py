"""A ring that turns: the oldest files of a live job go, once all that is in them is indexed; with them their columns, or not.

Indexing may fall behind, and then the ring is longer than ordered: no packet goes before it could be asked for.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from capture.models import CaptureFile, Job, JobKind, ScanState
from indexing import given_up, store, translation_freeing
from indexing.backends.base import SHARD_WIDTH, BackendAway, BackendError, BatchRange
from indexing.models import Batch, BatchState, PacketIndex, SecondPass

logger = logging.getLogger(__name__)

# On Pilosa the batches of turning rings lie in generations of so many columns, which are dropped whole.
GENERATION_COLUMNS = 64 * SHARD_WIDTH
# What Pilosa has of them is asked so often by a process: each lasts for hours at least.
GENERATIONS_SECONDS = 30.0
_generations_looked_at = -GENERATIONS_SECONDS


def turns(job: Job) -> bool:
    """Whether columns of the job leave the index while it runs."""
    return job.kind == JobKind.INTERFACE and bool(job.options.get("ring_files")) and not job.options.get("ring_keep_index")


def generation_of(job: Job, first_column: int) -> int:
    """The generation of the index that a new batch of a job belongs to; 0: for ever."""
    if not turns(job) or not store.backend().generational:
        return 0
    return 1 + first_column // GENERATION_COLUMNS


def turn_one() -> bool:
    """Removes one ring file that its job has too many of, or clears what an earlier turn left. True if there was one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.job_id FROM capture_capturefile c JOIN capture_job j ON j.id = c.job_id
               WHERE j.kind = 'interface' AND j.deleted IS NULL AND (j.options->>'ring_files')::int > 0
               GROUP BY c.job_id, j.options HAVING count(*) > (j.options->>'ring_files')::int"""
        )
        found = [row[0] for row in cursor.fetchall()]
    return any(_turn_now(pk) for pk in found) or _clear_hidden() or _drop_generation()


def _turn_now(pk: int) -> bool:
    try:
        return _turn(pk)
    except (BackendAway, BackendError) as error:
        logger.warning("the ring of job %d turns later: %s", pk, error)
        return False


def _turn(pk: int) -> bool:
    with transaction.atomic():
        # The count above is of a moment ago: what may go is decided under the lock of the oldest.
        oldest = CaptureFile.objects.select_for_update(skip_locked=True, of=("self",)).filter(job=pk).order_by("sequence").first()
        if oldest is None or oldest.growing or oldest.scan_state not in (ScanState.DONE, ScanState.FAILED):
            return False
        if CaptureFile.objects.filter(job=pk).count() <= int(oldest.job.options["ring_files"]):
            return False
        mine = Batch.objects.select_for_update(of=("self",)).select_related("index").filter(job=pk, capture=oldest.path)
        rows = list(mine.order_by("id"))
        if any(row.state in (BatchState.READY, BatchState.CLAIMED) or row.second_pass == SecondPass.WAITING for row in rows):
            return False
        job = Job.objects.live().select_for_update().filter(pk=pk).first()
        if job is None:
            return False
        gone = Counter(job.gone)
        gone.update({"files": 1, "file_bytes": oldest.size})
        if turns(job):
            gone.update(take_out(job, rows))
        job.gone = dict(gone)
        job.save(update_fields=["gone", "packets_indexed"])
        path = oldest.file
        oldest.delete()
        path.unlink(missing_ok=True)
    return True


def take_out(job: Job, rows: list[Batch]) -> dict[str, int]:
    """A file's batches leave every answer at once. What of the job's totals goes with them (named as batches.totals does)."""
    visible = [row for row in rows if row.state == BatchState.VISIBLE]
    failed = [row for row in rows if row.state == BatchState.FAILED]
    Batch.objects.filter(pk__in=[row.pk for row in rows]).update(state=BatchState.HIDDEN)
    _hide([row for row in rows if row.packets])
    indexed = sum(row.packets for row in visible)
    job.packets_indexed -= indexed
    counted = visible + failed
    return {
        "read": sum(row.read for row in counted),
        "filtered_out": sum(row.filtered_out for row in counted),
        "indexed": indexed,
        "failed": sum(row.packets for row in failed),
        "undecodable": sum(row.undecodable for row in visible),
        "handed_over": sum(row.handed_over for row in visible),
        "captured_bytes": sum(row.captured_bytes for row in counted),
        "wire_bytes": sum(row.wire_bytes for row in counted),
    }


def _hide(rows: list[Batch]) -> None:
    for name in {row.index.name for row in rows}:
        store.backend().hide_batches(name, [range_of(row) for row in rows if row.index.name == name])


def range_of(batch: Batch) -> BatchRange:
    """A batch as backends know it."""
    return BatchRange(batch.pk, batch.first_column, batch.packets, batch.generation)


def _clear_hidden() -> bool:
    """Clears the bits, locators and rows of batches that left with their ring file."""
    deleted = Job.objects.filter(deleted__isnull=False).values("pk")
    with transaction.atomic():
        rows = list(
            Batch.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("index")
            .filter(state=BatchState.HIDDEN)
            .exclude(job__in=deleted)
            .order_by("id")[:1000]
        )
        if not rows:
            return False
        try:
            for name in {row.index.name for row in rows}:
                store.backend().clear_batches(name, [range_of(row) for row in rows if row.index.name == name and row.packets])
        except (BackendAway, BackendError) as error:
            logger.warning("clearing what a ring has left waits: %s", error)
            return False
        given_up.forget(rows)
        Batch.objects.filter(pk__in=[row.pk for row in rows]).delete()
        translation_freeing.want({row.index.name for row in rows}, translation_freeing.SWEEP_SECONDS)
    for row in rows:
        if row.locator:
            (Path(settings.PICAPWEB_DATA) / row.locator).unlink(missing_ok=True)
    return True


def _drop_generation() -> bool:
    """Drops one generation of an index that no batch is in any more, and none will be."""
    global _generations_looked_at
    backend = store.backend()
    if not backend.generational or time.monotonic() - _generations_looked_at < GENERATIONS_SECONDS:
        return False
    _generations_looked_at = time.monotonic()
    try:
        for index in PacketIndex.objects.all():
            youngest = 1 + index.next_column // GENERATION_COLUMNS
            for generation in backend.generations(index.name):
                if generation < youngest and not _is_used(index, generation):
                    translation_freeing.want([index.name], translation_freeing.SWEEP_SECONDS)
                    backend.drop_generation(index.name, generation)
                    return True
    except (BackendAway, BackendError) as error:
        logger.warning("dropping a generation waits: %s", error)
    return False


def _is_used(index: PacketIndex, generation: int) -> bool:
    if Batch.objects.filter(index=index, generation=generation).exists():
        return True
    first = (generation - 1) * GENERATION_COLUMNS
    held = CaptureFile.objects.filter(reserved_left__gt=0, job__index=index.name, reserved_column__gte=first)
    return held.filter(reserved_column__lt=first + GENERATION_COLUMNS).exists()
