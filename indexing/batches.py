"""The queue of record: batches are added, claimed under a lease, renewed, completed, handed back or set aside.

Celery messages are doorbells only; what is to be done, and by whom it is being done, stands here.
"""

from __future__ import annotations

import json
import logging
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Max, Q, Sum
from django.db.models.functions import Now

from indexing import store
from indexing.backends.base import BackendAway, BackendError, BatchRange
from indexing.models import Batch, BatchState, PacketIndex

# From the second attempt on packets are dissected by children (pipeline.prepare), which cost no attempt: who dies behind that was
# killed by someone else, as a rule, who may do it several times in a row.
MAX_ATTEMPTS = 8
FAIRNESS = 4

logger = logging.getLogger(__name__)


class ClaimLost(Exception):
    """The lease ran out and another worker has the batch, or its job was stopped or deleted: drop what was done."""


@dataclass(frozen=True)
class Claim:
    """A right to work on one batch, until its lease runs out. `attempt` is the token: each claim has a new one."""

    batch: int
    attempt: int


def worker_name() -> str:
    """This process, as it is named in the rows it holds."""
    return f"{socket.gethostname()}/{os.getpid()}"


def allocate_columns(index: str, count: int) -> tuple[PacketIndex, int]:
    """Gives out `count` consecutive columns of an index: the index, and the first of them. Part of the caller's transaction."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE indexing_packetindex SET next_column = next_column + %s WHERE name = %s RETURNING id, next_column",
                [count, index],
            )
            row = cursor.fetchone()
        if row is not None:
            return PacketIndex(row[0], index, row[1]), int(row[1]) - count
        PacketIndex.objects.get_or_create(name=index)


@dataclass(frozen=True)
class Reservation:
    """Columns that are given out to one capture file and not used yet: `left` of them from `first` on."""

    first: int = 0
    left: int = 0


# Small batches of a file that grows take columns of one reservation, so that they lie one behind the other whatever other jobs
# do meanwhile; batches of SMALL packets and more stay as they are for ever, and take theirs directly.
RESERVED, SMALL = 1 << 16, 1 << 14


def take_columns(index: str, count: int, held: Reservation) -> tuple[PacketIndex, int, Reservation]:
    """`count` consecutive columns, of those held where there are enough: index, first column, what is held now.

    Part of the caller's transaction. What of `held` cannot be used is a hole for ever: columns of no packet."""
    packet_index, _ = PacketIndex.objects.get_or_create(name=index)
    if held.left >= count:
        return packet_index, held.first, Reservation(held.first + count, held.left - count)
    locked = PacketIndex.objects.select_for_update().get(pk=packet_index.pk)
    first = held.first if held.left and held.first + held.left == locked.next_column else locked.next_column
    more = RESERVED if count < SMALL else 0
    locked.next_column = first + count + more
    locked.save(update_fields=["next_column"])
    return packet_index, first, Reservation(first + count, more)


def give_back(index: str, held: Reservation) -> None:
    """A file has ended: what it holds is given to others, if nobody took columns behind it. Part of the caller's transaction."""
    if held.left:
        behind = PacketIndex.objects.filter(name=index, next_column=held.first + held.left)
        behind.update(next_column=held.first)


def claim(busy_jobs: list[int] | None = None) -> tuple[Batch, Claim] | None:
    """The oldest batch that waits, or whose lease ran out; None when there is none. Urgent ones, of live captures, come first,
    but for one claim in FAIRNESS, so that files get on while a live capture takes all there is.

    busy_jobs: jobs that have as many batches at work as they may. A batch that was claimed MAX_ATTEMPTS times without an
    end took its workers with it: it comes back with a greater attempt and says so in `error`, to be set aside.
    """
    urgent_first = random.randrange(FAIRNESS) > 0
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE indexing_batch SET state = 'claimed',
                   error = CASE WHEN attempt >= %s THEN
                       'its worker ended without a word ' || %s::int || ' times; last: ' || worker ELSE error END,
                   attempt = attempt + 1, worker = %s,
                   lease_until = now() + %s * interval '1 second'
               WHERE id = (
                   SELECT id FROM indexing_batch
                   WHERE state IN ('ready', 'claimed')
                     AND (state = 'ready' OR lease_until < now())
                     AND (not_before IS NULL OR not_before < now())
                     AND NOT job = ANY(%s)
                   ORDER BY urgent AND %s DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING id, attempt""",
            [MAX_ATTEMPTS, MAX_ATTEMPTS, worker_name(), settings.LEASE_SECONDS, busy_jobs or [], urgent_first],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    batch = Batch.objects.select_related("index").get(pk=row[0])
    return batch, Claim(row[0], row[1])


def renew(held: Claim) -> bool:
    """Prolongs a lease; False if the claim is lost."""
    updated = Batch.objects.filter(pk=held.batch, attempt=held.attempt, state=BatchState.CLAIMED).update(
        lease_until=Now() + timedelta(seconds=settings.LEASE_SECONDS)
    )
    return bool(updated)


@contextmanager
def keep_renewing(renew: Callable[[], bool], name: str) -> Iterator[threading.Event]:
    """Calls `renew` from a thread, three times a lease, until the block ends. The event is set when it gave False."""
    lost, done = threading.Event(), threading.Event()

    def keep() -> None:
        try:
            while not done.wait(settings.LEASE_SECONDS / 3):
                try:
                    if not renew():
                        lost.set()
                        return
                except DatabaseError:  # away for a moment: the lease itself decides
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=keep, name=name, daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        done.set()
        thread.join()


def renewing(held: Claim) -> AbstractContextManager[threading.Event]:
    """Renews a batch's lease while the work goes on. The event is set when the claim was lost."""
    return keep_renewing(lambda: renew(held), f"lease of batch {held.batch}")


def hold(held: Claim) -> Batch:
    """Locks the claimed batch until the caller's transaction ends, so that nobody deletes it meanwhile. Raises ClaimLost."""
    batch = (
        Batch.objects.select_for_update(of=("self",))
        .select_related("index")
        .filter(pk=held.batch, attempt=held.attempt, state=BatchState.CLAIMED)
        .first()
    )
    if batch is None:
        raise ClaimLost(f"batch {held.batch}: the claim of {worker_name()} is over")
    return batch


def hold_only(held: Claim) -> None:
    """As `hold`, for who has the batch's row already: nobody else changes it as long as the claim holds. Raises ClaimLost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM indexing_batch WHERE id = %s AND attempt = %s AND state = 'claimed' FOR UPDATE",
            [held.batch, held.attempt],
        )
        if cursor.fetchone() is None:
            raise ClaimLost(f"batch {held.batch}: the claim of {worker_name()} is over")


def complete(batch: Batch) -> None:
    """A batch that is held, and whose bits are in the backend, is visible. Saves what its dissection told. Part of the caller's
    transaction."""
    batch.state, batch.lease_until, batch.error = BatchState.VISIBLE, None, ""
    told: list[Any] = [batch.undecodable, batch.dissector, batch.handed_over, json.dumps(batch.not_indexed), batch.second_pass]
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE indexing_batch SET state = 'visible', lease_until = NULL, error = '', undecodable = %s, dissector = %s,
                      handed_over = %s, not_indexed = %s::jsonb, second_pass = %s WHERE id = %s""",
            [*told, batch.pk],
        )


def hand_back(held: Claim, reason: str, seconds: float) -> None:
    """A part was away: the batch waits `seconds` and is tried again; this attempt does not count against it."""
    with connection.cursor() as cursor:
        # The holder itself ends its claim here, so its number may be given again.
        cursor.execute(
            """UPDATE indexing_batch SET state = 'ready', error = %s, lease_until = NULL,
                      not_before = now() + %s * interval '1 second', attempt = attempt - 1
               WHERE id = %s AND attempt = %s AND state = 'claimed'""",
            [reason, seconds, held.batch, held.attempt],
        )


def set_aside(held: Claim, reason: str) -> None:
    """The batch itself cannot be indexed: it fails, with the reason; the job's other batches go on."""
    Batch.objects.filter(pk=held.batch, attempt=held.attempt, state=BatchState.CLAIMED).update(
        state=BatchState.FAILED, error=reason, lease_until=None
    )


def drop_waiting(job: int) -> int:
    """A job was stopped: its batches that no worker has (any more) are not indexed. How many."""
    mine = Batch.objects.filter(job=job)
    lapsed = mine.select_for_update(of=("self",)).filter(state=BatchState.CLAIMED, lease_until__lt=Now())
    with transaction.atomic():
        for batch in lapsed.select_related("index").order_by("id"):
            # Its worker may have died between the index and this row.
            try:
                store.backend().hide_batches(
                    batch.index.name, [BatchRange(batch.pk, batch.first_column, batch.packets, batch.generation)]
                )
            except (BackendAway, BackendError) as error:
                logger.warning("what an attempt may have left of batch %d stays in the index: %s", batch.pk, error)
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.DROPPED, lease_until=None)
        mine.filter(state=BatchState.READY).update(state=BatchState.DROPPED, lease_until=None)
        return mine.filter(state=BatchState.DROPPED).count()


def make_ready_again(job: int) -> int:
    """A job is retried: what failed or was dropped waits for a worker again. How many."""
    return Batch.objects.filter(job=job, state__in=[BatchState.FAILED, BatchState.DROPPED]).update(
        state=BatchState.READY, attempt=0, error="", not_before=None, lease_until=None
    )


def open_batches(job: int) -> bool:
    """Whether a batch of the job waits or is at work."""
    return Batch.objects.filter(job=job, state__in=[BatchState.READY, BatchState.CLAIMED]).exists()


def totals(job: int) -> dict[str, int]:
    """Counters of a job from its batches, the dropped ones left out: read = indexed + filtered_out + failed + waiting."""
    visible, failed = Q(state=BatchState.VISIBLE), Q(state=BatchState.FAILED)
    sums = (
        Batch.objects.filter(job=job)
        .exclude(state__in=[BatchState.DROPPED, BatchState.HIDDEN])
        .aggregate(
            read=Sum("read"),
            filtered_out=Sum("filtered_out"),
            indexed=Sum("packets", filter=visible),
            failed=Sum("packets", filter=failed),
            undecodable=Sum("undecodable", filter=visible),
            handed_over=Sum("handed_over", filter=visible),
            captured_bytes=Sum("captured_bytes"),
            wire_bytes=Sum("wire_bytes"),
        )
    )
    return {name: int(value or 0) for name, value in sums.items()}


def not_indexed(job: int) -> dict[str, dict[str, Any]]:
    """Fields that visible packets of the job lack though they were asked for: field -> reason (the first) and packets."""
    rows = Batch.objects.filter(job=job, state=BatchState.VISIBLE).exclude(not_indexed={}).order_by("sequence")
    found: dict[str, dict[str, Any]] = {}
    for packets, fields in rows.values_list("packets", "not_indexed"):
        add_not_indexed(found, fields, packets)
    return found


def add_not_indexed(to: dict[str, dict[str, Any]], fields: dict[str, str], packets: int) -> None:
    """Adds what a batch of `packets` lacks (field -> why) to what a job lacks."""
    for field, reason in fields.items():
        to.setdefault(field, {"reason": reason, "packets": 0})["packets"] += packets


def dropped_packets(job: int) -> int:
    """How many packets of the job were scanned and not indexed, because it was stopped first."""
    return int(Batch.objects.filter(job=job, state=BatchState.DROPPED).aggregate(sum=Sum("packets"))["sum"] or 0)


def column_ranges(job: int) -> list[list[int]]:
    """The job's visible columns as ascending [first, last] ranges; neighbours joined."""
    with connection.cursor() as cursor:
        # Neighbours have the same distance between their column and the number of packets before them.
        cursor.execute(
            """SELECT min(first_column), max(first_column + packets) - 1 FROM (
                   SELECT first_column, packets, first_column - sum(packets) OVER (ORDER BY first_column) + packets AS island
                   FROM indexing_batch WHERE job = %s AND state = 'visible' AND packets > 0) AS found
               GROUP BY island ORDER BY 1""",
            [job],
        )
        return [list(row) for row in cursor.fetchall()]


def last_sequence(job: int) -> int:
    """The greatest sequence of the job's batches, -1 if it has none."""
    last = Batch.objects.filter(job=job).aggregate(last=Max("sequence"))["last"]
    return -1 if last is None else int(last)


def waiting_bytes(job: int) -> int:
    """Captured bytes of the job's batches that are to be indexed, or are being."""
    open_ones = Batch.objects.filter(job=job, state__in=[BatchState.READY, BatchState.CLAIMED])
    return int(open_ones.aggregate(bytes=Sum("captured_bytes"))["bytes"] or 0)


def hide(job: int) -> list[Batch]:
    """A job is deleted: its batches leave the queue, whatever their state. Waits for imports in flight.

    Part of the caller's transaction. Returns them: the caller takes them out of the backend."""
    with transaction.atomic():
        batches = list(Batch.objects.select_for_update(of=("self",)).select_related("index").filter(job=job).order_by("id"))
        Batch.objects.filter(job=job).update(state=BatchState.HIDDEN)
    return batches
