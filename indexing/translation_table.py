"""The translation table in Postgres: looking up, allocating, and taking back what was marked as unused.

A value that is *dying* has its row still, and has a row in TranslationDying besides: nobody uses it, it seems, and it is freed
soon. It may be read; who wants to index it takes it back first (see translation_freeing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from indexing.bulk_parameters import Bigints, Byteas, Uuids, bulk_cursor, copy_rows
from indexing.strings import Strings

Missing = Mapping[str, Sequence[bytes]]
I64 = NDArray[np.int64]


class TranslationCollision(Exception):
    """Two values with one 128-bit hash: refused, for one row id would stand for both."""


@dataclass(frozen=True)
class State:
    """What one look at the tables says of an index: its epoch, whether a value is dying, and (id, next row) of its fields."""

    epoch: int
    any_dying: bool
    fields: dict[str, tuple[int, int]]


class Wanted:
    """Values of several fields, one behind the other, each value of a field once; hashed once, only when needed."""

    def __init__(self, values: Missing) -> None:
        self.fields = list(values)
        self.values: list[bytes] = [value for some in values.values() for value in some]
        self.counts = np.array([len(some) for some in values.values()], np.int64)
        self.strings = Strings.of(self.values)
        self.hashes = self.strings.hashes()

    def numbers(self, state: State) -> I64:
        """The number of each one's field; 0, which no field has, where the field is unknown."""
        return np.repeat(np.array([state.fields.get(field, (0, 0))[0] for field in self.fields], np.int64), self.counts)

    def places(self) -> I64:
        """For each one the place of its field."""
        return np.repeat(np.arange(len(self.fields)), self.counts)


def state(index: str, fields: Sequence[str]) -> State:
    """One look, one snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce((SELECT epoch FROM indexing_translationepoch WHERE index = %s), 0),
                      EXISTS (SELECT FROM indexing_translationdying), f.field, f.id, f.next_row
               FROM (SELECT) AS one LEFT JOIN indexing_translationfield f ON f.index = %s AND f.field = ANY(%s)""",
            [index, index, list(fields)],
        )
        rows = cursor.fetchall()
    return State(
        rows[0][0], rows[0][1], {field: (number, next_row) for _, _, field, number, next_row in rows if field is not None}
    )


def _each(columns: str, key: str) -> str:
    """The value of each row of q(field_id, key). A plain join of many would be planned as a pass over the whole table."""
    table = "indexing_translationvalue t"
    return f"LATERAL (SELECT {columns} FROM {table} WHERE t.field_id = q.field_id AND t.{key} = q.{key} LIMIT 1) AS v"


def look_up(wanted: Wanted, numbers: I64, dying: bool) -> I64:
    """The row id of each, 0 where there is none; of those that are dying, if `dying` asks for it, the row id below 0.

    Raises TranslationCollision."""
    rows = np.zeros(len(wanted.values), np.int64)
    asked = np.flatnonzero(numbers)
    if asked.size:
        found = "CASE WHEN d.row IS NULL THEN v.row ELSE -v.row END" if dying else "v.row"
        also = "LEFT JOIN indexing_translationdying d ON d.field_id = q.field_id AND d.row = v.row" if dying else ""
        with bulk_cursor() as cursor:
            cursor.execute(
                f"""SELECT coalesce(array_agg(q.place), '{{}}'), coalesce(array_agg({found}), '{{}}'),
                           coalesce(array_agg(q.place) FILTER (WHERE v.value <> q.value), '{{}}')
                    FROM unnest(%b, %b, %b) WITH ORDINALITY AS q(field_id, hash, value, place)
                    CROSS JOIN {_each("row, value", "hash")} {also}""",
                [Bigints(numbers[asked]), Uuids(wanted.hashes[asked]), Byteas(wanted.strings.chosen(asked))],
            )
            answer = cursor.fetchone()
        assert answer is not None
        places, ids, unequal = answer
        if unequal.size:
            at = int(asked[unequal[0] - 1])
            field = wanted.fields[int(wanted.places()[at])]
            raise TranslationCollision(f"field {field}: two values with the hash {wanted.hashes[at].tobytes().hex()}")
        rows[asked[places - 1]] = ids
    return rows


def allocate(index: str, wanted: Wanted, rows: I64, seen: State) -> I64:
    """Row ids of all: of those known (> 0 in `rows`) theirs; those dying (< 0) are taken back, the rest get new ids.

    rows, seen: what a look-up said, and the look at the tables *before* it. A transaction of its own, with the counters locked in
    field order: no two ids for a value, no gap, no deadlock. Raises TranslationCollision."""
    places = wanted.places()
    names = sorted({wanted.fields[place] for place in np.unique(places[rows <= 0]).tolist()})
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        if any(name not in seen.fields for name in names):
            cursor.execute(
                """INSERT INTO indexing_translationfield (index, field, next_row) SELECT %s, unnest(%s::text[]), 1
                   ON CONFLICT DO NOTHING""",
                [index, names],
            )
        cursor.execute(
            """SELECT field, id, next_row FROM indexing_translationfield
               WHERE index = %s AND field = ANY(%s) ORDER BY field COLLATE "C" FOR UPDATE""",
            [index, names],
        )
        locked = State(seen.epoch, seen.any_dying, {field: (number, next_row) for field, number, next_row in cursor.fetchall()})
        numbers = wanted.numbers(locked)
        dying = rows < 0
        if dying.any():
            _take_back(numbers[dying], -rows[dying])
        # Of a field whose counter is as it was, nobody has allocated anything since the look-up.
        before = [seen.fields.get(field, (0, 1))[1] for field in wanted.fields]
        now = [locked.fields.get(field, (0, 1))[1] for field in wanted.fields]
        moved = np.array(before) != np.array(now)
        again = (rows <= 0) & (moved[places] | dying)
        if again.any():
            found = look_up(wanted, np.where(again, numbers, 0), dying=False)
            rows = np.where(again, found, rows)
        new = np.flatnonzero(rows == 0)
        if new.size:
            rows[new] = _insert(wanted, numbers, places, new, locked)
    return rows


def _insert(wanted: Wanted, numbers: I64, places: I64, new: I64, locked: State) -> I64:
    of, counts = np.unique(places[new], return_counts=True)
    first = np.array([locked.fields[wanted.fields[place]][1] for place in of.tolist()], np.int64)
    # Values of a field lie one behind the other, and so do their new ids.
    before = np.cumsum(counts) - counts
    rows = np.arange(new.size, dtype=np.int64) + np.repeat(first - before, counts)
    data = copy_rows([numbers[new], rows], wanted.hashes[new], wanted.strings.chosen(new))
    with bulk_cursor() as bulk:
        bulk.execute(
            """UPDATE indexing_translationfield f SET next_row = q.next_row
               FROM unnest(%b, %b) AS q(id, next_row) WHERE f.id = q.id""",
            [Bigints(numbers[new[before]]), Bigints(first + counts)],
        )
        with bulk.copy("COPY indexing_translationvalue (field_id, row, hash, value) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(data)
    return np.asarray(rows, np.int64)


def _take_back(numbers: I64, rows: I64) -> None:
    """These rows are not dying any more, unless they are freed already."""
    with bulk_cursor() as cursor:
        cursor.execute(
            """DELETE FROM indexing_translationdying d USING unnest(%b, %b) AS q(field_id, row)
               WHERE d.field_id = q.field_id AND d.row = q.row""",
            [Bigints(numbers), Bigints(rows)],
        )


def values_of(index: str, rows: Mapping[str, Sequence[int]]) -> dict[str, dict[int, bytes]]:
    """Values of row ids, by field; those that stand for nothing are left out."""
    known = state(index, list(rows)).fields
    names = {number: field for field, (number, _) in known.items()}
    found: dict[str, dict[int, bytes]] = {field: {} for field in rows}
    numbers = [known[field][0] for field, wanted in rows.items() if field in known for _ in wanted]
    flat = [row for field, wanted in rows.items() if field in known for row in wanted]
    if flat:
        with bulk_cursor() as cursor:
            cursor.execute(
                f"""SELECT q.field_id, q.row, v.value FROM unnest(%b, %b) AS q(field_id, row)
                    CROSS JOIN {_each("value", "row")}""",
                [Bigints(numbers), Bigints(flat)],
            )
            for number, row, value in cursor.fetchall():
                found[names[number]][row] = value
    return found
