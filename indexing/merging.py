"""Small neighbouring batches become one, in the background: a live job cuts one a second, for years.

The first batch's row comes to stand for all of them, the other rows go. In this order: the new locator, the rows (locked, and
not committed yet), the store's one commit, the commit of the rows. Who is killed between the two commits leaves a store that
has one batch where there are rows of many: answers are the same, deleting all of the rows deletes it, and the next merge finds
it and makes the rows follow. See docs/decisions/0018-merging-batches.md.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import numpy as np
from django.conf import settings
from django.db import connection, transaction

from capture.packets.errors import PacketsError
from capture.packets.locator import read_locator_and_names, write_locator
from indexing import retired_locators, store
from indexing.backends.base import BackendAway, BackendError, BatchRange, MergeRefused
from indexing.merge_plan import Chain, Small, chains, run_of
from indexing.models import Batch, BatchState

# A job whose merge could not be done (a disk is full, a part away) is left alone by this process for so long.
REST_SECONDS = 60.0
# Of a job's small batches so many are looked at, oldest first.
_MOST_LOOKED_AT = 4096
# The rows of the partial index batch_mergeable. `urgent` says of a visible batch that it may still become one with others.
_MERGEABLE = "state = 'visible' AND urgent AND packets < 65536 AND second_pass NOT IN ('waiting', 'open')"
_SUMMED = ("packets", "read", "filtered_out", "undecodable", "handed_over", "captured_bytes", "wire_bytes")
_FIRST, _LAST = ("first_number", "first_time_ns"), ("last_number", "last_time_ns")

Settled = Callable[[Batch], bool] | None

logger = logging.getLogger(__name__)
_resting: dict[int, float] = {}
_COMPACTION = 0  # no job is called so


class Unreadable(Exception):
    """The locator of a batch cannot be read: it stays as it is."""

    def __init__(self, batch: int, text: str) -> None:
        super().__init__(text)
        self.batch = batch


def merge_once(settled: Settled = None) -> bool:
    """Merges one run of small neighbours; False if there is none. Any number of processes may do so at once.

    settled: whether no batch will follow this one, the youngest of its job; then what is left of the job is merged too."""
    for job, small in _small().items():
        if time.monotonic() < _resting.get(job, 0.0) or not _plan(small, settled):
            continue
        try:
            if _merge_in(job, settled):
                return True
        except (BackendAway, BackendError, OSError) as error:
            logger.warning("batches of job %d are merged later: %s", job, error)
            _resting[job] = time.monotonic() + REST_SECONDS
    retired_locators.sweep_now_and_then()
    return False


def compact_once() -> bool:
    """Has the backend do a bounded piece of its own tidying, whatever jobs its bits are of; False if there is none."""
    if time.monotonic() < _resting.get(_COMPACTION, 0.0):
        return False
    try:
        return store.backend().compact()
    except (BackendAway, BackendError, OSError) as error:
        logger.warning("the index is compacted later: %s", error)
        _resting[_COMPACTION] = time.monotonic() + REST_SECONDS
        return False


def _merge_in(job: int, settled: Settled) -> bool:
    ids: list[int] = []
    try:
        try:
            with transaction.atomic():
                if not retired_locators.lock(job):
                    return False
                ids = _plan(_small(job).get(job, []), settled)  # again: another process may just have been here
                return _make_one(_locked(ids), len(ids))
        except MergeRefused as refused:
            if refused.held is None:
                raise
            return _follow(job, refused.held)
    except Unreadable as error:
        logger.warning("batch %d is not merged: %s", error.batch, error)
        _set_settled([error.batch])
    except MergeRefused as refused:
        logger.warning("batches of job %d are not merged: %s", job, refused)
        _set_settled(ids)
    return True  # there may be others


def _plan(small: list[Small], settled: Settled) -> list[int]:
    """Ids of those of a job's small batches that are to become one. Those that never can are marked as settled."""

    def none_follows() -> bool:
        if settled is None:
            return False
        youngest = Batch.objects.filter(pk=small[-1].id).first()
        return youngest is not None and settled(youngest)

    planned = chains(small, none_follows)
    if len(small) == _MOST_LOOKED_AT:
        planned[-1].closed = False
    run: list[Small] = []
    for chain in planned:
        run = run or run_of(chain)
    _set_settled([one.id for chain in planned if _is_settled(chain) for one in chain.batches])
    return [one.id for one in run]


def _is_settled(chain: Chain) -> bool:
    return chain.closed and not run_of(chain)


def _small(job: int | None = None) -> dict[int, list[Small]]:
    """The small visible batches of a job, or of all jobs, by job; of each the oldest, by sequence."""
    of_job, values = ("", []) if job is None else ("AND job = %s", [job])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.job, b.id, b.sequence, b.first_column, b.packets, b.read,
                       b.capture, b.index_id, b.generation, md5(b.fields::text), b.dissector, md5(b.not_indexed::text),
                       next.sequence,
                       coalesce(next.state IN ('ready', 'claimed') OR next.second_pass IN ('waiting', 'open'), false)
                FROM (SELECT *, row_number() OVER (PARTITION BY job ORDER BY sequence) AS place
                      FROM indexing_batch WHERE {_MERGEABLE} {of_job}) AS b
                LEFT JOIN LATERAL (
                    SELECT n.sequence, n.state, n.second_pass FROM indexing_batch n
                    WHERE n.job = b.job AND n.sequence > b.sequence ORDER BY n.sequence LIMIT 1) AS next ON true
                WHERE b.place <= %s ORDER BY b.job, b.sequence""",
            [*values, _MOST_LOOKED_AT],
        )
        rows = cursor.fetchall()
    found: dict[int, list[Small]] = {}
    for of, pk, sequence, first_column, packets, read, *like, after, waits in rows:
        kin, made = tuple(like[:4]), tuple(like[4:])
        found.setdefault(of, []).append(Small(pk, sequence, first_column, packets, read, kin, made, after, waits))
    return found


def _locked(ids: Iterable[int]) -> list[Batch]:
    """The rows, locked until the caller's transaction ends, by sequence; without those that somebody else has locked."""
    rows = Batch.objects.select_for_update(skip_locked=True, of=("self",)).select_related("index")
    return list(rows.filter(pk__in=list(ids), state=BatchState.VISIBLE).order_by("sequence"))


def _set_settled(ids: list[int]) -> None:
    """These batches stay as they are: they are not looked at again."""
    if ids:
        with transaction.atomic():
            locked = [batch.pk for batch in _locked(ids)]
            Batch.objects.filter(pk__in=locked).update(urgent=False)


def _follow(job: int, held: BatchRange) -> bool:
    """The store has one batch already where there are rows of many, for a merge came to its end there only: the rows follow.

    Raises MergeRefused."""
    with transaction.atomic():
        if not retired_locators.lock(job):
            return False
        inside = Batch.objects.filter(job=job, first_column__gte=held.first_column, packets__gt=0)
        inside = inside.filter(first_column__lt=held.first_column + held.count).order_by("sequence")
        sequences = list(inside.values_list("sequence", flat=True))
        between = Batch.objects.filter(job=job, sequence__range=(sequences[0], sequences[-1])) if sequences else inside.none()
        ids = list(between.values_list("pk", flat=True))
        if not ids:
            raise MergeRefused(f"batch {held.batch} of the store has no row")
        return _make_one(_locked(ids), len(ids))


def _make_one(rows: list[Batch], number: int) -> bool:
    """Makes locked neighbours one batch, whose row is that of the first with packets. Part of the caller's transaction.

    False if they are not `number`, for some are being deleted.
    Raises Unreadable, OSError, BackendAway, BackendError, MergeRefused."""
    if not rows or len(rows) != number:
        return False
    full = [row for row in rows if row.packets]
    first = full[0] if full else rows[0]
    ranges = [BatchRange(row.pk, row.first_column, row.packets) for row in full]
    locator = _one_locator(full, rows) if len(full) > 1 else first.locator
    Batch.objects.filter(pk__in=[row.pk for row in rows if row.pk != first.pk]).delete()
    first.sequence, first.locator = rows[0].sequence, locator
    for name in _SUMMED:
        setattr(first, name, sum(getattr(row, name) for row in rows))
    for names, choose in ((_FIRST, min), (_LAST, max)):
        for name in names:
            known = [value for row in rows if (value := getattr(row, name)) is not None]
            setattr(first, name, choose(known, default=None))
    first.save(update_fields=["sequence", "locator", *_SUMMED, *_FIRST, *_LAST])
    if len(full) > 1:
        store.backend().merge_batches(first.index.name, ranges, BatchRange(first.pk, first.first_column, first.packets))
    return True


def _one_locator(full: list[Batch], rows: list[Batch]) -> str:
    """Writes the locator of all packets; its path. The old ones stay for those who have just read the old rows."""
    folder, token = PurePosixPath(full[0].locator).parent, secrets.token_hex(4)
    # Written once, by whoever drew the token: what a process cached of a path can never become wrong.
    path = str(folder / f"{rows[0].sequence:06d}-{rows[-1].sequence:06d}-m{token}")
    retired_locators.note(full[0].job, token, {row.locator: row.pk for row in full} | {path: full[0].pk})
    data = Path(settings.PICAPWEB_DATA)
    parts, names = [], list[bytes]()
    for row in full:
        try:
            part, some = read_locator_and_names(data / row.locator)
        except (PacketsError, FileNotFoundError) as error:
            raise Unreadable(row.pk, str(error)) from error
        if len(part) != row.packets:
            raise Unreadable(row.pk, f"{row.locator} has {len(part)} packets and not {row.packets}")
        names += [b""] * (len(some) - len(names))
        for i, name in enumerate(some):
            if name and names[i] not in (b"", name):
                raise Unreadable(row.pk, f"{row.locator} has another name for interface {i} than batches before it")
            names[i] = names[i] or name
        parts.append(part)
    write_locator(data / path, np.concatenate(parts), names)
    return path
