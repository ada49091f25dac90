"""Some values of a text field for which a predicate holds: bounded in number and in time, for who types and waits.

translation_predicates finds all of them, for who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from django.db import OperationalError, connection, transaction

from capture.packets.fields import Field
from indexing import predicates as p
from indexing.predicates_sql import condition, subject_of
from indexing.translation_copy import extent

LONGEST = 200  # bytes of a value that somebody chooses from a list

_WRITTEN = subject_of("v.value")
_COPIED = replace(_WRITTEN, address="v.address", key="v.key")


def first_values(index: str, field: Field, predicate: p.Predicate, most: int, seconds: float) -> tuple[list[bytes], bool]:
    """At most `most` values, in no order, and whether that was all the time it took: False if it was ended after `seconds`.

    Values over LONGEST bytes are passed over. Raises PredicateError."""
    there = extent(index, field.name)
    if there is None:
        return [], True
    arms: list[str] = []
    params: list[Any] = []
    for table, subject, rows, use in (
        ("indexing_translationcopy", _COPIED, "v.row > 0", there.covered > 0),
        ("indexing_translationvalue", _WRITTEN, f"v.row > {there.covered}", there.covered < there.last),
    ):
        if use:
            found = condition(predicate, subject)
            arms.append(
                f"(SELECT v.value FROM {table} v WHERE v.field_id = {there.number} AND {rows} AND {found.text}"
                f" AND octet_length(v.value) <= {LONGEST} LIMIT {most:d})"
            )
            params += found.params
    if not arms:
        return [], True
    try:
        with _ended_after(seconds) as cursor:
            cursor.execute(f"SELECT value FROM ({' UNION ALL '.join(arms)}) AS found LIMIT {most:d}", params)
            return [bytes(value) for (value,) in cursor.fetchall()], True
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise
        return [], False


@contextmanager
def _ended_after(seconds: float) -> Iterator[Any]:
    """A cursor whose statements are ended; what held before comes back, for the transaction may be somebody else's."""
    names = ("statement_timeout", "jit", "random_page_cost")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        before = cursor.fetchone()
        setting = "SELECT " + ", ".join(f"set_config('{name}', %s, true)" for name in names)
        cursor.execute(setting, [f"{max(1, int(seconds * 1000))}ms", "off", "1.1"])
        cursor.fetchall()
        yield cursor
        cursor.execute(setting, before)
