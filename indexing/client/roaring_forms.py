"""Roaring bytes as clients send them -> Pilosa's 64-bit form, checked.

Clients may send the official 32-bit form, too (github.com/RoaringBitmap/RoaringFormatSpec). It is rewritten, not only read:
Pilosa takes the official form's arrays of exactly 4096 values for bitmaps, and answers other columns then. What is checked is
that everything lies within the bytes; a declared cardinality is believed, as Pilosa does. Pilosa's form: see indexing.roaring.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

_PILOSA, _WITH_RUNS, _WITHOUT_RUNS = 12348, 12347, 12346
_ARRAY, _BITMAP, _RUNS = 1, 2, 3
_ARRAY_MOST = 4096  # values of an array in the official form
_BITMAP_BYTES = 8192
_OFFSETS_FROM = 4  # with runs, offsets are there from so many containers on
_HEADER = np.dtype([("key", "<u8"), ("type", "<u2"), ("n", "<u2")])
_OFFICIAL = np.dtype([("key", "<u2"), ("n", "<u2")])
_SHORT = "invalid data: not long enough to be a roaring header"


class RoaringError(ValueError):
    """Bytes that are not a roaring bitmap; worded as Pilosa does."""


def as_pilosa(data: bytes) -> bytes:
    """Pilosa's form of a bitmap in that form or the official one. Raises RoaringError."""
    magic = int.from_bytes(data[:2], "little")
    if magic == _PILOSA:
        try:
            _check(data)
        except RoaringError as error:
            raise RoaringError(f"importing pilosa roaring: {error}") from None
        return data
    try:
        return _from_official(data, magic)
    except RoaringError as error:
        raise RoaringError(f"importing standard roaring: {error}") from None


def _check(data: bytes) -> None:
    if len(data) < 8:
        raise RoaringError(_SHORT)
    if data[2] != 0:
        raise RoaringError(f"wrong roaring version, file is v{data[2]}, server requires v0")
    count = int.from_bytes(data[4:8], "little")
    if len(data) < 8 + 16 * count:
        raise RoaringError(f"insufficient data for header + offsets: want {8 + 16 * count} bytes, got {len(data)}")
    header = np.frombuffer(data, _HEADER, count, 8)
    offset = np.frombuffer(data, "<u4", count, 8 + 12 * count).astype(np.int64)
    kind = header["type"]
    size = np.where(kind == _BITMAP, _BITMAP_BYTES, 2 * (header["n"].astype(np.int64) + 1))
    size[kind == _RUNS] = 2
    wrong = (offset < 8) | (offset + size > len(data)) | (kind < _ARRAY) | (kind > _RUNS)
    if not wrong.any():
        runs = np.flatnonzero(kind == _RUNS)
        octets = np.frombuffer(data, np.uint8)
        at = offset[runs]
        size[runs] += 4 * (octets[at].astype(np.int64) + 256 * octets[at + 1].astype(np.int64))
        wrong = offset + size > len(data)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        where = f"container {i}/{count}, key {header['key'][i]}"
        if not _ARRAY <= kind[i] <= _RUNS:
            raise RoaringError(f"{where}, had the unknown type {kind[i]}")
        raise RoaringError(f"{where}, had offset {offset[i]}+{size[i]} size, maximum {len(data)}")


def _from_official(data: bytes, magic: int) -> bytes:
    if len(data) < 8:
        raise RoaringError(_SHORT)
    if magic == _WITHOUT_RUNS:
        count, at = int.from_bytes(data[4:8], "little"), 8
        is_run: NDArray[np.bool_] = np.zeros(min(count, 1 << 16), bool)
        has_offsets = True
    elif magic == _WITH_RUNS:
        count = int.from_bytes(data[2:4], "little") + 1
        at = 4 + (count + 7) // 8
        flags = np.frombuffer(data[4:at], np.uint8)
        is_run = np.unpackbits(flags, count=min(count, 8 * flags.size), bitorder="little").astype(bool)
        has_offsets = count >= _OFFSETS_FROM
    else:
        raise RoaringError(f"unknown roaring magic number {magic}")
    if count > 1 << 16:
        raise RoaringError(f"reading official header: {count} containers")
    begin = at + 4 * count + (4 * count if has_offsets else 0)
    if len(data) < begin:
        raise RoaringError(f"insufficient data for offsets: want {begin} bytes, got {len(data)}")
    header = np.frombuffer(data, _OFFICIAL, count, at)
    n = header["n"].astype(np.int64) + 1
    kind = np.where(is_run, _RUNS, np.where(n > _ARRAY_MOST, _BITMAP, _ARRAY))
    bodies = _bodies(data, begin, kind.tolist(), n.tolist())
    made = np.zeros(count, _HEADER)
    made["key"], made["type"], made["n"] = header["key"], kind, header["n"]
    sizes = np.array([len(body) for body in bodies], np.int64)
    offsets = 8 + 16 * count + np.cumsum(sizes) - sizes
    return b"".join((struct.pack("<HBBI", _PILOSA, 0, 0, count), made.tobytes(), offsets.astype("<u4").tobytes(), *bodies))


def _bodies(data: bytes, at: int, kinds: list[int], counts: list[int]) -> list[bytes]:
    """The containers, which lie one behind the other; of runs the last value in the place of the length."""
    bodies: list[bytes] = []
    for i, (kind, n) in enumerate(zip(kinds, counts, strict=True)):
        runs = int.from_bytes(data[at : at + 2], "little") if kind == _RUNS else 0
        size = 2 + 4 * runs if kind == _RUNS else _BITMAP_BYTES if kind == _BITMAP else 2 * n
        body = data[at : at + size]
        if len(body) < size:
            raise RoaringError(f"container {i}/{len(kinds)}, had offset {at}+{size} size, maximum {len(data)}")
        if kind == _RUNS:
            pairs = np.frombuffer(body, "<u2", 2 * runs, 2).reshape(runs, 2).astype(np.uint32)
            pairs[:, 1] += pairs[:, 0]
            if (pairs[:, 1] > 0xFFFF).any():
                raise RoaringError(f"container {i}/{len(kinds)} has a run beyond its end")
            body = body[:2] + pairs.astype("<u2").tobytes()
        bodies.append(body)
        at += size
    return bodies
