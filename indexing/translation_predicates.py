"""Which rows of a field a predicate means: found by Postgres, in the copies of values (translation_copy) where there are some.

Not over all values is the other row ids, and Or is one search a part: each of them may use an index of its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import psycopg
from django.db import DatabaseError, OperationalError, transaction
from numpy.typing import NDArray

from capture.packets.fields import Field
from capture.packets.values import row_text
from indexing import predicates as p
from indexing import translation
from indexing.bulk_parameters import Bigints, Byteas, bulk_cursor
from indexing.calls import RowSet
from indexing.predicates import PredicateError
from indexing.predicates_sql import Sql, condition, subject_of
from indexing.strings import Strings
from indexing.translation_copy import Extent, extent

SECONDS = 2.0  # of one predicate
# A field of fewer possible rows is looked at as a whole; of others, the rows that there are.
_FEW_ROWS = 1 << 16

KnownRows = Callable[[], Iterable[int]]

_WRITTEN = subject_of("v.value")
_COPIED = replace(_WRITTEN, address="v.address", key="v.key")


class PredicateTooLong(Exception):
    """The database was not done in time; the text names field and seconds."""


def rows_matching(
    index: str, field: Field, predicate: p.Predicate, known_rows: KnownRows | None = None, seconds: float = SECONDS
) -> RowSet:
    """The rows of `field` for whose values `predicate` holds; some may have no columns (any more).

    known_rows: asked for the row ids that a field of encoding number or time may have, if those are too many to try them all.
    Raises PredicateError, PredicateTooLong.
    """
    if field.encoding == "int":
        raise PredicateError(f"field {field.name} has numbers and no values: compare it, as in Row({field.name} > 5)")
    if field.encoding != "text":
        return RowSet(field.name, _kept_rows_of_numbers(field, predicate, known_rows, seconds).view(np.uint64))
    there = extent(index, field.name)
    if there is None:
        condition(predicate, _WRITTEN)  # what is wrong is said in any case
        return RowSet(field.name, np.zeros(0, np.uint64))
    key = (there.number, predicate)
    upto, rows = _found.get(key)
    if upto != there.last:
        rows = _TextRows(index, field, there, seconds).of(predicate)
        _found.put(key, there.last, rows)
    # rows beyond the last one may have been found, too: those are of a value that has come meanwhile
    return RowSet(field.name, rows.view(np.uint64), (key, there.last, rows.size))


class _Found:
    """What predicates were found to mean, up to a row of their field; the least recently asked goes first. Thread-safe."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._size = most_bytes, 0
        self._kept: OrderedDict[Hashable, tuple[int, NDArray[np.int64]]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> tuple[int, NDArray[np.int64]]:
        """The row, and those up to it that were found; (0, none) if nothing is known."""
        with self._lock:
            if key not in self._kept:
                return 0, np.zeros(0, np.int64)
            self._kept.move_to_end(key)
            return self._kept[key]

    def put(self, key: Hashable, upto: int, rows: NDArray[np.int64]) -> None:
        """Nobody may change `rows`."""
        with self._lock:
            self._size -= self._bytes(self._kept.pop(key, None))
            self._kept[key] = upto, rows
            self._size += self._bytes(self._kept[key])
            while self._size > self._most:
                self._size -= self._bytes(self._kept.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._size = 0

    @staticmethod
    def _bytes(kept: tuple[int, NDArray[np.int64]] | None) -> int:
        return 0 if kept is None else 1024 + kept[1].nbytes


_found = _Found(64 << 20)


def forget() -> None:
    """Forgets what was found (to measure; a row id never comes to mean another value)."""
    _found.clear()


class _TextRows:
    """Row ids of one text field, int64, ascending."""

    def __init__(self, index: str, field: Field, there: Extent, seconds: float) -> None:
        self.index, self.field, self.there, self.seconds = index, field, there, seconds

    def of(self, predicate: p.Predicate) -> NDArray[np.int64]:
        match predicate:
            case p.Everything():
                return self._all()
            case p.Not(inner):
                condition(predicate, _WRITTEN)
                keep = np.ones(self.there.last + 1, bool)
                keep[0] = False
                rows = self.of(inner)
                keep[rows[rows <= self.there.last]] = False
                return np.flatnonzero(keep)
            case p.OneOf(values):
                return self._named(values)
            case p.Compare("==", value, "bytes"):
                return self._named([value])
            case p.Or(parts) if any(isinstance(part, p.Not | p.OneOf | p.Everything | p.Or) for part in parts):
                condition(predicate, _WRITTEN)
                return np.unique(np.concatenate([np.zeros(0, np.int64), *(self.of(part) for part in parts)]))
            case p.Or(parts):
                return self._searched(parts)
            case _:
                return self._searched([predicate])

    def _all(self) -> NDArray[np.int64]:
        return np.arange(1, self.there.last + 1)

    def _named(self, values: Iterable[bytes]) -> NDArray[np.int64]:
        found = translation.lookup(self.index, {self.field.name: values})[self.field.name]
        return np.sort(np.array(list(found.values()), np.int64))

    def _searched(self, parts: Sequence[p.Predicate]) -> NDArray[np.int64]:
        """A value never changes: what was found before holds, and only rows that were given out since are looked at."""
        if not parts:
            return np.zeros(0, np.int64)
        key = (self.there.number, "after which no others are looked at", tuple(parts))
        upto, before = _found.get(key)
        if upto >= self.there.last:
            return before
        rows = np.unique(_ask(*self._arms(parts, upto), self.field, self.seconds))
        both = np.concatenate([before, rows[rows > upto]])
        _found.put(key, self.there.last, both[both <= self.there.last])
        return both

    def _arms(self, parts: Sequence[p.Predicate], upto: int) -> tuple[str, list[object]]:
        """The search for rows after `upto`."""
        there = self.there
        arms: list[Sql] = []
        for part in parts:
            if there.covered > upto:
                found = condition(part, _COPIED)
                arms.append(
                    Sql(
                        f"""SELECT v.row FROM indexing_translationcopy v
                            WHERE v.field_id = {there.number} AND v.row > {upto} AND {found.text}""",
                        found.params,
                    )
                )
            if there.covered < there.last:
                found = condition(part, _WRITTEN)
                arms.append(
                    Sql(
                        f"""SELECT v.row FROM indexing_translationvalue v
                            WHERE v.field_id = {there.number} AND v.row > {max(upto, there.covered)} AND {found.text}""",
                        found.params,
                    )
                )
        return " UNION ALL ".join(arm.text for arm in arms), [value for arm in arms for value in arm.params]


def _ask(rows: str, params: Sequence[object], field: Field, seconds: float) -> NDArray[np.int64]:
    """The rows that a query selects, in any order."""
    milliseconds = max(1, int(seconds * 1000))
    try:
        with transaction.atomic(), bulk_cursor() as cursor:
            # Not for the rest of a transaction that was there before: what it was comes back.
            cursor.execute(
                "SELECT current_setting('statement_timeout'), current_setting('jit'), current_setting('random_page_cost')"
            )
            before = cursor.fetchone()
            assert before is not None
            # Compiling takes longer than most searches. Of ranges the planner knows little: an index is right, if in doubt.
            _settings(cursor, f"{milliseconds}ms", "off", "1.1")
            cursor.execute(f"SELECT coalesce(array_agg(row), '{{}}') FROM ({rows}) AS found", params, prepare=False)
            answer = cursor.fetchone()
            assert answer is not None
            _settings(cursor, *before)
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise
        text = f"the values of field {field.name} were looked at for {seconds:g} s and that was ended: ask for less of them"
        raise PredicateTooLong(text) from None
    except DatabaseError as error:
        if not isinstance(error.__cause__, psycopg.errors.InvalidRegularExpression | psycopg.errors.StatementTooComplex):
            raise
        raise PredicateError(f"field {field.name}: {str(error).splitlines()[0]}") from None
    found: NDArray[np.int64] = answer[0]
    return found


def _settings(cursor: psycopg.Cursor[object], timeout: str, jit: str, random_page_cost: str) -> None:
    cursor.execute(
        "SELECT set_config('statement_timeout', %s, true), set_config('jit', %s, true), set_config('random_page_cost', %s, true)",
        [timeout, jit, random_page_cost],
    )


def _kept_rows_of_numbers(
    field: Field, predicate: p.Predicate, known_rows: KnownRows | None, seconds: float
) -> NDArray[np.int64]:
    """Where all rows that the field may ever have are looked at, what was found once holds for ever."""
    if not _has_few_rows(field):
        return _rows_of_numbers(field, predicate, known_rows, seconds)
    key = ("all possible rows", field.name, predicate)
    asked, rows = _found.get(key)
    if not asked:
        rows = _rows_of_numbers(field, predicate, known_rows, seconds)
        _found.put(key, 1, rows)
    return rows


def _has_few_rows(field: Field) -> bool:
    return field.encoding == "choice" or (field.encoding == "number" and 0 < field.maximum < _FEW_ROWS)


def _rows_of_numbers(field: Field, predicate: p.Predicate, known_rows: KnownRows | None, seconds: float) -> NDArray[np.int64]:
    """Of a field whose row ids are numbers of their own: their texts are what Postgres looks at."""
    unit = field.seconds if field.encoding == "time" else 1
    found = condition(predicate, _WRITTEN if field.encoding == "choice" else replace(_WRITTEN, row=f"v.row * {unit}"))
    rows = _possible_rows(field, known_rows)
    if isinstance(predicate, p.Everything):
        return rows
    values = Strings.of([row_text(field, row).encode() for row in rows.tolist()])
    text = f"SELECT v.row FROM unnest(%b, %b) AS v(row, value) WHERE {found.text}"
    return np.sort(_ask(text, [Bigints(rows), Byteas(values), *found.params], field, seconds))


def _possible_rows(field: Field, known_rows: KnownRows | None) -> NDArray[np.int64]:
    if field.encoding == "choice":
        return np.arange(len(field.choices))
    if _has_few_rows(field):
        return np.arange(field.minimum, field.maximum + 1)
    if known_rows is None:
        raise PredicateError(f"field {field.name}: its values are not known here")
    return np.sort(np.fromiter(known_rows(), np.int64))
