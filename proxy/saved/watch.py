"""Standing queries: each is asked once of every packet that becomes visible, and raises an alert when enough of them match.

Which columns have come stands in `Arrival`, written with the batch itself. They are taken, the queries asked of them, and what
was found is kept, in one transaction: a process that dies in between has done nothing. One process does so at a time (an
advisory lock of the transaction), any may: whoever makes a batch visible looks right behind it, a periodic task for the rest.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from capture import sight
from capture.services.errors import Refused
from indexing import limits
from indexing.backends.base import BackendAway, BackendError
from indexing.calls import Call, CountResult, QueryError
from indexing.columns import ColumnSet, of_ranges
from indexing.models import PacketIndex
from people.roles import role_of
from people.who import Who, acting, current
from proxy.ask import ask_rows, bounded, in_rows
from proxy.models import Arrival, StandingQuery
from proxy.saved import deliver, raising
from proxy.saved.found import found_of
from proxy.saved.saving import question

logger = logging.getLogger(__name__)

LOCK = 0x70696361_77617463  # of this program's advisory locks: nobody else's number
MOST_COLUMNS = 1 << 20  # asked at once, and a batch more at most
# What all queries together may take of time, else each is asked by itself; then one of them.
TOGETHER_SECONDS, ALONE_SECONDS, MEMORY = 5.0, 2.0, 512 << 20
TURN_SECONDS = 2.0
# A query that could not be asked of some packets is asked again, twice as late each time; then they are counted as missed.
AGAIN_SECONDS, ATTEMPTS = 5.0, 8


def look() -> None:
    """Does what is to be done now: asks, raises, sends. One statement where there is nothing."""
    arrived, ended, to_send = _what_is_due()
    try:
        until = time.monotonic() + TURN_SECONDS
        while arrived and time.monotonic() < until and _ask_some():
            to_send = True
        if ended and _raise_after_cooldown():
            to_send = True
    except (BackendAway, BackendError) as error:
        logger.warning("standing queries wait: %s", error)
    if to_send:
        deliver.start()


def _what_is_due() -> tuple[bool, bool, bool]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT FROM proxy_arrival WHERE not_before IS NULL OR not_before <= now()),
                      EXISTS (SELECT FROM proxy_standingquery WHERE due <= now()),
                      EXISTS (SELECT FROM proxy_delivery WHERE state = 'waiting' AND due <= now())"""
        )
        row = cursor.fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _alone() -> bool:
    """Whether this transaction is the one that works; until its end then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        row = cursor.fetchone()
    return row is not None and bool(row[0])


def _ask_some() -> bool:
    """Asks of some of the columns that have come; False if there are none, or another process is at it."""
    with transaction.atomic():
        if not _alone():
            return False
        taken = _take()
        if not taken:
            return False
        Arrival.objects.filter(pk__in=[one.pk for one in taken]).delete()
        index = PacketIndex.objects.get(pk=taken[0].index_id).name
        only = taken[0].only_id
        standing = StandingQuery.objects.select_for_update(of=("self",)).select_related("saved", "saved__owner")
        asked = list(standing.filter(enabled=True, saved__index=index, **({"pk": only} if only else {})).order_by("pk"))
        columns = of_ranges((one.first_column, one.first_column + one.packets - 1) for one in taken)
        if asked:
            # One that could not be asked has its own time: it must not hold up the others.
            late = [one for one in asked if one.error and not only]
            now = [one for one in asked if one not in late]
            for one, answer in zip(now, _counts(index, now, columns), strict=True):
                _keep(index, one, columns, answer, taken[0].attempts)
            for one in late:
                _later(one, taken[0].index_id, columns, 0)
        return True


def _take() -> list[Arrival]:
    """The oldest that are due, of one index, and all for everybody or all for one query."""
    due = Arrival.objects.filter(Q(not_before=None) | Q(not_before__lte=timezone.now())).order_by("pk")
    first = due.first()
    if first is None:
        return []
    taken, columns = list[Arrival](), 0
    for one in due.filter(index=first.index_id, only=first.only_id, attempts=first.attempts)[:10_000]:
        if taken and columns + one.packets > MOST_COLUMNS:
            break
        taken.append(one)
        columns += one.packets
    return taken


@dataclass(frozen=True)
class Counted:
    """How many of the columns a query has. call: what it has of them, in row ids. error: why it could not be asked."""

    count: int = 0
    call: Call | None = None
    error: str = ""


def _counts(index: str, asked: Sequence[StandingQuery], columns: ColumnSet) -> list[Counted]:
    """What each query has of the columns. Raises BackendAway, BackendError."""
    calls: list[Call | str] = [_call(index, one, columns) for one in asked]
    good = [call for call in calls if isinstance(call, Call)]
    shards = columns.shards()
    try:
        with limits.within(TOGETHER_SECONDS, MEMORY):
            answers: list[int | str] = list(_ask(index, good, shards))
    except QueryError:
        answers = [_ask_alone(index, call, shards) for call in good]
    counted, left = [], iter(answers)
    for call in calls:
        if isinstance(call, str):
            counted.append(Counted(error=call))
            continue
        answer = next(left)
        counted.append(Counted(error=answer) if isinstance(answer, str) else Counted(answer, call))
    return counted


def _call(index: str, one: StandingQuery, columns: ColumnSet) -> Call | str:
    """The packets of a query among the columns, in row ids; or why it cannot be asked."""
    try:
        # A savepoint: a predicate on values that Postgres ended would leave the transaction of no use.
        # Of packets that its owner may see, and of no others.
        with acting(_owner(one)), transaction.atomic(), limits.within(ALONE_SECONDS, MEMORY):
            asked = in_rows(index, question(one.saved).call)
            if sight.is_bounded():
                asked = bounded(index, asked) or asked
    except (QueryError, Refused, Http404) as error:
        return str(error)
    return Call("Intersect", [asked, columns.call()])


def _owner(one: StandingQuery) -> Who:
    """Who asks; the system in local mode, and where a query is nobody's."""
    owner = one.saved.owner
    if settings.LOCAL_MODE or owner is None:
        return current()
    return Who(owner.pk, owner.get_username(), role_of(owner), True, "standing query")


def _ask(index: str, calls: Sequence[Call], shards: list[int]) -> list[int]:
    if not calls:
        return []
    results = ask_rows(index, [Call("Count", [call]) for call in calls], shards)
    return [result.count if isinstance(result, CountResult) else 0 for result in results]


def _ask_alone(index: str, call: Call, shards: list[int]) -> int | str:
    try:
        with limits.within(ALONE_SECONDS, MEMORY):
            return _ask(index, [call], shards)[0]
    except QueryError as error:
        return str(error)


def _keep(index: str, one: StandingQuery, columns: ColumnSet, answer: Counted, attempts: int) -> None:
    if answer.error:
        one.error = answer.error[:1000]
        one.save(update_fields=["error"])
        _later(one, PacketIndex.objects.get(name=index).pk, columns, attempts + 1)
        return
    if one.error and not Arrival.objects.filter(only=one).exists():
        one.error = ""
        one.save(update_fields=["error"])
    if answer.count and answer.call is not None:
        raising.add(one, found_of(index, answer.call, columns.shards(), answer.count))
        raising.raise_if_due(one)


def _later(one: StandingQuery, index: int, columns: ColumnSet, attempts: int) -> None:
    """These columns wait for one query alone; after so many attempts they are given up, and counted."""
    if attempts >= ATTEMPTS:
        one.missed += columns.size
        one.save(update_fields=["missed"])
        logger.warning("standing query %s could not be asked of %d packets: %s", one.saved, columns.size, one.error)
        return
    when = _again(attempts)
    ranges = zip(columns.first.tolist(), columns.last.tolist(), strict=True)
    Arrival.objects.bulk_create(
        Arrival(index_id=index, first_column=first, packets=last - first + 1, only=one, attempts=attempts, not_before=when)
        for first, last in ranges
    )


def _again(attempts: int) -> datetime:
    return timezone.now() + timedelta(seconds=AGAIN_SECONDS * 2 ** max(0, attempts - 1))


def _raise_after_cooldown() -> bool:
    """Alerts that had to wait."""
    with transaction.atomic():
        waiting = StandingQuery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("saved")
        raised = [raising.raise_if_due(one) for one in waiting.filter(due__lte=timezone.now()).order_by("pk")]
    return any(raised)
