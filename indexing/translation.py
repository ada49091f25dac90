"""Values <-> row ids, in bulk, from one Postgres table, through a cache.

Ids are dense when allocated and never reused, so a cached pair can never become wrong. Pairs enter the cache only when
they were read from, or committed to, the database: a rolled back allocation leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from indexing.bulk_parameters import Bigints, Byteas, bulk_cursor

# Both directions together; a value is up to MAX_CACHED_VALUE bytes, longer ones are always asked of the database.
MAX_CACHED_PAIRS = 1_000_000
MAX_CACHED_VALUE = 512

_lock = threading.Lock()
_rows: dict[tuple[str, str, bytes], int] = {}
_values: dict[tuple[str, str, int], bytes] = {}

Missing = dict[str, list[bytes]]


class TranslationCollision(Exception):
    """Two values with one 128-bit hash: refused, for one row id would stand for both."""


def clear_cache() -> None:
    """Forgets every cached pair (after the tables were emptied)."""
    with _lock:
        _rows.clear()
        _values.clear()


def lookup(index: str, values: Mapping[str, Iterable[bytes]]) -> dict[str, dict[bytes, int]]:
    """Row ids of the known ones among `values`, by field. Allocates nothing."""
    known, missing = _from_cache(index, values)
    if missing:
        fields = _field_ids(index, missing)
        for field, pairs in _select_rows(fields, missing).items():
            known[field].update(pairs)
            _remember(index, field, pairs)
    return known


def resolve(index: str, values: Mapping[str, Sequence[bytes]]) -> dict[str, NDArray[np.uint64]]:
    """Row ids of all `values`, by field and in their order; unknown values get new ids.

    Allocation is a transaction of its own: counters are locked in field order, so that two workers with the same new
    values never make two ids, nor a gap, nor a deadlock. Call it outside of any transaction.
    Raises TranslationCollision.
    """
    known = lookup(index, values)
    missing: Missing = {}
    for field, wanted in values.items():
        have = known[field]
        new = list(dict.fromkeys(value for value in wanted if value not in have))
        if new:
            missing[field] = new
    if missing:
        for field, pairs in _allocate(index, missing).items():
            known[field].update(pairs)
            _remember(index, field, pairs)
    return {
        field: np.fromiter((known[field][value] for value in wanted), np.uint64, len(wanted)) for field, wanted in values.items()
    }


def values_of(index: str, rows: Mapping[str, Iterable[int]]) -> dict[str, dict[int, bytes]]:
    """Values of row ids, by field. Ids that were never given out are left out."""
    known: dict[str, dict[int, bytes]] = {}
    missing: dict[str, list[int]] = {}
    for field, wanted in rows.items():
        have = known[field] = {}
        for row in wanted:
            value = _values.get((index, field, row))
            if value is None:
                missing.setdefault(field, []).append(row)
            else:
                have[row] = value
    if missing:
        fields = _field_ids(index, missing)
        ids = [fields[field] for field, wanted in missing.items() if field in fields for _ in wanted]
        flat = [row for field, wanted in missing.items() if field in fields for row in wanted]
        names = {number: name for name, number in fields.items()}
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT v.field_id, v.row, v.value FROM unnest(%s::bigint[], %s::bigint[]) AS q(field_id, row)
                   JOIN indexing_translationvalue v ON v.field_id = q.field_id AND v.row = q.row""",
                [ids, flat],
            )
            found: dict[str, dict[bytes, int]] = {}
            for number, row, value in cursor.fetchall():
                known[names[number]][row] = bytes(value)
                found.setdefault(names[number], {})[bytes(value)] = row
        for field, pairs in found.items():
            _remember(index, field, pairs)
    return known


def _hash(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()


def _from_cache(index: str, values: Mapping[str, Iterable[bytes]]) -> tuple[dict[str, dict[bytes, int]], Missing]:
    known: dict[str, dict[bytes, int]] = {}
    missing: Missing = {}
    for field, wanted in values.items():
        have = known[field] = {}
        lacking = []
        for value in wanted:
            row = _rows.get((index, field, value))
            if row is None:
                lacking.append(value)
            else:
                have[value] = row
        if lacking:
            missing[field] = lacking
    return known, missing


def _remember(index: str, field: str, pairs: Mapping[bytes, int]) -> None:
    with _lock:
        for value, row in pairs.items():
            if len(value) <= MAX_CACHED_VALUE:
                _rows[index, field, value] = row
                _values[index, field, row] = value
        # Oldest first: dicts keep insertion order, and a value that is still in use comes back by one look-up.
        _shrink(_rows)
        _shrink(_values)


def _shrink(cache: dict[Any, Any]) -> None:
    for key in list(itertools.islice(cache, max(0, len(cache) - MAX_CACHED_PAIRS))):
        del cache[key]


def _field_ids(index: str, fields: Iterable[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT field, id FROM indexing_translationfield WHERE index = %s AND field = ANY(%s)", [index, list(fields)]
        )
        return dict(cursor.fetchall())


def _select_rows(fields: Mapping[str, int], values: Missing) -> dict[str, dict[bytes, int]]:
    ids: list[int] = []
    wanted: list[tuple[str, bytes]] = []
    for field, number in fields.items():
        some = values.get(field, ())
        ids += [number] * len(some)
        wanted += [(field, value) for value in some]
    found: dict[str, dict[bytes, int]] = {}
    if ids:
        with bulk_cursor() as cursor:
            cursor.execute(
                """SELECT q.place, v.row, v.value
                   FROM unnest(%b, %b) WITH ORDINALITY AS q(field_id, hash, place)
                   JOIN indexing_translationvalue v ON v.field_id = q.field_id AND v.hash = encode(q.hash, 'hex')::uuid""",
                [Bigints(ids), Byteas([_hash(value) for _, value in wanted])],
            )
            for place, row, value in cursor.fetchall():
                field, asked = wanted[place - 1]
                if value != asked:
                    raise TranslationCollision(f"field {field}: two values with the hash {_hash(asked).hex()}")
                found.setdefault(field, {})[asked] = row
    return found


def _allocate(index: str, missing: Missing) -> dict[str, dict[bytes, int]]:
    names = sorted(missing)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
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
        counters = {field: (number, next_row) for field, number, next_row in cursor.fetchall()}
        # Another worker may have allocated some of them between our look-up and our lock.
        pairs = _select_rows({field: number for field, (number, _) in counters.items()}, missing)
        counted: dict[int, int] = {}
        numbers: list[int] = []
        rows: list[int] = []
        new: list[bytes] = []
        for field in names:
            number, row = counters[field]
            have = pairs.setdefault(field, {})
            for value in missing[field]:
                if value not in have:
                    have[value] = row
                    numbers.append(number)
                    rows.append(row)
                    new.append(value)
                    row += 1
            counted[number] = row
        with bulk_cursor() as bulk:
            bulk.execute(
                """UPDATE indexing_translationfield f SET next_row = q.next_row
                   FROM unnest(%b, %b) AS q(id, next_row) WHERE f.id = q.id""",
                [Bigints(list(counted)), Bigints(list(counted.values()))],
            )
            bulk.execute(
                """INSERT INTO indexing_translationvalue (field_id, row, hash, value)
                   SELECT field_id, row, encode(hash, 'hex')::uuid, value
                   FROM unnest(%b, %b, %b, %b) AS q(field_id, row, hash, value)""",
                [Bigints(numbers), Bigints(rows), Byteas([_hash(value) for value in new]), Byteas(new)],
            )
    return pairs
