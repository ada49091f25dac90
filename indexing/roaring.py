"""Pilosa's 64-bit roaring layout, written in numpy: one fragment (a field's bits in one shard) as bytes.

A bit's *position* in a fragment is row * 2^20 + (column mod 2^20). A container holds the 2^16 positions of one key
(position >> 16), so a row has 16 keys. All numbers are little endian::

    u16 magic 12348, u8 version 0, u8 flags, u32 number of containers k
    k x (u64 key, u16 type, u16 cardinality - 1)      type: 1 array, 2 bitmap, 3 runs
    k x u32 offset from the start
    data: array: u16 values, ascending; bitmap: 1024 u64; runs: u16 n, then n x (u16 first, u16 last, inclusive)

Source: docs/architecture of Pilosa 1.4 and its roaring package; the container type follows its rule (`optimize`):
runs if there are at most 2048 of them and at most half as many as bits, else an array below 4096 bits, else a bitmap.
This is not the official 32-bit roaring format, whose arrays of exactly 4096 values Pilosa misreads.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
SHARD_EXPONENT = 20
SHARD_WIDTH = 1 << SHARD_EXPONENT
KEYS_PER_ROW = 16
# Not 2^44 - 1: Pilosa computes the first position after a row, which would overflow, and answers that row as empty.
MAX_ROW = (1 << (64 - SHARD_EXPONENT)) - 2

MAGIC = 12348
ARRAY, BITMAP, RUNS = 1, 2, 3
ARRAY_MAX = 4096  # an array has fewer values than this
RUNS_MAX = 2048
CONTAINER_BITS = 1 << 16
_BITMAPS_AT_ONCE = 256  # bitmap containers expanded to a byte a bit at once: 16 MiB

HEADER = struct.Struct("<HBBI")
DESCRIPTOR = np.dtype([("key", "<u8"), ("type", "<u2"), ("card", "<u2")])


class RoaringError(ValueError):
    """Bytes that are not Pilosa's roaring layout, or bits it cannot hold; the text says what and at which byte."""


def positions(row: U64, column: U64) -> U64:
    """Positions (n,) of bits (row uint64 (n,), column uint64 (n,)) of one shard; columns may be absolute.

    Raises RoaringError for a row id beyond 2^44 - 2, the last that Pilosa answers."""
    row = np.asarray(row, np.uint64)
    if row.size and int(row.max()) > MAX_ROW:
        raise RoaringError(f"row id {int(row.max())} is greater than {MAX_ROW}")
    return (row << np.uint64(SHARD_EXPONENT)) | (np.asarray(column, np.uint64) & np.uint64(SHARD_WIDTH - 1))


def sorted_unique(values: U64) -> U64:
    """Ascending, each once. Faster than np.unique, which hashes (numpy >= 2.3)."""
    values = np.sort(values)
    if values.size > 1:
        keep = np.empty(values.size, np.bool_)
        keep[0] = True
        np.not_equal(values[1:], values[:-1], out=keep[1:])
        values = values[keep]
    return values


def encode_bits(row: U64, column: U64) -> bytes:
    """Bytes of the bits (row (n,), column (n,)) of one shard, in any order, repeated or not."""
    return encode(sorted_unique(positions(row, column)))


def encode(position: U64) -> bytes:
    """Bytes of ascending, distinct positions uint64 (n,).

    Raises RoaringError if the data would pass 4 GiB (offsets are u32)."""
    n = position.size
    if n == 0:
        return HEADER.pack(MAGIC, 0, 0, 0)
    key = position >> np.uint64(16)
    low = position.astype(np.uint16)  # keeps the low 16 bits
    first_of_container = np.empty(n, np.bool_)
    first_of_container[0] = True
    np.not_equal(key[1:], key[:-1], out=first_of_container[1:])
    first_of_run = first_of_container.copy()
    first_of_run[1:] |= position[1:] != position[:-1] + np.uint64(1)

    start = np.flatnonzero(first_of_container)
    card = np.diff(np.append(start, n))
    run_start = np.flatnonzero(first_of_run)
    runs = np.diff(np.append(np.searchsorted(run_start, start), run_start.size))
    kind = np.where((runs <= RUNS_MAX) & (runs <= card // 2), RUNS, np.where(card < ARRAY_MAX, ARRAY, BITMAP))
    size = np.where(kind == RUNS, 1 + 2 * runs, np.where(kind == ARRAY, card, CONTAINER_BITS // 16))  # in u16
    offset = np.cumsum(size) - size

    data = np.empty(int(size.sum()), np.uint16)
    is_array = kind == ARRAY
    if is_array.all():
        data[:] = low
    else:
        of_array = np.repeat(is_array, card)
        data[np.repeat(offset[is_array], card[is_array]) + counting(card[is_array])] = low[of_array]
        _write_runs(data, kind == RUNS, offset, runs, run_start, low)
        _write_bitmaps(data, np.flatnonzero(kind == BITMAP), offset, start, card, low)
    return _assemble(key[start], kind, card, size, data)


def _write_runs(
    data: NDArray[np.uint16],
    is_runs: NDArray[np.bool_],
    offset: NDArray[np.int64],
    runs: NDArray[np.int64],
    run_start: NDArray[np.int64],
    low: NDArray[np.uint16],
) -> None:
    if not is_runs.any():
        return
    run_end = np.append(run_start[1:], low.size) - 1
    wanted = np.repeat(is_runs, runs)
    at = np.repeat(offset[is_runs] + 1, runs[is_runs]) + 2 * counting(runs[is_runs])
    data[offset[is_runs]] = runs[is_runs]
    data[at] = low[run_start[wanted]]
    data[at + 1] = low[run_end[wanted]]


def _write_bitmaps(
    data: NDArray[np.uint16],
    which: NDArray[np.int64],
    offset: NDArray[np.int64],
    start: NDArray[np.int64],
    card: NDArray[np.int64],
    low: NDArray[np.uint16],
) -> None:
    words = CONTAINER_BITS // 16
    for i in range(0, which.size, _BITMAPS_AT_ONCE):
        some = which[i : i + _BITMAPS_AT_ONCE]
        flags = np.zeros((some.size, CONTAINER_BITS), np.uint8)
        source = np.repeat(start[some], card[some]) + counting(card[some])
        flags[np.repeat(np.arange(some.size), card[some]), low[source]] = 1
        packed = np.packbits(flags, axis=1, bitorder="little").view(np.uint16)
        data[offset[some][:, None] + np.arange(words)] = packed


def _assemble(
    key: U64, kind: NDArray[np.int64], card: NDArray[np.int64], size: NDArray[np.int64], data: NDArray[np.uint16]
) -> bytes:
    """Header, descriptors, offsets and data; `size` in u16 per container, in the order of `data`."""
    k = key.size
    base = HEADER.size + (DESCRIPTOR.itemsize + 4) * k
    if base + 2 * int(size.sum()) > 0xFFFFFFFF:
        raise RoaringError(f"{int(card.sum())} bits take more than 4 GiB: container offsets are 32 bits")
    descriptor = np.empty(k, DESCRIPTOR)
    descriptor["key"] = key
    descriptor["type"] = kind
    descriptor["card"] = card - 1
    offset = (base + 2 * (np.cumsum(size) - size)).astype("<u4")
    parts = HEADER.pack(MAGIC, 0, 0, k), descriptor.tobytes(), offset.tobytes(), data.astype("<u2", copy=False).tobytes()
    return b"".join(parts)


def encode_ranges(rows: U64, ranges: Sequence[tuple[int, int]]) -> bytes:
    """Bytes with, for every row of `rows` (ascending), the columns of `ranges` set, as containers of runs.

    ranges: (first, last) columns within the shard, both inclusive, ascending, neither overlapping nor touching.
    It serves existence, `access`, and as a mask for clearing."""
    cut: dict[int, list[tuple[int, int]]] = {}
    for first, last in ranges:
        if not 0 <= first <= last < SHARD_WIDTH:
            raise RoaringError(f"columns {first} to {last} are not a range of one shard")
        for high in range(first >> 16, (last >> 16) + 1):
            span = (max(first, high << 16) & 0xFFFF, min(last, (high << 16) + 0xFFFF) & 0xFFFF)
            cut.setdefault(high, []).append(span)
    for high, spans in cut.items():
        if len(spans) > RUNS_MAX:
            raise RoaringError(f"{len(spans)} ranges in container {high}: at most {RUNS_MAX} fit")
    rows = np.asarray(rows, np.uint64)
    if rows.size == 0 or not cut:
        return HEADER.pack(MAGIC, 0, 0, 0)
    if int(rows.max()) > MAX_ROW:
        raise RoaringError(f"row id {int(rows.max())} is greater than {MAX_ROW}")
    highs = sorted(cut)
    card = np.array([sum(last - first + 1 for first, last in cut[high]) for high in highs], np.int64)
    size = np.array([1 + 2 * len(cut[high]) for high in highs], np.int64)
    one = np.concatenate([np.array([len(cut[high]), *(end for span in cut[high] for end in span)], np.uint16) for high in highs])
    key = ((rows << np.uint64(4))[:, None] | np.array(highs, np.uint64)).ravel()
    kind = np.full(key.size, RUNS, np.int64)
    return _assemble(key, kind, np.tile(card, rows.size), np.tile(size, rows.size), np.tile(one, rows.size))


def counting(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0..l-1 for every l of `lengths`, one after the other."""
    total = int(lengths.sum())
    return np.arange(total, dtype=np.int64) - np.repeat(np.cumsum(lengths) - lengths, lengths)
