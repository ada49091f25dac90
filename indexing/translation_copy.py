"""The copies of values that predicates are found by: made in the background, of the fields that somebody asks predicates of.

Indexes that find a piece of a text cost more than all of the rest of writing a value, so nothing is indexed when values come in.
Rows of a field are given out in order: what is copied is a row id, `covered`, and the values after it, which are few, are looked
at one by one. A copy without its value, left by a deletion at the same moment, does no harm: nothing has that row.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from indexing.predicates_sql import KEY_BYTES

# Fields of fewer values are looked at one by one, which takes a hundredth of a second.
COPIED_FROM = 5_000
COPIED_AT_ONCE = 5_000  # a batch that comes meanwhile waits for it


@dataclass(frozen=True)
class Extent:
    """A field's number, its last row that was given out, and the last one that is in the copy."""

    number: int
    last: int
    covered: int


def extent(index: str, field: str) -> Extent | None:
    """What is there of a field, None if nothing. A field that has become large enough is copied from now on."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT f.id, f.next_row - 1, s.covered FROM indexing_translationfield f
               LEFT JOIN indexing_translationsearch s ON s.field_id = f.id WHERE f.index = %s AND f.field = %s""",
            [index, field],
        )
        row = cursor.fetchone()
        if row is None:
            return None
        number, last, covered = row
        if covered is None and last >= COPIED_FROM:
            cursor.execute(
                "INSERT INTO indexing_translationsearch (field_id, covered) VALUES (%s, 0) ON CONFLICT DO NOTHING", [number]
            )
    return Extent(number, last, covered or 0)


def copy_once() -> bool:
    """Copies some values of a field that lacks them; False if there is none. Any number of processes may do so.

    The next row of a field moves in the transaction that writes the values, under a lock: all before it are there."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """SELECT s.field_id, s.covered, f.next_row - 1 FROM indexing_translationsearch s
               JOIN indexing_translationfield f ON f.id = s.field_id AND s.covered < f.next_row - 1
               ORDER BY s.field_id LIMIT 1 FOR UPDATE OF s SKIP LOCKED"""
        )
        row = cursor.fetchone()
        if row is None:
            return False
        number, covered, given = row
        last = min(given, covered + COPIED_AT_ONCE)
        cursor.execute(
            """INSERT INTO indexing_translationcopy (field_id, row, value, key, address)
               SELECT field_id, row, value, substring(value FROM 1 FOR %s), indexing_address(value)
               FROM indexing_translationvalue WHERE field_id = %s AND row > %s AND row <= %s ON CONFLICT DO NOTHING""",
            [KEY_BYTES, number, covered, last],
        )
        cursor.execute("UPDATE indexing_translationsearch SET covered = %s WHERE field_id = %s", [last, number])
        if last == given:
            # What waits to be sorted into the index is read from end to end by every search.
            cursor.execute("SELECT gin_clean_pending_list('translation_copy_trigrams')")
    return True
