"""Arrays of 100,000 values as parameters of one statement, and as rows of a COPY, in Postgres' binary format: psycopg's own
would be made item by item, and quoted as text. Arrays of bigint come back as numpy's.

The format (PostgreSQL, src/backend/utils/adt/arrayfuncs.c, array_recv): dimensions, whether there are nulls, the elements' type,
length and lower bound of each dimension, then each element with its length before it; all big endian. A file of COPY: its
signature, flags and the length of more head, then each row as the number of its values and each value with its length, and -1 for
the end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import ArrayLike, NDArray
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format

from indexing.strings import Strings

_HEAD = struct.Struct(">iiIii")
_LENGTH = np.dtype([("length", ">i4")])
_BIGINT = np.dtype([("length", ">i4"), ("value", ">i8")])
_UUID = np.dtype([("length", ">i4"), ("value", "u1", 16)])
_OID = {"int8": 20, "bytea": 17, "uuid": 2950}
_ARRAY_OID = {"int8": 1016, "bytea": 1001, "uuid": 2951}
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"


class Bigints:
    """int64 (n,) as bigint[]."""

    def __init__(self, values: ArrayLike) -> None:
        numbers = np.asarray(values, np.int64)
        elements = np.empty(len(numbers), _BIGINT)
        elements["length"], elements["value"] = 8, numbers
        self.bytes = _head("int8", len(numbers)) + elements.tobytes()


class Uuids:
    """uint8 (n, 16) as uuid[]."""

    def __init__(self, values: NDArray[np.uint8]) -> None:
        elements = np.empty(len(values), _UUID)
        elements["length"], elements["value"] = 16, values
        self.bytes = _head("uuid", len(values)) + elements.tobytes()


class Byteas:
    """Byte strings as bytea[]."""

    def __init__(self, values: Strings) -> None:
        heads = np.empty(len(values), _LENGTH)
        heads["length"] = values.length
        self.bytes = _head("bytea", len(values)) + values.behind(heads)


def copy_rows(bigints: Sequence[ArrayLike], uuids: NDArray[np.uint8], byteas: Strings) -> bytes:
    """A file of binary COPY whose rows are some bigints, a uuid and a bytea."""
    names = [f"bigint{i}" for i in range(len(bigints))]
    kinds: list[tuple[str, Any]] = [("count", ">i2"), *((name, _BIGINT) for name in names), ("uuid", _UUID), ("bytea", _LENGTH)]
    heads = np.empty(len(byteas), np.dtype(kinds))
    heads["count"] = len(bigints) + 2
    for name, numbers in zip(names, bigints, strict=True):
        heads[name]["length"], heads[name]["value"] = 8, numbers
    heads["uuid"]["length"], heads["uuid"]["value"] = 16, uuids
    heads["bytea"]["length"] = byteas.length
    return _COPY_HEAD + byteas.behind(heads) + _COPY_END


def _head(kind: str, count: int) -> bytes:
    if count == 0:
        return struct.pack(">iiI", 0, 0, _OID[kind])
    return _HEAD.pack(1, 0, _OID[kind], count, 1)


class _BigintsDumper(Dumper):
    format: ClassVar[Format] = Format.BINARY  # type: ignore[misc]
    oid = _ARRAY_OID["int8"]

    def dump(self, obj: Any) -> bytes:
        data: bytes = obj.bytes
        return data


class _UuidsDumper(_BigintsDumper):
    oid = _ARRAY_OID["uuid"]


class _ByteasDumper(_BigintsDumper):
    oid = _ARRAY_OID["bytea"]


class _BigintsLoader(Loader):
    """bigint[] of one dimension and without nulls as int64 (n,)."""

    format = Format.BINARY

    def load(self, data: Any) -> NDArray[np.int64]:
        at = _HEAD.size if len(data) > 12 else 12
        return np.frombuffer(bytes(data), _BIGINT, offset=at)["value"].astype(np.int64)


@contextmanager
def bulk_cursor() -> Iterator[psycopg.Cursor[Any]]:
    """A cursor of Django's connection, part of its transaction, that sends parameters beside the statement and gets binary rows.

    Placeholders of Bigints, Uuids and Byteas are written %b. Raises Django's database errors."""
    with connection.wrap_database_errors:
        connection.ensure_connection()
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.format = Format.BINARY
            cursor.adapters.register_dumper(Bigints, _BigintsDumper)
            cursor.adapters.register_dumper(Uuids, _UuidsDumper)
            cursor.adapters.register_dumper(Byteas, _ByteasDumper)
            cursor.adapters.register_loader(_ARRAY_OID["int8"], _BigintsLoader)
            yield cursor
