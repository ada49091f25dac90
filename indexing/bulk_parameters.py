"""Arrays of 100,000 values as parameters of one statement, in Postgres' binary format: psycopg's own would be made item by item,
and quoted as text.

The format (PostgreSQL, src/backend/utils/adt/arrayfuncs.c, array_recv): dimensions, whether there are nulls, the elements' type,
length and lower bound of each dimension, then each element with its length before it; all big endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import ArrayLike
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = struct.Struct(">iiIii")
_LENGTH = struct.Struct(">i")
_BIGINT = np.dtype([("length", ">i4"), ("value", ">i8")])
_OID = {"int8": 20, "bytea": 17}
_ARRAY_OID = {"int8": 1016, "bytea": 1001}


class Bigints:
    """int64 (n,) as bigint[]."""

    kind = "int8"

    def __init__(self, values: ArrayLike) -> None:
        numbers = np.asarray(values, np.int64)
        elements = np.empty(len(numbers), _BIGINT)
        elements["length"], elements["value"] = 8, numbers
        self.bytes = _head(self.kind, len(numbers)) + elements.tobytes()


class Byteas:
    """Byte strings as bytea[]."""

    kind = "bytea"

    def __init__(self, values: Sequence[bytes]) -> None:
        pieces = [_head(self.kind, len(values))]
        for value in values:
            pieces += (_LENGTH.pack(len(value)), value)
        self.bytes = b"".join(pieces)


def _head(kind: str, count: int) -> bytes:
    if count == 0:
        return struct.pack(">iiI", 0, 0, _OID[kind])
    return _HEAD.pack(1, 0, _OID[kind], count, 1)


class _BigintsDumper(Dumper):
    format: ClassVar[Format] = Format.BINARY  # type: ignore[misc]
    oid = _ARRAY_OID["int8"]

    def dump(self, obj: Any) -> bytes:
        return bytes(obj.bytes)


class _ByteasDumper(_BigintsDumper):
    oid = _ARRAY_OID["bytea"]


@contextmanager
def bulk_cursor() -> Iterator[psycopg.Cursor[Any]]:
    """A cursor of Django's connection, part of its transaction, that sends parameters beside the statement and gets binary rows.

    Placeholders of Bigints and Byteas are written %b. Raises Django's database errors."""
    with connection.wrap_database_errors:
        connection.ensure_connection()
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.format = Format.BINARY
            cursor.adapters.register_dumper(Bigints, _BigintsDumper)
            cursor.adapters.register_dumper(Byteas, _ByteasDumper)
            yield cursor
