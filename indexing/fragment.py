"""Reading a fragment's bytes (layout: indexing/roaring.py): rows as bitmaps, counts, positions, without unpacking all of it.

A *bitmap of a shard* is uint64 (16384,): bit c of the shard's 2^20 columns is bit c & 63 of word c >> 6.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from indexing.roaring import (
    ARRAY,
    BITMAP,
    CONTAINER_BITS,
    DESCRIPTOR,
    HEADER,
    MAGIC,
    RUNS,
    SHARD_WIDTH,
    U64,
    RoaringError,
    counting,
)

WORDS = SHARD_WIDTH // 64
_CONTAINER_WORDS = CONTAINER_BITS // 64
_FEW_BITS = 20_000  # below it setting bits one by one beats packing a flag a column
_FEW_CONTAINERS = 8  # of runs: past it, all of them in one pass
_FEW_RUNS = 8
_BITMAPS_AT_ONCE = 256

Indices = NDArray[np.int64]


def bitmap_of_columns(columns: NDArray[np.uint32] | NDArray[np.int64]) -> U64:
    """Bitmap of a shard with these columns (0..2^20-1) set."""
    words = np.zeros(WORDS, np.uint64)
    _set_columns(words, columns.astype(np.int64, copy=False))
    return words


def columns_of_bitmap(words: U64) -> NDArray[np.int64]:
    """Columns (0..2^20-1) of a bitmap of a shard, ascending."""
    some = np.flatnonzero(words)
    if some.size < WORDS // 8:
        bits = np.unpackbits(words[some].view(np.uint8), bitorder="little").reshape(some.size, 64)
        word, bit = np.nonzero(bits)
        return some[word] * 64 + bit
    return np.flatnonzero(flags_of_bitmap(words))


def flags_of_bitmap(words: U64) -> NDArray[np.bool_]:
    """One bool a column (2^20,) of a bitmap of a shard."""
    return np.unpackbits(words.view(np.uint8), bitorder="little").view(np.bool_)


def bitmap_of_flags(flags: NDArray[np.bool_]) -> U64:
    """The inverse of flags_of_bitmap."""
    return np.packbits(flags, bitorder="little").view(np.uint64)


def set_range(words: U64, first: int, last: int) -> None:
    """Sets columns first..last, both inclusive, of a bitmap."""
    head, tail = first >> 6, last >> 6
    low = np.uint64((0xFFFFFFFFFFFFFFFF << (first & 63)) & 0xFFFFFFFFFFFFFFFF)
    high = np.uint64(0xFFFFFFFFFFFFFFFF >> (63 - (last & 63)))
    if head == tail:
        words[head] |= low & high
        return
    words[head] |= low
    words[head + 1 : tail] = np.uint64(0xFFFFFFFFFFFFFFFF)
    words[tail] |= high


def _set_columns(words: U64, columns: Indices) -> None:
    if columns.size < _FEW_BITS:
        np.bitwise_or.at(words, columns >> 6, np.uint64(1) << (columns & 63).astype(np.uint64))
        return
    flags = np.zeros(SHARD_WIDTH, np.bool_)
    flags[columns] = True
    words |= bitmap_of_flags(flags)


class Mask:
    """A bitmap with what counting under it needs, made once: a flag a column, and the number of columns before each."""

    def __init__(self, words: U64) -> None:
        self.words = words
        self._flags: NDArray[np.bool_] | None = None
        self._before: NDArray[np.int32] | None = None

    @property
    def flags(self) -> NDArray[np.bool_]:
        if self._flags is None:
            self._flags = flags_of_bitmap(self.words)
        return self._flags

    @property
    def before(self) -> NDArray[np.int32]:
        """int32 (2^20 + 1,): columns set below c."""
        if self._before is None:
            self._before = np.zeros(SHARD_WIDTH + 1, np.int32)
            np.cumsum(self.flags, out=self._before[1:])
        return self._before


class Fragment:
    """A view on a fragment's bytes; nothing is copied until asked. The buffer must outlive it (an LMDB transaction).

    Raises RoaringError when the bytes are not Pilosa's layout."""

    def __init__(self, buffer: bytes | bytearray | memoryview) -> None:
        if len(buffer) < HEADER.size:
            raise RoaringError(f"{len(buffer)} bytes are not long enough for a roaring header")
        magic, version, _flags, k = HEADER.unpack_from(buffer)
        if magic != MAGIC:
            raise RoaringError(f"unknown roaring magic number {magic} at byte 0, want {MAGIC}")
        if version != 0:
            raise RoaringError(f"wrong roaring version, file is v{version}, want v0")
        need = HEADER.size + (DESCRIPTOR.itemsize + 4) * k
        if len(buffer) < need:
            raise RoaringError(f"insufficient data for header + offsets: want {need} bytes, got {len(buffer)}")
        self.count = int(k)
        self._descriptor = np.frombuffer(buffer, DESCRIPTOR, k, HEADER.size)
        self._offset = np.frombuffer(buffer, "<u4", k, HEADER.size + DESCRIPTOR.itemsize * k)
        self._base = need
        self._data = np.frombuffer(buffer, "<u2", (len(buffer) - need) // 2, need)

    # What the header says

    @property
    def keys(self) -> U64:
        """Container keys uint64 (k,), ascending."""
        return np.ascontiguousarray(self._descriptor["key"])

    @property
    def cards(self) -> Indices:
        """Bits per container (k,), as the header declares them."""
        return self._descriptor["card"].astype(np.int64) + 1

    def rows(self) -> tuple[U64, Indices]:
        """Row ids uint64 (r,), ascending, and the index (r,) of each one's first container."""
        row = self.keys >> np.uint64(4)
        if row.size == 0:
            return row, np.zeros(0, np.int64)
        first = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
        return row[first], first

    def row_counts(self) -> tuple[U64, Indices]:
        """Row ids uint64 (r,), ascending, and how many bits each has (r,)."""
        row, first = self.rows()
        return row, np.add.reduceat(self.cards, first) if row.size else np.zeros(0, np.int64)

    # Rows as bitmaps

    def containers_of_row(self, row: int) -> range:
        """Indices of a row's containers (at most 16), found by bisection."""
        key = self._descriptor["key"]
        low = bisect_left(key, row << 4)
        high = low
        while high < self.count and int(key[high]) >> 4 == row:
            high += 1
        return range(low, high)

    def add_rows(self, rows: U64, words: U64) -> bool:
        """Sets the columns of these rows (ascending, distinct) in a bitmap; False if the fragment has none of them."""
        if rows.size < 8:
            which = [i for row in rows.tolist() for i in self.containers_of_row(row)]
            index = np.array(which, np.int64)
        else:
            row, first = self.rows()
            at = np.searchsorted(row, rows)
            at = at[(at < row.size)]
            at = at[np.isin(row[at], rows, assume_unique=True)] if at.size else at
            bound = np.append(first, self.count)
            lengths = bound[at + 1] - bound[at]
            index = np.repeat(bound[at], lengths) + counting(lengths)
        if index.size == 0:
            return False
        self._add_containers(index, words)
        return True

    def _add_containers(self, index: Indices, words: U64) -> None:
        kind = self._descriptor["type"][index]
        column = ((self._descriptor["key"][index] & np.uint64(15)) << np.uint64(16)).astype(np.int64)
        at = (self._offset[index].astype(np.int64) - self._base) >> 1
        arrays = kind == ARRAY
        if arrays.any():
            lengths = self._descriptor["card"][index[arrays]].astype(np.int64) + 1
            low = self._gather(at[arrays], lengths).astype(np.int64)
            _set_columns(words, np.repeat(column[arrays], lengths) + low)
        for i in np.flatnonzero(kind == BITMAP).tolist():
            word = int(column[i]) >> 6
            words[word : word + _CONTAINER_WORDS] |= self._data[at[i] : at[i] + CONTAINER_BITS // 16].view("<u8")
        runs = np.flatnonzero(kind == RUNS)
        if runs.size > _FEW_CONTAINERS:
            self._add_many_runs(at[runs], column[runs], words)
            return
        for i in runs.tolist():
            self._add_runs(int(at[i]), int(column[i]), words)

    def _add_many_runs(self, at: Indices, column: Indices, words: U64) -> None:
        """All runs of many containers in one pass over the columns that they span; they may overlap."""
        first, last, container = self._run_ends(at)
        base = column[container]
        begin, end = int(column.min()), int(column.max()) + CONTAINER_BITS
        edge = np.zeros(end - begin + 1, np.int32)
        np.add.at(edge, base + first - begin, 1)
        np.add.at(edge, base + last + 1 - begin, -1)
        flags = np.cumsum(edge[:-1], dtype=np.int32) > 0
        words[begin >> 6 : end >> 6] |= np.packbits(flags, bitorder="little").view(np.uint64)

    def _add_runs(self, at: int, column: int, words: U64) -> None:
        n = int(self._data[at])
        ends = self._data[at + 1 : at + 1 + 2 * n].astype(np.int64).reshape(n, 2)
        if n <= _FEW_RUNS:
            for first, last in ends.tolist():
                set_range(words, column + first, column + last)
            return
        edge = np.zeros(CONTAINER_BITS + 1, np.int8)
        np.add.at(edge, ends[:, 0], 1)
        np.add.at(edge, ends[:, 1] + 1, -1)
        flags = np.cumsum(edge[:-1], dtype=np.int8).view(np.bool_)
        words[column >> 6 : (column >> 6) + _CONTAINER_WORDS] |= np.packbits(flags, bitorder="little").view(np.uint64)

    def _gather(self, at: Indices, lengths: Indices) -> NDArray[np.uint16]:
        """u16 of the data at `at`, `lengths` each, one after the other."""
        if at.size and int(at[-1]) + int(lengths[-1]) - int(at[0]) == int(lengths.sum()) and bool((np.diff(at) > 0).all()):
            side_by_side: NDArray[np.uint16] = self._data[int(at[0]) : int(at[-1]) + int(lengths[-1])]
            return side_by_side
        scattered: NDArray[np.uint16] = self._data[np.repeat(at, lengths) + counting(lengths)]
        return scattered

    # Counting under a mask

    def masked_counts(self, mask: Mask) -> tuple[U64, Indices]:
        """Row ids (r,), ascending, and how many of each one's columns are in the mask (r,); rows with none are left out."""
        row, first = self.rows()
        if row.size == 0:
            return row, np.zeros(0, np.int64)
        counts = np.add.reduceat(self._container_counts(mask), first)
        some = counts > 0
        return row[some], counts[some]

    def _container_counts(self, mask: Mask) -> Indices:
        counts = np.zeros(self.count, np.int64)
        kind = self._descriptor["type"]
        column = ((self._descriptor["key"] & np.uint64(15)) << np.uint64(16)).astype(np.int64)
        at = (self._offset.astype(np.int64) - self._base) >> 1
        which = np.flatnonzero(kind == ARRAY)
        if which.size:
            lengths = self.cards[which]
            hit = mask.flags[np.repeat(column[which], lengths) + self._gather(at[which], lengths)]
            counts[which] = np.add.reduceat(hit, np.cumsum(lengths) - lengths, dtype=np.int64)
        which = np.flatnonzero(kind == BITMAP)
        by_container = mask.words.reshape(16, _CONTAINER_WORDS)
        for i in range(0, which.size, _BITMAPS_AT_ONCE):
            some = which[i : i + _BITMAPS_AT_ONCE]
            words = self._data[at[some][:, None] + np.arange(CONTAINER_BITS // 16)].view("<u8")
            counts[some] = np.bitwise_count(words & by_container[column[some] >> 16]).sum(axis=1)
        which = np.flatnonzero(kind == RUNS)
        if which.size:
            first, last, container = self._run_ends(at[which])
            base = column[which][container]
            inside = mask.before[base + last + 1] - mask.before[base + first]
            counts[which] = np.bincount(container, inside, which.size).astype(np.int64)
        return counts

    def _run_ends(self, at: Indices) -> tuple[Indices, Indices, Indices]:
        """First and last values of all runs of the containers at `at`, and which of these containers each run is of."""
        runs = self._data[at].astype(np.int64)
        ends = self._data[np.repeat(at + 1, 2 * runs) + counting(2 * runs)].astype(np.int64).reshape(-1, 2)
        return ends[:, 0], ends[:, 1], np.repeat(np.arange(at.size), runs)

    # Positions

    def positions(self, keep: NDArray[np.bool_] | None = None) -> U64:
        """All positions uint64 (n,), ascending; `keep` bool (k,) chooses containers."""
        which = np.arange(self.count) if keep is None else np.flatnonzero(keep)
        if which.size == 0:
            return np.zeros(0, np.uint64)
        kind = self._descriptor["type"][which]
        high = self._descriptor["key"][which] << np.uint64(16)
        at = (self._offset[which].astype(np.int64) - self._base) >> 1
        parts: list[tuple[Indices, Indices, U64]] = []  # container (of which), bits in it, its positions
        some = np.flatnonzero(kind == ARRAY)
        if some.size:
            lengths = self._descriptor["card"][which[some]].astype(np.int64) + 1
            ones: U64 = np.repeat(high[some], lengths)
            ones |= self._gather(at[some], lengths).astype(np.uint64)
            parts.append((some, lengths, ones))
        bitmaps = np.flatnonzero(kind == BITMAP)
        for i in range(0, bitmaps.size, _BITMAPS_AT_ONCE):
            some = bitmaps[i : i + _BITMAPS_AT_ONCE]
            words: NDArray[np.uint16] = self._data[at[some][:, None] + np.arange(CONTAINER_BITS // 16)]
            bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
            container, low = np.nonzero(bits)
            values: U64 = np.bitwise_or(high[some][container], low.astype(np.uint64), dtype=np.uint64)
            parts.append((some, np.bincount(container, minlength=some.size).astype(np.int64), values))
        some = np.flatnonzero(kind == RUNS)
        if some.size:
            first, last, container = self._run_ends(at[some])
            lengths = last - first + 1
            values = np.repeat(high[some][container], lengths)
            values |= (np.repeat(first, lengths) + counting(lengths)).astype(np.uint64)
            parts.append((some, np.bincount(container, lengths, some.size).astype(np.int64), values))
        if len(parts) == 1:
            return parts[0][2]
        lengths = np.zeros(which.size, np.int64)
        for some, counts, _ in parts:
            lengths[some] = counts
        start = np.cumsum(lengths) - lengths
        out = np.empty(int(lengths.sum()), np.uint64)
        for some, counts, values in parts:
            out[np.repeat(start[some], counts) + counting(counts)] = values
        return out


def decode(buffer: bytes | bytearray | memoryview) -> U64:
    """All positions of a fragment's bytes, uint64 (n,), ascending."""
    return Fragment(buffer).positions()
