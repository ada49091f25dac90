"""The messages of Pilosa's import endpoints: arrays of numbers as numpy's, keys as the bytes that were sent.

Source: internal/public.proto of Pilosa 1.4.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from proxy.protobuf.wire import I64, U64, Message, numbers, text


@dataclass(frozen=True)
class ImportRequest:
    """Bits. timestamps: ns since 1970 UTC, 0: none."""

    index: str
    field: str
    shard: int
    row_ids: U64
    column_ids: U64
    timestamps: I64
    row_keys: list[bytes]
    column_keys: list[bytes]


@dataclass(frozen=True)
class ImportValueRequest:
    """Values of an int field."""

    index: str
    field: str
    shard: int
    column_ids: U64
    values: I64
    column_keys: list[bytes]


@dataclass(frozen=True)
class ImportRoaringRequest:
    """Roaring bytes of some views of a field in one shard."""

    clear: bool
    views: list[tuple[str, bytes]]


@dataclass(frozen=True)
class TranslateKeysRequest:
    """Keys of rows, or of columns where `field` is ""."""

    index: str
    field: str
    keys: list[bytes]


def read_import(data: bytes) -> ImportRequest:
    """Raises ProtobufError."""
    message = Message(data, "ImportRequest")
    return ImportRequest(
        index=message.text(1),
        field=message.text(2),
        shard=message.number(3),
        row_ids=message.numbers(4),
        column_ids=message.numbers(5),
        timestamps=message.integers(6),
        row_keys=message.strings(7),
        column_keys=message.strings(8),
    )


def read_import_values(data: bytes) -> ImportValueRequest:
    """Raises ProtobufError."""
    message = Message(data, "ImportValueRequest")
    return ImportValueRequest(
        index=message.text(1),
        field=message.text(2),
        shard=message.number(3),
        column_ids=message.numbers(5),
        values=message.integers(6),
        column_keys=message.strings(7),
    )


def read_import_roaring(data: bytes) -> ImportRoaringRequest:
    """Raises ProtobufError."""
    message = Message(data, "ImportRoaringRequest")
    views = []
    for view in message.blobs(2):
        one = Message(view, "ImportRoaringRequest")
        content = one.blobs(2)
        views.append((one.text(1), bytes(content[-1]) if content else b""))
    return ImportRoaringRequest(message.flag(1), views)


def read_translate_keys(data: bytes) -> TranslateKeysRequest:
    """Raises ProtobufError."""
    message = Message(data, "TranslateKeysRequest")
    return TranslateKeysRequest(message.text(1), message.text(2), message.strings(3))


def write_import_response(error: str) -> bytes:
    """ImportResponse; nothing for no error."""
    return text(1, error)


def write_translate_keys_response(ids: U64) -> bytes:
    """TranslateKeysResponse: ids in the order of the keys."""
    return numbers(3, np.asarray(ids, np.uint64))
