"""A set field's bits in a shard as one set in memory: the containers of all its parts, by row, without what has gone.

It is made out of blobs and of what PQL wrote, needs no transaction, and is never changed. See docs/decisions/0024-query-cache.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends import embedded_cache_kernels as kernels
from indexing.backends.embedded_codes_kernels import sums_within
from indexing.backends.embedded_overlay import SetOverlay
from indexing.backends.embedded_parts import Counts
from indexing.fragment import EVERY, Fragment
from indexing.roaring import SHARD_WIDTH, U64, RoaringError, encode

I64 = NDArray[np.int64]


class CachedRows:
    """See Part: this is one, of the whole shard. Raises RoaringError when it is made of a damaged blob."""

    first, last = 0, SHARD_WIDTH - 1

    def __init__(self, sources: Iterable[tuple[Fragment, U64 | None]], written: SetOverlay | None = None) -> None:
        """sources: fragments, each with those of its columns that have not gone (None: all); no column is in two of them.
        written: what PQL wrote."""
        fragments = _whole(sources, written)
        begin, ends = 0, []
        for fragment in fragments:
            begin = _checked(kernels.packed_size(fragment.blob, fragment.count, begin))
            ends.append(begin)
        count = sum(fragment.count for fragment in fragments)
        key, meta = np.empty(count, np.uint64), np.empty(count, np.int64)
        data = _numbers(begin)
        at = 0
        for fragment, begin in zip(fragments, [0, *ends], strict=False):
            to = at + fragment.count
            kernels.pack(fragment.blob, fragment.count, begin, key[at:to], meta[at:to], data)
            at = to
        if len(fragments) > 1:
            order = np.argsort(key, kind="stable")
            key, meta, data = _merged(key[order], meta[order], data)
        rows, counts, start = np.empty(key.size, np.uint64), np.empty(key.size, np.int64), np.empty(key.size + 1, np.int64)
        found = kernels.rows_of(key, meta, rows, counts, start)
        self._arrays = (start[: found + 1].copy(), key, meta, data, data.view(np.uint64))
        self.rows, self.row_counts = rows[:found].copy(), counts[:found].copy()

    @property
    def size(self) -> int:
        """Bytes in memory."""
        arrays = (self.rows, self.row_counts, *self._arrays[:4])
        return sum(array.nbytes for array in arrays)

    # As Part

    def counts(self, mask: U64 | None) -> Counts:
        """See Part."""
        if mask is None:
            return self.rows, self.row_counts
        rows, counts = np.empty(self.rows.size, np.uint64), np.empty(self.rows.size, np.int64)
        found = kernels.count_within(*self._arrays, mask, self.rows, rows, counts)
        return rows[:found], counts[:found]

    def add_rows(self, rows: U64, words: U64) -> bool:
        """See Part."""
        found: int = kernels.add_rows(self.rows, *self._arrays, rows, words)
        return found > 0

    def positions(self, mask: U64 | None) -> U64:
        """See Part."""
        out = np.empty(int(self.row_counts.sum()), np.uint64)
        found = kernels.positions(*self._arrays[1:], EVERY if mask is None else mask, out)
        return out[: _checked(found)]

    # More than Part

    @property
    def numbers(self) -> int:
        """How many numbers of two bytes its bits are kept as: what a pass over all of them costs."""
        return self._arrays[3].size

    def sums(self, mask: U64, weights: NDArray[Any]) -> tuple[U64, I64, I64]:
        """Rows that have a column in the mask, how many, and the sum of their weights; weights: (2^20,), uint16 or int64."""
        rows, counts, sums = np.empty_like(self.rows), np.empty_like(self.row_counts), np.empty_like(self.row_counts)
        found = sums_within(*self._arrays, mask, weights, self.rows, rows, counts, sums)
        return rows[:found], counts[:found], sums[:found]

    def count(self, row: int) -> int:
        """How many columns a row has."""
        at = kernels.find_row(self.rows, row)
        return int(self.row_counts[at]) if at >= 0 else 0

    def columns(self, row: int, first: int, out: U64) -> None:
        """Fills out (n,) with the columns of a row that has n, ascending, each plus `first`. Raises RoaringError."""
        at = kernels.find_row(self.rows, row)
        found = 0
        if at >= 0:
            begin, end = self._arrays[0][at : at + 2]
            found = kernels.columns(begin, end, *self._arrays[1:], first, out)
        if found != out.size:
            raise RoaringError("a row has not as many bits as the header says")

    def add_counts(self, rows: U64, mask: U64, out: I64) -> None:
        """Adds to out (w,) how many columns of each row (w,) are in the mask."""
        kernels.add_counts(self.rows, *self._arrays, mask, rows, out)

    def count_both(self, row: int, other: CachedRows, its_row: int) -> int:
        """How many columns one row here and one of another field have both."""
        at, its = kernels.find_row(self.rows, row), kernels.find_row(other.rows, its_row)
        if at < 0 or its < 0:
            return 0
        found: int = kernels.count_both(*self._arrays, at, *other._arrays, its)
        return found

    def cross(self, rows: U64, other: CachedRows, its_rows: U64) -> I64:
        """How many columns each of these rows (a,) and of another field's rows (b,) have both: (a, b). All of them are there."""
        out = np.zeros((rows.size, its_rows.size), np.int64)
        at, its = np.searchsorted(self.rows, rows), np.searchsorted(other.rows, its_rows)
        kernels.count_pairs(*self._arrays, at, *other._arrays, its, out)
        return out


def _whole(sources: Iterable[tuple[Fragment, U64 | None]], written: SetOverlay | None) -> list[Fragment]:
    """Fragments of which all bits hold."""
    out: list[Fragment] = []
    removed = np.zeros(0, np.uint64) if written is None else written.removed
    for fragment, alive in sources:
        if alive is not None or removed.size:
            position = fragment.positions(alive)
            if removed.size:
                position = np.setdiff1d(position, removed, assume_unique=True)
            fragment = Fragment(encode(position))
        out.append(fragment)
    if written is not None and written.has_added:
        out.append(written.fragment())
    return out


def _merged(key: U64, meta: I64, data: NDArray[np.uint16]) -> tuple[U64, I64, NDArray[np.uint16]]:
    """Containers of one key, of several parts, become one."""
    if not bool((key[1:] == key[:-1]).any()):
        return key, meta, data
    out_key, out_meta, out = np.empty_like(key), np.empty_like(meta), _numbers(kernels.merged_size(key, meta, data))
    count, size = kernels.merge(key, meta, data, data.view(np.uint64), out_key, out_meta, out, out.view(np.uint64))
    return out_key[:count].copy(), out_meta[:count].copy(), out[: size + 3 & ~3].copy()


def _numbers(size: int) -> NDArray[np.uint16]:
    return np.zeros(size + 3 & ~3, np.uint16)


def _checked(found: int) -> int:
    if found < 0:
        raise RoaringError("a container's data is not where the header says, or not what it says")
    return found
