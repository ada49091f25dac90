"""The few protobuf messages of Pilosa's import endpoints, written by hand: bulk arrays at numpy's speed.

Source: internal/public.proto of Pilosa 1.4.1 (ImportRoaringRequest and its View, ImportValueRequest, ImportResponse).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexing.backends.pilosa_varints import packed
from indexing.roaring import U64


def varint(n: int) -> bytes:
    """An unsigned number in base 128, the lowest seven bits first."""
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def length_delimited(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def import_roaring(data: bytes, clear: bool = False) -> bytes:
    """ImportRoaringRequest with one view, the standard one."""
    return (b"\x08\x01" if clear else b"") + length_delimited(2, length_delimited(2, data))


def import_values(index: str, field: str, shard: int, column: U64, value: NDArray[np.int64]) -> bytes:
    """ImportValueRequest: value int64 (n,) at absolute column uint64 (n,) of one shard."""
    return b"".join(
        (
            length_delimited(1, index.encode()),
            length_delimited(2, field.encode()),
            b"\x18" + varint(shard),
            length_delimited(5, packed(column)),
            length_delimited(6, packed(np.asarray(value, np.int64).view(np.uint64))),
        )
    )


def response_error(body: bytes) -> str:
    """The text of an ImportResponse (Err = 1); of a body that is not one, its text."""
    if body[:1] == b"\x0a":
        size, shift, at = 0, 0, 1
        while at < len(body):
            size |= (body[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if body[at - 1] < 128:
                break
        if at + size == len(body):
            return body[at:].decode(errors="replace")
    return body.decode(errors="replace").strip()
