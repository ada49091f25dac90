"""What a worker does when it is rung: claims scans and batches until nothing waits, or its turn is over."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from capture.models import ENDED, Job, JobState
from capture.packets.errors import PacketsError
from capture.services import alive, besides, control, conversation_rows, conversations, live, progress, scan, turning
from capture.services.ring import ring
from indexing import batches, given_up, merging, pipeline, store, translation, translation_copy, translation_freeing
from indexing.backends.base import Backend, BackendAway, BackendError
from indexing.batches import Claim, ClaimLost
from indexing.models import Batch, SecondPass
from indexing.translation import TranslationCollision
from picapweb import counts, logs

logger = logging.getLogger(__name__)

# A task ends after so long and rings again, so that a worker that is to stop does so soon.
TURN_SECONDS = 2.0
# A part that is away is asked again after so long.
BACK_OFF_SECONDS = 3.0
# What a worker does when nothing else waits, it does every so often in any case.
TIDY_SECONDS = 10.0
_tidied = time.monotonic()
# A worker that was rung and finds nothing to do looks for what can wait so often at most: a dozen statements, and small jobs ring
# a hundred times a second.
REST_SECONDS = 1.0
_rested = 0.0
# A live job's second pass is not behind everything else: it is looked at so often, whatever else there is.
PASS_SECONDS = 1.0
_passed = 0.0
# Whether a process that has claims has died is looked at so often, and by a new one, which may be its successor, at once.
GONE_SECONDS = 1.0
_looked = -GONE_SECONDS


def turn() -> None:
    """Works for one turn; rings again if there was more to do."""
    deadline = time.monotonic() + TURN_SECONDS
    _take_over()
    if time.monotonic() - _tidied > TIDY_SECONDS:
        _tidy()
    while step(REST_SECONDS):
        besides.do()
        if time.monotonic() > deadline:
            ring()
            return

    besides.do()


def _take_over() -> None:
    """Now and then: what dead processes of this data folder had claimed is claimed again at once."""
    global _looked
    if time.monotonic() - _looked > GONE_SECONDS:
        _looked = time.monotonic()
        alive.end_claims_of_the_dead()


def until_idle() -> None:
    """Works until nothing waits (tests, and commands that are their own worker)."""
    while step():
        besides.do()
    besides.do(0.0)


def step(rest: float = 0.0) -> bool:
    """Does one piece of work; False if there was none. A scan comes first: it is what makes work for the others.

    rest: seconds for which what can wait is not looked for again, after nothing of it was found."""
    global _rested, _passed
    if time.monotonic() - _passed > PASS_SECONDS:
        _passed = time.monotonic()
        if conversations.step(live_only=True):
            return True
    capture = scan.claim()
    if capture is not None:
        with logs.bound(job=capture.job_id):
            scan.run(capture)
        return True
    claimed = batches.claim(_busy_jobs())
    if claimed is not None:
        with logs.bound(job=claimed[0].job, batch=claimed[0].sequence), counts.timed("picapweb_batch_seconds"):
            run_batch(*claimed)
        return True
    if time.monotonic() - _rested < rest:
        return False
    if conversations.step() or _tidy() or merging.merge_once(_none_follows):
        return True
    _rested = time.monotonic()
    return False


def _tidy() -> bool:
    """Does a piece of what can wait, but not for ever."""
    global _tidied
    _tidied = time.monotonic()
    if conversation_rows.begin_again_what_changed():
        return True
    if live.close_orphans() or turning.turn_one() or control.clear_one_deleted() or _end_stopping():
        return True
    return translation_freeing.free_once() or merging.compact_once() or translation_copy.copy_once()


def run_batch(batch: Batch, claim: Claim) -> None:
    """Indexes one claimed batch, or hands it back, or sets it aside; then its job may be over."""
    try:
        if claim.attempt > batches.MAX_ATTEMPTS:
            _set_aside(claim, batch.error)
        else:
            _index(batch, claim)
    except ClaimLost as lost:
        logger.info("%s", lost)
    except BackendAway as away:
        batches.hand_back(claim, str(away), BACK_OFF_SECONDS)
        progress.note_waiting(batch.job, str(away))
    except (OperationalError, InterfaceError):
        # Postgres went away: the lease brings the batch back, and nothing of it is half done.
        connection.close()
        raise
    except (PacketsError, OSError, BackendError, TranslationCollision) as error:
        _set_aside(claim, str(error))
    except DatabaseError as error:
        _set_aside(claim, f"Postgres refused: {error}")
    except Exception as error:
        logger.exception("batch %d of job %d", batch.sequence, batch.job)
        _set_aside(claim, f"{type(error).__name__}: {error}")
    progress.end_if_done(batch.job)


def _set_aside(claim: Claim, reason: str) -> None:
    """The batch fails. What an attempt that broke off may have brought into the index goes first; where that cannot be done
    now, the batch waits until it can."""
    try:
        with transaction.atomic():
            held = batches.hold(claim)
            store.backend().hide_batches(held.index.name, [turning.range_of(held)])
            batches.set_aside(claim, reason)
    except ClaimLost as lost:
        logger.info("%s", lost)
    except (BackendAway, BackendError) as error:
        batches.hand_back(claim, f"{reason}; {error}", BACK_OFF_SECONDS)
        progress.note_waiting(held.job, str(error))


def _index(batch: Batch, claim: Claim) -> None:
    with batches.renewing(claim) as lost:
        backend = store.ensure_index(batch.index.name)
        epoch = translation.epoch(batch.index.name)
        prepared = pipeline.prepare(batch, lost, conversation_rows.is_whole(batch))
    while not _import(batch, claim, backend, prepared, epoch):
        epoch = translation.catch_up(batch.index.name)
        dissected = prepared.dissected
        prepared = replace(prepared, bits=pipeline.bits(batch, dissected, pipeline.row_ids(batch.index.name, dissected)))


def _import(batch: Batch, claim: Claim, backend: Backend, prepared: pipeline.Prepared, epoch: int) -> bool:
    """Makes a batch visible; False if values may have been freed since `epoch`: then they must be resolved again."""
    with transaction.atomic():
        # The row stays locked until the import is in and the batch says so: nobody deletes the job in between.
        batches.hold_only(claim)
        if not translation.shares_epoch(batch.index.name, epoch):
            return False
        backend.import_batch(batch.index.name, prepared.bits)
        dissected = prepared.dissected
        batch.undecodable, batch.dissector = dissected.undecodable, dissected.dissector
        batch.handed_over, batch.not_indexed = dissected.handed_over, dissected.not_indexed
        given_up.note(batch, prepared.given_up, prepared.locator)
        batches.complete(batch)
        progress.note_visible(batch)
        if batch.second_pass == SecondPass.WAITING:
            conversation_rows.note_batch(batch.job)
        transaction.on_commit(partial(counts.add, "picapweb_indexed_packets", (), batch.packets))
    return True


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
