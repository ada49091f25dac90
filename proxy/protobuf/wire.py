"""Protobuf's wire format: a message's fields by number, and the parts that messages are written of.

Source: protobuf.dev, "Encoding". Errors are worded as Go's library words them, for they are shown to Pilosa's clients.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from indexing.backends.pilosa_protobuf import varint
from indexing.backends.pilosa_varints import packed
from proxy.protobuf.wire_kernels import BAD_TAG, BAD_TYPE, END_GROUP, OVERFLOW, TRUNCATED, scan, unpacked

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

_NUMBER, _BYTES = 0, 2  # wire types
_SURROGATE = re.compile("[\ud800-\udfff]")
_WRONG = {
    TRUNCATED: "unexpected EOF",
    OVERFLOW: "proto: integer overflow",
    BAD_TAG: "proto: {name}: illegal tag",
    BAD_TYPE: "proto: illegal wireType",
    END_GROUP: "proto: {name}: wiretype end group for non-group",
}


class ProtobufError(ValueError):
    """Bytes that are not the message which they should be."""


class Message:
    """The fields of one message. Of a field that comes more than once, the last one counts, or all where it is repeated.

    Fields that are not asked for are passed over, as protobuf has it."""

    def __init__(self, data: bytes | memoryview, name: str) -> None:
        """Raises ProtobufError for what is not protobuf; name: of the message, for errors."""
        self.name = name
        self._data = memoryview(data)
        self._bytes = np.frombuffer(data, np.uint8) if len(data) else np.frombuffer(b"\0", np.uint8)[:0]
        place, self._value, wrong = scan(self._bytes)
        self._raise(wrong)
        self._number, self._kind, self._start, self._end = place.T

    def _raise(self, wrong: int) -> None:
        if wrong:
            raise ProtobufError(f"unmarshaling {self.name}: {_WRONG[wrong].format(name=self.name)}")

    def _places(self, number: int, *kinds: int) -> list[int]:
        """Where a field is. Raises ProtobufError if it is of another wire type."""
        found = np.flatnonzero(self._number == number)
        bad = found[~np.isin(self._kind[found], kinds)] if found.size else found
        if bad.size:
            kind = int(self._kind[bad[0]])
            raise ProtobufError(f"unmarshaling {self.name}: proto: wrong wireType = {kind} for field {number}")
        places: list[int] = found.tolist()
        return places

    def number(self, field: int) -> int:
        """An unsigned number; 0 where there is none."""
        places = self._places(field, _NUMBER)
        return int(self._value[places[-1]]) if places else 0

    def flag(self, field: int) -> bool:
        """A bool; False where there is none."""
        return self.number(field) != 0

    def blobs(self, field: int) -> list[memoryview]:
        """All byte strings of a repeated field, without a copy."""
        places = self._places(field, _BYTES)
        starts, ends = self._start[places].tolist(), self._end[places].tolist()
        return [self._data[start:end] for start, end in zip(starts, ends, strict=True)]

    def strings(self, field: int) -> list[bytes]:
        """All texts of a repeated field, as the bytes that were sent."""
        return [bytes(blob) for blob in self.blobs(field)]

    def text(self, field: int) -> str:
        """A text, "" where there is none. Raises ProtobufError if it is not UTF-8."""
        found = self.blobs(field)
        try:
            return bytes(found[-1]).decode() if found else ""
        except UnicodeDecodeError:
            raise ProtobufError(f"unmarshaling {self.name}: proto: field {field} contains invalid UTF-8") from None

    def numbers(self, field: int) -> U64:
        """A repeated field of unsigned numbers uint64 (n,), packed or one by one or both."""
        parts: list[U64] = []
        for place in self._places(field, _NUMBER, _BYTES):
            if self._kind[place] == _NUMBER:
                parts.append(self._value[place : place + 1])
                continue
            some, wrong = unpacked(self._bytes, int(self._start[place]), int(self._end[place]))
            self._raise(wrong)
            parts.append(some)
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, np.uint64)

    def integers(self, field: int) -> I64:
        """A repeated field of signed numbers (int64) int64 (n,)."""
        return self.numbers(field).view(np.int64)


def number(field: int, value: int) -> bytes:
    """A number, signed ones in two's complement; nothing for 0, which is what its absence means."""
    return varint(field << 3) + varint(value & 0xFFFFFFFFFFFFFFFF) if value else b""


def blob(field: int, data: bytes) -> bytes:
    """Bytes, a text or a message, also an empty one."""
    return varint(field << 3 | _BYTES) + varint(len(data)) + data


def text(field: int, value: str) -> bytes:
    """A text; nothing for an empty one."""
    return blob(field, encoded(value)) if value else b""


def texts(field: int, values: Iterable[str]) -> bytes:
    """A repeated field of texts, empty ones too."""
    tag = varint(field << 3 | _BYTES)
    parts: list[bytes] = []
    for value in values:
        data = encoded(value)
        parts += (tag, varint(len(data)), data)
    return b"".join(parts)


def numbers(field: int, values: U64) -> bytes:
    """A repeated field of numbers, packed; nothing for none."""
    return blob(field, packed(values)) if len(values) else b""


def encoded(value: str) -> bytes:
    """UTF-8. Bytes of a value that were not UTF-8, and are surrogates here, become U+FFFD, as in JSON."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", value).encode()
