"""Reading a fragment's bytes (layout: indexing/roaring.py): rows as bitmaps, counts, positions, without unpacking all of it.

A *bitmap of a shard* is uint64 (16384,): bit c of the shard's 2^20 columns is bit c & 63 of word c >> 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from indexing import fragment_kernels as kernels
from indexing.roaring import DESCRIPTOR, HEADER, MAGIC, SHARD_WIDTH, U64, RoaringError

WORDS = SHARD_WIDTH // 64
EVERY = np.full(WORDS, 0xFFFFFFFFFFFFFFFF, np.uint64)  # every column of a shard; not to be changed
_FEW_BITS = 20_000  # below it setting bits one by one beats packing a flag a column

Indices = NDArray[np.int64]


def bitmap_of_columns(columns: NDArray[np.uint32] | NDArray[np.int64]) -> U64:
    """Bitmap of a shard with these columns (0..2^20-1) set."""
    words = np.zeros(WORDS, np.uint64)
    _set_columns(words, columns.astype(np.int64, copy=False))
    return words


def columns_of(words: U64, first: int = 0) -> U64:
    """Columns uint64 (n,), ascending, of a bitmap of a shard whose first column is `first`."""
    out = np.empty(int(np.bitwise_count(words).sum()), np.uint64)
    kernels.columns_of(words, np.uint64(first), out)
    return out


def columns_of_bitmap(words: U64) -> NDArray[np.int64]:
    """Columns (0..2^20-1) of a bitmap of a shard, ascending."""
    return columns_of(words).view(np.int64)


def flags_of_bitmap(words: U64) -> NDArray[np.bool_]:
    """One bool a column (2^20,) of a bitmap of a shard."""
    return np.unpackbits(words.view(np.uint8), bitorder="little").view(np.bool_)


def bitmap_of_flags(flags: NDArray[np.bool_]) -> U64:
    """The inverse of flags_of_bitmap."""
    return np.packbits(flags, bitorder="little").view(np.uint64)


def set_range(words: U64, first: int, last: int) -> None:
    """Sets columns first..last, both inclusive, of a bitmap."""
    kernels.set_ranges(words, np.array([[first, last]], np.int64))


def bitmap_of_ranges(ranges: Iterable[tuple[int, int]]) -> U64:
    """Bitmap of a shard with the columns of all ranges (first, last, both inclusive) set."""
    words = np.zeros(WORDS, np.uint64)
    kernels.set_ranges(words, np.array(list(ranges), np.int64).reshape(-1, 2))
    return words


def _set_columns(words: U64, columns: Indices) -> None:
    if columns.size < _FEW_BITS:
        np.bitwise_or.at(words, columns >> 6, np.uint64(1) << (columns & 63).astype(np.uint64))
        return
    flags = np.zeros(SHARD_WIDTH, np.bool_)
    flags[columns] = True
    words |= bitmap_of_flags(flags)


class Fragment:
    """A view on a fragment's bytes; nothing is copied until asked. The buffer must outlive it (an LMDB transaction).

    Raises RoaringError when the bytes are not Pilosa's layout: at once for what the header says, and, for containers whose data
    is not there, when they are read. Nothing is read outside of the buffer."""

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
        # All of it as uint16, read-only, with containers not looked at: for kernels.
        self.blob = np.frombuffer(buffer, "<u2", len(buffer) // 2)
        if not self.blob.flags.aligned:
            self.blob = self.blob.copy()
        self.blob.flags.writeable = False

    # What the header says

    @property
    def _descriptor(self) -> NDArray[np.void]:
        return self.blob[HEADER.size // 2 : (HEADER.size + DESCRIPTOR.itemsize * self.count) // 2].view(DESCRIPTOR)

    @property
    def keys(self) -> U64:
        """Container keys uint64 (k,), ascending."""
        return np.ascontiguousarray(self._descriptor["key"])

    @property
    def cards(self) -> Indices:
        """Bits per container (k,), as the header declares them."""
        return self._descriptor["card"].astype(np.int64) + 1

    def row_counts(self) -> tuple[U64, Indices]:
        """Row ids uint64 (r,), ascending, and how many bits each has (r,)."""
        rows, counts = np.empty(self.count, np.uint64), np.empty(self.count, np.int64)
        found = kernels.count_rows(self.blob, self.count, rows, counts)
        return rows[:found], counts[:found]

    def rows(self) -> U64:
        """Row ids uint64 (r,), ascending."""
        return self.row_counts()[0]

    # Under a mask

    def add_rows(self, rows: U64, words: U64) -> bool:
        """Sets the columns of these rows (ascending, distinct) in a bitmap; False if the fragment has none of them."""
        return self._checked(kernels.add_rows(self.blob, self.count, rows, words)) > 0

    def masked_counts(self, mask: U64) -> tuple[U64, Indices]:
        """Row ids (r,), ascending, and how many of each one's columns are in the bitmap (r,); rows with none are left out."""
        rows, counts = np.empty(self.count, np.uint64), np.empty(self.count, np.int64)
        found = self._checked(kernels.count_rows_within(self.blob, self.count, mask, rows, counts))
        return rows[:found], counts[:found]

    def positions(self, mask: U64 | None = None) -> U64:
        """Positions uint64 (n,), ascending: all, or those whose columns are in the bitmap."""
        out = np.empty(int(self._descriptor["card"].sum(dtype=np.int64)) + self.count, np.uint64)
        found = self._checked(kernels.positions_within(self.blob, self.count, EVERY if mask is None else mask, out))
        return out[:found]

    @staticmethod
    def _checked(found: int) -> int:
        if found < 0:
            raise RoaringError("a container's data is not where the header says, or not what it says")
        return found


def positions_of_many(blobs: Sequence[bytes | memoryview]) -> U64:
    """The positions of all bits of many small blobs, blob by blob; those of each ascend. Copies the blobs.

    Raises RoaringError if one of them is not Pilosa's layout."""
    together = np.frombuffer(b"".join(blobs), np.uint16) if all(len(blob) % 2 == 0 for blob in blobs) else None
    if together is None:
        raise RoaringError("a fragment of an odd number of bytes")
    end = np.cumsum(np.fromiter(map(len, blobs), np.int64, len(blobs))) >> 1
    count = kernels.positions_of_many(together, end, EVERY, np.zeros(0, np.uint64))
    out = np.empty(max(count, 0), np.uint64)
    if count and (count < 0 or kernels.positions_of_many(together, end, EVERY, out) != count):
        for blob in blobs:
            Fragment(blob).positions()  # says what is wrong with it
        raise RoaringError("one of many fragments is damaged")
    return out


def decode(buffer: bytes | bytearray | memoryview) -> U64:
    """All positions of a fragment's bytes, uint64 (n,), ascending."""
    return Fragment(buffer).positions()
