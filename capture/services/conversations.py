"""The second pass over a job's packets, in capture order: a worker claims it, takes what is visible, and leaves a checkpoint.

Locks are taken in the order batch, pass, as everywhere (progress).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from numpy.typing import NDArray

from capture.models import ENDED, ConversationPass, Job, JobKind, LiveCapture, PassState
from capture.packets import bounded
from capture.packets.conversations.contract import LATE, Found, nothing
from capture.packets.conversations.conversations import Conversations, joined
from capture.packets.errors import PacketsError
from capture.services import checkpoints
from capture.services.text import storable
from indexing import batches, pipeline, second_pass, store
from indexing.backends.base import BackendAway, BackendError
from indexing.models import Batch, BatchState, SecondPass

logger = logging.getLogger(__name__)

# A claim lasts so long at most, then its checkpoint is written and others may go on.
TURN_SECONDS = 3.0
# A worker that was ended so often at the same batch leaves it out.
MAX_FAILURES = 5
BACK_OFF_SECONDS = 3.0
# A checkpoint may take a while to write, with a million conversations in it: the work between two takes so many times as long.
BETWEEN_CHECKPOINTS = 4.0
_LONG_SECONDS = 0.25
# Of a live job on an idle link: what was captured until so long ago has been seen.
IDLE_SECONDS = 5.0
# Of a capture, packets between two looks at what has run out of time: not at the end of a turn, which comes by the clock on the
# wall. Where packets' times go back by more than DISORDER_NS it matters when that is done, and the same job must find the same.
EXPIRE_PACKETS = 100_000
# Packets of a capture may stand in it so much later than their times say, and are still taken for what they are.
DISORDER_NS = 10 * 10**9
_ERRORS_TOLD = 2000  # characters


class PassLost(Exception):
    """The lease ran out, or the job was deleted: what was found since the checkpoint will be found again."""


class CannotTake(Exception):
    """A batch cannot be read now, or there is not enough memory for it: tried again, a few times."""


@dataclass
class Kept:
    """What this process knows of a job's conversations, behind the checkpoint `path`."""

    path: str
    known: Conversations
    # Batches whose packets may still get values, by column: id, first column, packets.
    open: list[tuple[int, int, int]] = field(default_factory=list)
    late: Found = field(default_factory=nothing)  # values for them so far
    fresh: list[Found] = field(default_factory=list)  # found since they were last imported
    last_ns: int = 0  # the latest time of a packet that was taken
    wrote_seconds: float = 0.0  # how long the checkpoint took


# One at a time, of this process: to go on where it left off, it need not read the checkpoint.
_kept: tuple[int, int, Kept] | None = None  # process, job


def step(live_only: bool = False) -> bool:
    """Goes on with one job's pass for a turn; False if none has anything to do."""
    claimed = _claim(live_only)
    if claimed is None:
        return False
    try:
        with _renewing(claimed) as lost:
            _run(claimed, lost)
    except PassLost:
        _forget()
        logger.info("the second pass over job %d is another's", claimed.pk)
    except BackendAway as away:
        _forget()
        logger.warning("the second pass over job %d waits: %s", claimed.pk, str(away))
        _release(claimed, BACK_OFF_SECONDS)
    except CannotTake as error:
        _forget()
        logger.warning("the second pass over job %d: %s", claimed.pk, str(error))
        _release(claimed, BACK_OFF_SECONDS, failed=True)
    except (BackendError, OSError) as error:
        _forget()
        logger.warning("the second pass over job %d is tried again: %s", claimed.pk, str(error))
        _release(claimed, BACK_OFF_SECONDS)
    except BaseException:
        _forget()
        raise
    return True


def _claim(live_only: bool) -> ConversationPass | None:
    """A pass that has something to do: its job's next batch is visible, or no batch will follow, or time has run out for packets
    of a live job that is idle."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE capture_conversationpass SET attempt = attempt + 1, worker = %s,
                   failures = CASE WHEN lease_until IS NULL THEN failures ELSE failures + 1 END,
                   lease_until = now() + %s * interval '1 second'
               WHERE job_id = (
                   SELECT p.job_id FROM capture_conversationpass p JOIN capture_job j ON j.id = p.job_id
                   LEFT JOIN LATERAL (
                       SELECT b.state FROM indexing_batch b
                       WHERE b.job = p.job_id AND b.sequence >= p.next_sequence AND b.packets > 0
                         AND b.state IN ('ready', 'claimed', 'visible')
                       ORDER BY b.sequence LIMIT 1) AS next ON true
                   WHERE p.state = 'running' AND j.deleted IS NULL AND (j.kind = 'interface' OR NOT %s)
                     AND (p.lease_until IS NULL OR p.lease_until < now())
                     AND (p.not_before IS NULL OR p.not_before < now())
                     AND (next.state = 'visible'
                          OR next.state IS NULL AND j.state IN ('done', 'stopped', 'failed')
                          OR next.state IS NULL AND j.kind = 'interface' AND p.moved < now() - %s * interval '1 second'
                             AND EXISTS (SELECT 1 FROM indexing_batch b WHERE b.job = p.job_id AND b.second_pass = 'open'))
                   ORDER BY j.kind = 'interface' DESC, p.moved LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
               RETURNING job_id""",
            [batches.worker_name(), settings.LEASE_SECONDS, live_only, IDLE_SECONDS],
        )
        row = cursor.fetchone()
    return ConversationPass.objects.select_related("job").get(pk=row[0]) if row else None


@contextmanager
def _renewing(claimed: ConversationPass) -> Iterator[threading.Event]:
    def renew() -> bool:
        held = ConversationPass.objects.filter(pk=claimed.pk, attempt=claimed.attempt)
        return bool(held.update(lease_until=Now() + timedelta(seconds=settings.LEASE_SECONDS)))

    with batches.keep_renewing(renew, f"second pass over job {claimed.pk}") as lost:
        yield lost


def _run(claimed: ConversationPass, lost: threading.Event) -> None:
    kept = _at_checkpoint(claimed)
    # A batch that ended a worker must come to be the first of a turn: none other is to be left out in its stead.
    careful = claimed.failures > 0
    until = time.monotonic() + (0.0 if careful else max(TURN_SECONDS, BETWEEN_CHECKPOINTS * kept.wrote_seconds))
    moved = False
    while True:
        if lost.is_set():
            raise PassLost
        batch = _next(claimed)
        if batch is None:
            break
        _take(claimed, kept, batch)
        claimed.next_sequence, moved = batch.sequence + 1, True
        if time.monotonic() > until:
            break
    done = batch is None and _none_follows(claimed)
    if done:
        kept.fresh.append(kept.known.end())
    elif claimed.job.kind == JobKind.INTERFACE:
        kept.fresh.append(kept.known.expire(_now_ns(claimed, kept, idle=not moved)))
    _import_late(claimed, kept, done)
    claimed.failures = 1 if careful and batch is not None else 0
    _leave(claimed, kept, done)


def _next(claimed: ConversationPass) -> Batch | None:
    """The next batch to take, if it is visible; those that failed or were dropped are passed over."""
    coming = Batch.objects.select_related("index").filter(job=claimed.pk, sequence__gte=claimed.next_sequence, packets__gt=0)
    coming = coming.filter(state__in=[BatchState.READY, BatchState.CLAIMED, BatchState.VISIBLE])
    batch = coming.order_by("sequence").first()
    return batch if batch is not None and batch.state == BatchState.VISIBLE else None


def _none_follows(claimed: ConversationPass) -> bool:
    if not Job.objects.filter(pk=claimed.pk, state__in=ENDED).exists():
        return False
    return _next(claimed) is None


def _take(claimed: ConversationPass, kept: Kept, batch: Batch) -> None:
    """One batch: what is final of its own packets is imported at once."""
    if claimed.failures >= MAX_FAILURES:
        claimed.failures = 0
        _give_up(claimed, batch, f"it could not be taken, or its worker ended without a word, {MAX_FAILURES} times")
        return
    try:
        with bounded.memory(settings.BATCH_MEMORY):
            packets = pipeline.read(batch)
            with bounded.seconds(settings.BATCH_SECONDS):
                found = kept.known.take(packets, batch.first_column)
    except (PacketsError, FileNotFoundError) as error:
        _give_up(claimed, batch, str(error))
        return
    except OSError as error:
        raise CannotTake(f"batch {batch.sequence} cannot be read: {error}") from error
    except MemoryError:
        raise CannotTake(f"batch {batch.sequence}: more memory than PICAPWEB_BATCH_MEMORY would be needed") from None
    if batch.last_time_ns is not None:
        kept.last_ns = max(kept.last_ns, batch.last_time_ns)
    kept.open.append((batch.pk, batch.first_column, batch.packets))
    claimed.packets += batch.packets
    prompt = second_pass.PROMPT.intersection(batch.fields)
    _import(claimed, batch.pk, second_pass.within(second_pass.among(found, prompt), batch.first_column, batch.packets), prompt)
    kept.fresh.append(second_pass.among(found, LATE))
    looked = (claimed.packets - batch.packets) // EXPIRE_PACKETS
    if claimed.job.kind != JobKind.INTERFACE and claimed.packets // EXPIRE_PACKETS > looked:
        kept.fresh.append(kept.known.expire(kept.last_ns - DISORDER_NS))


def _give_up(claimed: ConversationPass, batch: Batch, reason: str) -> None:
    """A batch that cannot be read is a hole: what lies behind it goes on as after lost packets."""
    words = f"packets {batch.first_number} to {batch.last_number} (batch {batch.sequence}) were left out: {reason}"
    logger.error("the second pass over job %d: %s", claimed.pk, words)
    if len(claimed.error) < _ERRORS_TOLD:
        claimed.error = "; ".join(text for text in (claimed.error, storable(words)) if text)
    Batch.objects.filter(pk=batch.pk).update(second_pass=SecondPass.DONE)


def _now_ns(claimed: ConversationPass, kept: Kept, idle: bool) -> int:
    """Until when all packets have been taken: by their own times; on an idle link, by the clock of who captures."""
    if idle and claimed.job.kind == JobKind.INTERFACE:
        live = LiveCapture.objects.filter(pk=claimed.pk, open=True, lag_packets=0).first()
        if live is not None and live.beat is not None:
            idle_ns = int((live.beat - timedelta(seconds=IDLE_SECONDS)).timestamp() * 1e9)
            return max(kept.last_ns - DISORDER_NS, idle_ns)
    return kept.last_ns - DISORDER_NS


def _import_late(claimed: ConversationPass, kept: Kept, done: bool) -> None:
    """Values for packets of batches that were taken before; a live job's at once, else when there are no more to come."""
    fresh = joined([nothing(), *kept.fresh])
    every = joined([kept.late, fresh])
    waiting = None if done else kept.known.waiting()
    live = claimed.job.kind == JobKind.INTERFACE
    still: list[tuple[int, int, int]] = []
    left = [nothing()]
    for pk, first, packets in kept.open:
        final = waiting is None or first + packets <= waiting
        found = second_pass.within(every, first, packets)
        due = final or (live and len(second_pass.within(fresh, first, packets).column))
        there = not due or _import(claimed, pk, found, LATE, SecondPass.DONE if final else None)
        if there and not final:
            still.append((pk, first, packets))
            left.append(found)
    kept.open, kept.late, kept.fresh = still, joined(left), []


def _import(
    claimed: ConversationPass,
    pk: int,
    found: Found,
    fields: Iterable[str],
    becomes: SecondPass | None = None,
) -> bool:
    """Brings what was found of a batch into the index. False if it is not there any more. Raises PassLost, BackendAway,
    BackendError."""
    with transaction.atomic():
        locked = Batch.objects.select_for_update(of=("self",)).select_related("index")
        batch = locked.filter(pk=pk, state=BatchState.VISIBLE).first()
        _hold(claimed)
        if batch is None:
            return False
        fields = second_pass.wanted(batch.fields).intersection(fields)
        if fields and (len(found.column) or claimed.again):
            backend = store.ensure_index(batch.index.name)
            backend.import_more(batch.index.name, second_pass.bits(batch, found, fields), fields, claimed.again)
        if becomes is not None:
            Batch.objects.filter(pk=pk).update(second_pass=becomes)
    return True


def _hold(claimed: ConversationPass) -> None:
    """Raises PassLost if the claim is over; locks it until the transaction ends."""
    held = ConversationPass.objects.select_for_update().filter(pk=claimed.pk, attempt=claimed.attempt, state=PassState.RUNNING)
    if not held.values_list("pk"):
        raise PassLost


# Checkpoints


def _at_checkpoint(claimed: ConversationPass) -> Kept:
    """What is known behind the checkpoint. One that cannot be read is as none: the pass begins anew."""
    global _kept
    if _kept is not None and _kept[:2] == (os.getpid(), claimed.pk) and _kept[2].path == claimed.checkpoint != "":
        return _kept[2]
    _forget()
    kept = Kept(claimed.checkpoint, Conversations(most=settings.CONVERSATIONS))
    if claimed.checkpoint:
        try:
            _load(kept, checkpoints.read(claimed.checkpoint))
        except (ValueError, FileNotFoundError) as error:
            logger.warning("the second pass over job %d begins anew: %s: %s", claimed.pk, claimed.checkpoint, error)
            kept.known.close()
            kept = Kept("", Conversations(most=settings.CONVERSATIONS))
            _begin_anew(claimed)
    _kept = os.getpid(), claimed.pk, kept
    return kept


def _begin_anew(claimed: ConversationPass) -> None:
    with transaction.atomic():
        mine = Batch.objects.filter(job=claimed.pk).exclude(second_pass=SecondPass.NONE)
        list(mine.select_for_update(of=("self",)).order_by("id").values_list("pk"))
        _hold(claimed)
        mine.update(second_pass=SecondPass.WAITING)
        claimed.next_sequence, claimed.packets, claimed.checkpoint, claimed.again, claimed.error = 0, 0, "", True, ""
        claimed.save(update_fields=["next_sequence", "packets", "checkpoint", "again", "error"])


def _load(kept: Kept, arrays: dict[str, NDArray[Any]]) -> None:
    kept.known.load(arrays)
    try:
        kept.open = [(int(pk), int(first), int(packets)) for pk, first, packets in arrays["open"]]
        kept.late = Found(arrays["late-field"], arrays["late-column"], arrays["late-value"])
        kept.last_ns = int(arrays["last-ns"])
    except KeyError as error:
        raise ValueError(f"{error} is missing") from None


def _leave(claimed: ConversationPass, kept: Kept, done: bool) -> None:
    """The checkpoint: what is known now, and in the same transaction, how far the pass is."""
    path = ""
    if not done:
        own: dict[str, NDArray[Any]] = {
            "open": np.array(kept.open, np.int64).reshape(-1, 3),
            "late-field": kept.late.field,
            "late-column": kept.late.column,
            "late-value": kept.late.value,
            "last-ns": np.array(kept.last_ns, np.int64),
        }
        began = time.monotonic()
        path = checkpoints.write(claimed.pk, {**kept.known.dump(), **own})
        kept.wrote_seconds = time.monotonic() - began
    # A live job's turns end when nothing is left to take, every second
    rest = BETWEEN_CHECKPOINTS * kept.wrote_seconds if claimed.job.kind == JobKind.INTERFACE else 0.0
    with transaction.atomic():
        taken = Batch.objects.filter(pk__in=[pk for pk, *_ in kept.open], second_pass=SecondPass.WAITING)
        list(taken.select_for_update(of=("self",)).order_by("id").values_list("pk"))
        _hold(claimed)
        taken.update(second_pass=SecondPass.OPEN)
        ConversationPass.objects.filter(pk=claimed.pk).update(
            state=PassState.DONE if done else PassState.RUNNING,
            next_sequence=claimed.next_sequence,
            checkpoint=path,
            packets=claimed.packets,
            conversations=len(kept.known),
            forgotten=kept.known.forgotten(),
            error=claimed.error,
            failures=claimed.failures,
            lease_until=None,
            not_before=Now() + timedelta(seconds=rest) if rest > BETWEEN_CHECKPOINTS * _LONG_SECONDS else None,
            moved=Now(),
        )
    kept.path = path
    checkpoints.remove_others(claimed.pk, path)
    if done:
        _forget()


def _forget() -> None:
    global _kept
    if _kept is not None:
        if _kept[0] == os.getpid():
            _kept[2].known.close()
        _kept = None


def _release(claimed: ConversationPass, seconds: float, failed: bool = False) -> None:
    ConversationPass.objects.filter(pk=claimed.pk, attempt=claimed.attempt).update(
        lease_until=None, not_before=Now() + timedelta(seconds=seconds), failures=F("failures") + int(failed)
    )
