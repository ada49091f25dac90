"""What a worker does when it is rung: claims scans and batches until nothing waits, or its turn is over."""

from __future__ import annotations

import logging
import time

from django.db import DatabaseError, OperationalError, connection, transaction

from capture.models import ENDED, Job, JobState
from capture.packets.errors import PacketsError
from capture.services import control, live, progress, scan, turning
from capture.services.ring import ring
from indexing import batches, merging, pipeline, store
from indexing.backends.base import BackendAway, BackendError
from indexing.batches import Claim, ClaimLost
from indexing.models import Batch, BatchState
from indexing.translation import TranslationCollision

logger = logging.getLogger(__name__)

# A task ends after so long and rings again, so that a worker that is to stop does so soon.
TURN_SECONDS = 2.0
# A part that is away is asked again after so long.
BACK_OFF_SECONDS = 3.0


def turn() -> None:
    """Works for one turn; rings again if there was more to do."""
    deadline = time.monotonic() + TURN_SECONDS
    while step():
        if time.monotonic() > deadline:
            ring()
            return


def until_idle() -> None:
    """Works until nothing waits (tests, and commands that are their own worker)."""
    while step():
        pass


def step() -> bool:
    """Does one piece of work; False if there was none. A scan comes first: it is what makes work for the others."""
    capture = scan.claim()
    if capture is not None:
        scan.run(capture)
        return True
    claimed = batches.claim(_busy_jobs())
    if claimed is not None:
        run_batch(*claimed)
        return True
    if live.close_orphans() or turning.turn_one() or control.clear_one_deleted() or _end_stopping():
        return True
    return merging.merge_once(_none_follows)


def run_batch(batch: Batch, claim: Claim) -> None:
    """Indexes one claimed batch, or hands it back, or sets it aside; then its job may be over."""
    try:
        if batch.state == BatchState.CLAIMED:
            _index(batch, claim)
    except ClaimLost as lost:
        logger.info("%s", lost)
    except BackendAway as away:
        batches.hand_back(claim, str(away), BACK_OFF_SECONDS)
        progress.note_waiting(batch.job, str(away))
    except OperationalError:
        # Postgres went away: the lease brings the batch back, and nothing of it is half done.
        connection.close()
        raise
    except (PacketsError, OSError, BackendError, TranslationCollision) as error:
        batches.set_aside(claim, str(error))
    except DatabaseError as error:
        batches.set_aside(claim, f"Postgres refused: {error}")
    except Exception as error:
        logger.exception("batch %d of job %d", batch.sequence, batch.job)
        batches.set_aside(claim, f"{type(error).__name__}: {error}")
    progress.end_if_done(batch.job)


def _index(batch: Batch, claim: Claim) -> None:
    with batches.renewing(claim) as lost:
        backend = store.ensure_index(batch.index.name)
        bits, dissected = pipeline.prepare(batch, lost)
    with transaction.atomic():
        # The row stays locked until the import is in and the batch says so: nobody deletes the job in between.
        held = batches.hold(claim)
        backend.import_batch(held.index.name, bits)
        held.state, held.lease_until, held.error = BatchState.VISIBLE, None, ""
        held.undecodable, held.dissector = dissected.undecodable, dissected.dissector
        held.handed_over, held.not_indexed = dissected.handed_over, dissected.not_indexed
        told = ["undecodable", "dissector", "handed_over", "not_indexed"]
        held.save(update_fields=["state", "lease_until", "error", *told])
        progress.note_visible(held)


def _busy_jobs() -> list[int]:
    """Jobs that have as many batches at work as their option `concurrency` allows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT j.id FROM capture_job j
               WHERE j.state = 'running' AND (j.options->>'concurrency')::int > 0 AND (j.options->>'concurrency')::int <= (
                   SELECT count(*) FROM indexing_batch b WHERE b.job = j.id AND b.state = 'claimed' AND b.lease_until >= now())"""
        )
        return [row[0] for row in cursor.fetchall()]


def _none_follows(batch: Batch) -> bool:
    """Whether the batch's job cuts no more batches, so that what is left of the small ones can be merged."""
    return not Job.objects.filter(pk=batch.job).exclude(state__in=ENDED).exists()


def _end_stopping() -> bool:
    """Ends jobs whose last worker died between its work and this: nobody else would."""
    waiting = Job.objects.live().filter(state__in=[JobState.STOPPING, JobState.RUNNING]).values_list("pk", flat=True)
    ended = [progress.end_if_done(job) for job in waiting]
    return any(ended)
