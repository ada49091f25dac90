"""The epoch of an index's values: imports share it, and freeing values takes it alone for a moment and moves it on.

Whoever resolves values notes the epoch *before*; the transaction that imports the bits shares the epoch and compares. If it is
the same, nothing that was resolved has been marked as unused since, and nothing is until the import is committed. If it is
another one, the values are resolved again. See docs/decisions/0019-freeing-values.md.
"""

from __future__ import annotations

import numpy as np
from django.db import connection
from numpy.typing import NDArray

_LOCK = "hashtextextended('values of ' || %s, 0)"


def read(index: str) -> int:
    """The epoch now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT epoch FROM indexing_translationepoch WHERE index = %s", [index])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def share(index: str) -> int:
    """The epoch, which stays until the caller's transaction ends. Waits for who has it alone, which is never long."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_LOCK})", [index])
    # A statement of its own: the snapshot of the one that waited may be older than what it waited for.
    return read(index)


def move_on(index: str, patience: float) -> int:
    """The next epoch, alone until the caller's transaction ends, which must be at once. Who shares the epoch is waited for, and
    who comes later waits behind: so neither starves. Raises OperationalError when `patience` seconds were not enough."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{max(1, int(patience * 1000))}ms"])
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", [index])
        cursor.execute("SELECT set_config('lock_timeout', '0', true)")
        cursor.execute(
            """INSERT INTO indexing_translationepoch AS e (index, epoch) VALUES (%s, 1)
               ON CONFLICT (index) DO UPDATE SET epoch = e.epoch + 1 RETURNING e.epoch""",
            [index],
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def marked_between(index: str, before: int, now: int) -> dict[str, NDArray[np.int64]] | None:
    """The rows that were marked as unused after epoch `before` and up to `now`, by field; None if that is not known any more."""
    if before > now:
        return None  # the tables were emptied
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT f.field, m.rows FROM indexing_translationmark m JOIN indexing_translationfield f ON f.id = m.field_id
               WHERE m.index = %s AND m.epoch > %s AND m.epoch <= %s""",
            [index, before, now],
        )
        found = cursor.fetchall()
    if len(found) != now - before:  # each epoch began with one mark
        return None
    marked: dict[str, list[NDArray[np.int64]]] = {}
    for field, rows in found:
        marked.setdefault(field, []).append(unpack_rows(rows))
    return {field: np.concatenate(some) for field, some in marked.items()}


def pack_rows(rows: NDArray[np.int64]) -> bytes:
    """Row ids as a mark keeps them."""
    return rows.astype("<i8").tobytes()


def unpack_rows(data: bytes | memoryview) -> NDArray[np.int64]:
    """What pack_rows packed."""
    return np.frombuffer(bytes(data), "<i8").astype(np.int64)
