"""Roaring bytes as clients import them: Pilosa's 64-bit form, or the official 32-bit one. Errors are worded as Pilosa words them.

Source of the official form: github.com/RoaringBitmap/RoaringFormatSpec. Unlike Pilosa 1.4.1, which takes it for a bitmap, an
array of exactly 4096 values is one here.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from indexing.calls import QueryError
from indexing.fragment import decode
from indexing.roaring import DESCRIPTOR, HEADER, MAGIC, MAX_ROW, SHARD_EXPONENT, U64, RoaringError, sorted_unique

_NO_RUNS, _RUNS = 12346, 12347
_NO_OFFSETS_BELOW = 4  # containers, in the form with runs
_ARRAY_MAX = 4096
_BITMAP_BYTES = 8192


def decoded(data: bytes, view: str) -> U64:
    """Positions (row << 20 | column), ascending, distinct. Raises QueryError."""
    shown = "standard" if view in ("", "standard") else f"standard_{view}"
    if not data:
        raise QueryError(f"no data to import for view: {shown}")
    prefix = "importing standard roaring: "
    if len(data) < HEADER.size:
        raise QueryError(f"{prefix}invalid data: not long enough to be a roaring header")
    magic, version = struct.unpack_from("<HB", data)
    try:
        if magic == MAGIC:
            if version:
                raise QueryError(f"{prefix}wrong roaring version, file is v{version}, server requires v0")
            count = HEADER.unpack_from(data)[3]
            need = HEADER.size + (DESCRIPTOR.itemsize + 4) * count
            if len(data) < need:
                text = f"insufficient data for header + offsets: want {need} bytes, got {len(data)}"
                raise QueryError(f"importing pilosa roaring: {text}")
            position = sorted_unique(decode(data))
        elif magic in (_NO_RUNS, _RUNS):
            position = _official(data)
        else:
            raise QueryError(f"{prefix}unknown roaring magic number {magic}")
    except RoaringError as error:
        raise QueryError(f"{prefix}{error}") from None
    if position.size and int(position[-1]) >> SHARD_EXPONENT > MAX_ROW:
        raise QueryError(f"row id {int(position[-1]) >> SHARD_EXPONENT} is greater than {MAX_ROW}")
    return position


def _official(data: bytes) -> U64:
    try:
        return _read_official(data)
    except (struct.error, ValueError) as error:
        raise RoaringError(f"the data end before the last container: {error}") from None


def _read_official(data: bytes) -> U64:
    (cookie,) = struct.unpack_from("<I", data)
    if cookie & 0xFFFF == _RUNS:
        count, at = (cookie >> 16) + 1, 4
        flags = np.unpackbits(np.frombuffer(data, np.uint8, (count + 7) // 8, at), bitorder="little")[:count].astype(bool)
        at += (count + 7) // 8
    elif cookie == _NO_RUNS:
        (count,) = struct.unpack_from("<I", data, 4)
        if count > 1 << 16:
            raise RoaringError(f"{count} containers are more than there can be")
        flags, at = np.zeros(count, bool), 8
    else:
        raise RoaringError(f"unknown roaring magic number {cookie}")
    head = np.frombuffer(data, "<u2", 2 * count, at).reshape(-1, 2)
    at += 4 * count
    if cookie == _NO_RUNS or count >= _NO_OFFSETS_BELOW:
        at += 4 * count
    found = [np.zeros(0, np.uint64)]
    for (key, card), of_runs in zip(head.tolist(), flags.tolist(), strict=True):
        if of_runs:
            (runs,) = struct.unpack_from("<H", data, at)
            low, at = _runs(np.frombuffer(data, "<u2", 2 * runs, at + 2).reshape(-1, 2)), at + 2 + 4 * runs
        elif card + 1 <= _ARRAY_MAX:
            low, at = np.frombuffer(data, "<u2", card + 1, at).astype(np.uint64), at + 2 * (card + 1)
        else:
            words = np.frombuffer(data, np.uint8, _BITMAP_BYTES, at)
            low, at = np.flatnonzero(np.unpackbits(words, bitorder="little")).astype(np.uint64), at + _BITMAP_BYTES
        found.append(low | np.uint64(key << 16))
    return sorted_unique(np.concatenate(found))


def _runs(pairs: NDArray[np.uint16]) -> U64:
    """pairs: first value, how many follow it (r, 2)."""
    first, more = pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)
    if bool((first + more > 0xFFFF).any()):
        raise RoaringError("a run leaves its container")
    lengths = more.astype(np.int64) + 1
    start = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum()), dtype=np.uint64) + np.repeat(first - start.astype(np.uint64), lengths)
