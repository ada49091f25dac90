"""The schema of client indexes in Postgres: read in one statement, changed together with the engine and the translation table.

A change is one transaction in which the engine is asked last: what the engine refuses is not in the schema. Where the commit
itself fails, the engine may have an empty index that the schema has not; all that it does is idempotent, so doing it again helps.
Deleting takes the epoch of the index alone (indexing.translation_epoch): imports that run are waited for, and every process
forgets the keys that it knows of the index, whose ids begin at 1 again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, replace
from typing import Any

import psycopg
from django.db import OperationalError, connection, transaction

from indexing import translation, translation_epoch
from indexing.backends.base import BackendAway
from indexing.client import names
from indexing.client.contract import ClientIndex, FieldOptions, IndexOptions
from indexing.client.engine import engine
from indexing.client.schema import (
    EXISTENCE_FIELD,
    FIELD_EXISTS,
    FIELD_NOT_FOUND,
    INDEX_EXISTS,
    INDEX_NOT_FOUND,
    SchemaRefused,
    check_cache_type,
    check_field_name,
    check_index_name,
)

# How long a deletion waits for the imports that run.
PATIENCE_SECONDS = 60.0
# In the order of FieldOptions.
_OPTIONS = ("type", "keys", "cache_type", "cache_size", "minimum", "maximum", "time_quantum", "no_standard_view")
_READ = f"""
    SELECT i.name, i.keys, i.track_existence, coalesce(e.epoch, 0), f.name, {", ".join(f"f.{option}" for option in _OPTIONS)}
    FROM indexing_clientindex i
    LEFT JOIN indexing_translationepoch e ON e.index = i.name
    LEFT JOIN indexing_clientfield f ON f.index_id = i.id"""


def read(name: str) -> ClientIndex | None:
    """An index, None if there is none of that name. One statement."""
    if "\0" in name:  # Postgres has no such text
        return None
    found = _read(f'{_READ} WHERE i.name = %s ORDER BY f.name COLLATE "C"', [name])
    return found[0] if found else None


def read_all() -> list[ClientIndex]:
    """All of them, by name. One statement."""
    return _read(f'{_READ} ORDER BY i.name COLLATE "C", f.name COLLATE "C"', [])


def _read(statement: str, parameters: Sequence[Any]) -> list[ClientIndex]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    found: dict[str, tuple[IndexOptions, dict[str, FieldOptions]]] = {}
    for name, keys, track_existence, epoch, field, *options in rows:
        if name not in found:
            found[name] = IndexOptions(keys, track_existence), {}
            if translation.epoch(name) != epoch:  # something was deleted: what is known of its keys is not true any more
                translation.catch_up(name)
        if field is not None:
            found[name][1][field] = FieldOptions(*options)
    return [ClientIndex(name, options, fields) for name, (options, fields) in found.items()]


def create_index(index: ClientIndex) -> None:
    """Makes an index with its fields. Raises SchemaRefused, BackendAway, BackendError."""
    with transaction.atomic():
        names.take(index.name)
        if names.is_packet_index(index.name) or read(index.name) is not None:
            raise SchemaRefused(f"creating index: {INDEX_EXISTS}", 409)
        check_index_name(index.name)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO indexing_clientindex (name, keys, track_existence) VALUES (%s, %s, %s) RETURNING id",
                [index.name, index.options.keys, index.options.track_existence],
            )
            row = cursor.fetchone()
            assert row is not None
        for name, options in index.fields.items():
            check_field_name(name)
            check_cache_type(options)
            _insert_field(row[0], name, options)
        _forget_leftovers(index.name, None)
        engine().create_index(index)


def create_field(index: str, name: str, options: FieldOptions) -> None:
    """Makes a field. Raises SchemaRefused, BackendAway, BackendError."""
    with transaction.atomic():
        number, known = _locked(index, INDEX_NOT_FOUND)
        check_field_name(name)
        if name in known.fields:
            raise SchemaRefused(f"creating field: {FIELD_EXISTS}", 409)
        check_cache_type(options)
        _insert_field(number, name, options)
        _forget_leftovers(index, name)
        engine().create_field(replace(known, fields={**known.fields, name: options}), name)


def delete_index(name: str) -> None:
    """Removes an index, its bits and its keys. Raises SchemaRefused, BackendAway, BackendError."""

    def delete() -> None:
        number, known = _locked(name, f"deleting index: {INDEX_NOT_FOUND}")
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM indexing_clientfield WHERE index_id = %s", [number])
            cursor.execute("DELETE FROM indexing_clientindex WHERE id = %s", [number])
        _forget_keys(name, None)
        engine().delete_index(known)

    _alone(name, delete)


def delete_field(index: str, name: str) -> None:
    """Removes a field, its bits and its keys; "_exists": what exists is forgotten, and not tracked any more.

    Raises SchemaRefused, BackendAway, BackendError."""

    def delete() -> None:
        number, known = _locked(index, INDEX_NOT_FOUND)
        existence = name == EXISTENCE_FIELD and known.options.track_existence
        if name not in known.fields and not existence:
            raise SchemaRefused(f"deleting field: {FIELD_NOT_FOUND}", 404)
        with connection.cursor() as cursor:
            if existence:
                cursor.execute("UPDATE indexing_clientindex SET track_existence = false WHERE id = %s", [number])
            cursor.execute("DELETE FROM indexing_clientfield WHERE index_id = %s AND name = %s", [number, name])
        _forget_keys(index, name)
        engine().delete_field(known, name)

    _alone(index, delete)


def _alone(index: str, change: Callable[[], None]) -> None:
    """Does what takes the epoch alone."""
    try:
        with transaction.atomic():
            translation_epoch.move_on(index, PATIENCE_SECONDS)
            change()
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise
        raise BackendAway(f"index {index} is being imported to; try again later") from None
    translation.catch_up(index)


def _locked(name: str, missing: str) -> tuple[int, ClientIndex]:
    """An index that nobody else changes until the transaction ends, and its number. Raises SchemaRefused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM indexing_clientindex WHERE name = %s FOR UPDATE", [name])
        row = cursor.fetchone()
    index = read(name) if row is not None else None
    if row is None or index is None:
        if names.is_packet_index(name):
            raise SchemaRefused(packets_only(name), 403)
        raise SchemaRefused(missing, 404)
    return int(row[0]), index


def packets_only(name: str) -> str:
    """Why a packet index cannot be changed from outside."""
    return f"index {name} holds packets: its schema is that of the captures, and cannot be changed from outside"


def _insert_field(index: int, name: str, options: FieldOptions) -> None:
    columns = ("index_id", "name", *_OPTIONS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO indexing_clientfield ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
            [index, name, *astuple(options)],
        )


def _forget_keys(index: str, field: str | None) -> None:
    """The rows of the translation table of a field, or (None) of all of an index. The caller has the epoch alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM indexing_translationfield WHERE index = %s AND (%s::text IS NULL OR field = %s) RETURNING id",
            [index, field, field],
        )
        gone = [number for (number,) in cursor.fetchall()]
        cursor.execute("DELETE FROM indexing_translationvalue WHERE field_id = ANY(%s)", [gone])


def _forget_leftovers(index: str, field: str | None) -> None:
    """Keys that were translated while their index or field was being deleted: what is made anew begins without."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM indexing_translationfield WHERE index = %s AND (%s::text IS NULL OR field = %s))",
            [index, field, field],
        )
        row = cursor.fetchone()
    if row is not None and row[0]:
        translation_epoch.move_on(index, PATIENCE_SECONDS)
        _forget_keys(index, field)
