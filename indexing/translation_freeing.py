"""Frees values that nobody uses any more, in the background, safe against imports in flight. Any number of processes may do so.

A sweep looks at all values of an index, some at a time; for each some, two steps:

1. Mark. Rows that have no column are marked as dying. For a moment the epoch is taken alone: imports that had begun are in, those
   that follow see a new epoch, and take back what they want of the dying. Every cache follows the epoch.
2. Settle, after a grace. What the backend says only now counts: what has a column, or was taken back, stays; the rest goes.

What is to be done, and how far it is, stands in Postgres; a step is one transaction. See docs/decisions/0019-freeing-values.md.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

import numpy as np
import psycopg
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from numpy.typing import NDArray

from indexing import store, translation_epoch
from indexing.backends.base import BackendAway, BackendError
from indexing.bulk_parameters import Bigints, bulk_cursor
from indexing.models import TranslationField, TranslationMark, TranslationSweep
from indexing.translation_used import check_is_whole, used_rows

# Between mark and settlement: far more than the time that readers believe in an epoch (translation.TRUST_SECONDS), and than
# requests of a killed importer are under way.
GRACE_SECONDS = 30.0
# So long after a deletion that a ring file's turn made, or the drop of a generation: they come every minute.
SWEEP_SECONDS = 600.0
# Marks are kept so long: a process that did not follow the epoch meanwhile forgets its whole cache.
REMEMBER_SECONDS = 900.0
# A backend that is away is asked again after so long.
REST_SECONDS = 10.0
# So many values are looked at in one step; Pilosa's GroupBy takes 2 s for 20,000 rows, the embedded store 0.5 s for 200,000.
LOOKED_AT, LOOKED_AT_ON_PILOSA = 200_000, 20_000
MARKED = 20_000  # at most, at once
# The first and the longest wait for the epoch: as long imports that come meanwhile stand still.
LEAST_PATIENCE, MOST_PATIENCE = 0.2, 4.0

logger = logging.getLogger(__name__)
_resting_until = 0.0
_patience = LEAST_PATIENCE

I64 = NDArray[np.int64]


def want(indexes: Iterable[str], seconds: float = 0.0) -> None:
    """Bits went from these indexes: their values are looked at in `seconds`, or sooner. Part of the caller's transaction, and the
    last thing in it."""
    with connection.cursor() as cursor:
        for index in sorted(set(indexes)):
            cursor.execute(
                """INSERT INTO indexing_translationsweep AS s (index, due, row) VALUES (%s, now() + %s * interval '1 second', 0)
                   ON CONFLICT (index) DO UPDATE SET due = least(s.due, excluded.due)""",
                [index, seconds],
            )


def free_once() -> bool:
    """Takes one step of freeing; False if there is none to take now."""
    global _resting_until
    if time.monotonic() < _resting_until:
        return False
    try:
        settles, sweeps, forgets = _what_is_due()
        return (settles and _settle_one()) or (sweeps and _look_on()) or (forgets and _forget_marks())
    except (BackendAway, BackendError) as error:
        logger.warning("freeing values waits: %s", error)
        _resting_until = time.monotonic() + REST_SECONDS
        return False


def _what_is_due() -> tuple[bool, bool, bool]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT FROM indexing_translationmark WHERE NOT settled AND made < now() - %s * interval '1 second'),
                      EXISTS (SELECT FROM indexing_translationsweep WHERE due <= now() OR field_id IS NOT NULL),
                      EXISTS (SELECT FROM indexing_translationmark WHERE settled AND made < now() - %s * interval '1 second')""",
            [GRACE_SECONDS, REMEMBER_SECONDS],
        )
        row = cursor.fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _look_on() -> bool:
    """Looks at the next values of a sweep, and marks those that have no column."""
    global _patience
    try:
        with transaction.atomic():
            waiting = TranslationSweep.objects.select_for_update(skip_locked=True)
            sweep = waiting.filter(Q(due__lte=Now()) | Q(field_id__isnull=False)).order_by("pk").first()
            if sweep is None:
                return False
            if sweep.field_id is None:
                # What goes from now on is the next sweep's.
                sweep.field_id, sweep.row, sweep.due = 0, 0, None
            _look_at_some(sweep)
            sweep.save()
        _patience = LEAST_PATIENCE
        return True
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise
        # An import takes its time. Those that came meanwhile have stood still behind us: they go first now.
        logger.info("freeing values waits for imports")
        _patience = min(MOST_PATIENCE, 2 * _patience)
        return False


def _look_at_some(sweep: TranslationSweep) -> None:
    field = TranslationField.objects.filter(index=sweep.index, pk__gte=sweep.field_id).order_by("pk").first()
    if field is None:
        sweep.field_id = None
        return
    if field.pk != sweep.field_id:
        sweep.field_id, sweep.row = field.pk, 0
    backend = store.backend()
    rows = _rows_after(field.pk, sweep.row, LOOKED_AT_ON_PILOSA if backend.masked else LOOKED_AT)
    if not rows.size:
        sweep.field_id, sweep.row = field.pk + 1, 0
        return
    check_is_whole(backend, sweep.index)
    unused = np.setdiff1d(rows, used_rows(backend, sweep.index, field.field, int(rows[0]), int(rows[-1])), assume_unique=True)
    sweep.row = int(rows[-1])
    if unused.size > MARKED:
        unused = unused[:MARKED]
        sweep.row = int(unused[-1])
    if unused.size:
        sweep.save()  # before the epoch is alone: nothing that could wait comes after that
        _mark(field, unused)


def _rows_after(field: int, row: int, most: int) -> I64:
    """The next rows that are given out and not dying, ascending."""
    with bulk_cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(array_agg(row), '{}') FROM (
                   SELECT v.row FROM indexing_translationvalue v
                   WHERE v.field_id = %s AND v.row > %s AND NOT EXISTS (
                       SELECT FROM indexing_translationdying d WHERE d.field_id = v.field_id AND d.row = v.row)
                   ORDER BY v.row LIMIT %s) AS found""",
            [field, row, most],
        )
        answer = cursor.fetchone()
    assert answer is not None
    return np.sort(answer[0])


def _mark(field: TranslationField, rows: I64) -> None:
    """Marks rows as dying. The caller's transaction must end at once."""
    with bulk_cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('indexing_translationmark', 'id'))")
        answer = cursor.fetchone()
        assert answer is not None
        # Nobody sees them before the end of the transaction, so they are written before the epoch is taken alone.
        cursor.execute(
            """INSERT INTO indexing_translationdying (field_id, row, mark) SELECT %s, row, %s FROM unnest(%b) AS q(row)
               ON CONFLICT DO NOTHING""",
            [field.pk, answer[0], Bigints(rows)],
        )
    packed = translation_epoch.pack_rows(rows)
    epoch = translation_epoch.move_on(field.index, _patience)
    with connection.cursor() as cursor:
        # The time of now, and not of the transaction's begin: the grace begins with its end.
        cursor.execute(
            """INSERT INTO indexing_translationmark (id, index, epoch, field_id, rows, made, settled)
               VALUES (%s, %s, %s, %s, %s, clock_timestamp(), false)""",
            [answer[0], field.index, epoch, field.pk, packed],
        )


def _settle_one() -> bool:
    """Deletes the values of the oldest mark that nobody has used or taken back."""
    with transaction.atomic():
        waiting = TranslationMark.objects.select_for_update(skip_locked=True).filter(settled=False).order_by("made")
        mark = waiting.extra(where=["made < now() - %s * interval '1 second'"], params=[GRACE_SECONDS]).first()
        if mark is None:
            return False
        field = TranslationField.objects.get(pk=mark.field_id)
        rows = translation_epoch.unpack_rows(mark.rows)
        backend = store.backend()
        check_is_whole(backend, mark.index)
        used = used_rows(backend, mark.index, field.field, int(rows[0]), int(rows[-1]))
        # No values of the field are taken back meanwhile, nor allocated.
        TranslationField.objects.select_for_update().get(pk=mark.field_id)
        with bulk_cursor() as cursor:
            cursor.execute(
                """WITH gone AS (DELETE FROM indexing_translationdying
                                 WHERE field_id = %s AND row BETWEEN %s AND %s AND mark = %s RETURNING row)
                   SELECT coalesce(array_agg(row), '{}') FROM gone""",
                [mark.field_id, int(rows[0]), int(rows[-1]), mark.pk],
            )
            answer = cursor.fetchone()
            assert answer is not None
            cursor.execute(
                "DELETE FROM indexing_translationvalue WHERE field_id = %s AND row = ANY(%b)",
                [mark.field_id, Bigints(np.setdiff1d(answer[0], used))],
            )
            freed = cursor.rowcount
        mark.settled = True
        mark.save(update_fields=["settled"])
    if freed:
        logger.info("%d values of field %s of index %s were freed", freed, field.field, mark.index)
    return True


def _forget_marks() -> bool:
    old = TranslationMark.objects.filter(settled=True)
    old.extra(where=["made < now() - %s * interval '1 second'"], params=[REMEMBER_SECONDS]).delete()
    return False
