"""A set of columns that was worked out here and stands in a query: ranges, so that a whole capture is two numbers.

`Call("Columns", args={"columns": ColumnSet})` is a bitmap call of both backends. It cannot be written as text.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np

from indexing.calls import Call
from indexing.fragment import bitmap_of_ranges
from indexing.roaring import SHARD_EXPONENT, SHARD_WIDTH, U64

NAME = "Columns"
_ONE = np.uint64(1)


@dataclass(frozen=True, eq=False)
class ColumnSet:
    """first, last: uint64 (n,), both inclusive; ascending, and no range touches the next. Changed by nobody."""

    first: U64
    last: U64

    @cached_property
    def key(self) -> Hashable:
        """Equal for equal sets."""
        return blake2b(self.first.tobytes() + self.last.tobytes(), digest_size=16).digest()

    @property
    def size(self) -> int:
        """How many columns."""
        return int((self.last - self.first).sum()) + self.first.size

    def shards(self) -> list[int]:
        """The shards that have some of them, ascending."""
        first, last = (self.first >> np.uint64(SHARD_EXPONENT)).tolist(), (self.last >> np.uint64(SHARD_EXPONENT)).tolist()
        found: dict[int, None] = {}
        for low, high in zip(first, last, strict=True):
            if low not in found or high != low:
                found.update(dict.fromkeys(range(low, high + 1)))
        return list(found)

    def ranges(self, shard: int) -> list[tuple[int, int]]:
        """Those of a shard, counted from its first column."""
        begin = shard << SHARD_EXPONENT
        at = int(np.searchsorted(self.last, np.uint64(begin)))
        to = int(np.searchsorted(self.first, np.uint64(begin + SHARD_WIDTH)))
        low = np.maximum(self.first[at:to], np.uint64(begin)) - np.uint64(begin)
        high = np.minimum(self.last[at:to], np.uint64(begin + SHARD_WIDTH - 1)) - np.uint64(begin)
        return list(zip(low.tolist(), high.tolist(), strict=True))

    def words(self, shard: int) -> U64 | None:
        """Bitmap of a shard; None if it has none of them."""
        ranges = self.ranges(shard)
        return bitmap_of_ranges(ranges) if ranges else None

    def call(self) -> Call:
        """The bitmap call."""
        return Call(NAME, args={"columns": self})


def of_ranges(ranges: Iterable[tuple[int, int]]) -> ColumnSet:
    """Of (first, last), both inclusive, in any order; they may touch and overlap. One that ends before it begins is none."""
    pairs = np.array([pair for pair in ranges if pair[0] <= pair[1]], np.uint64).reshape(-1, 2)
    return joined(pairs[:, 0], pairs[:, 1])


def joined(first: U64, last: U64) -> ColumnSet:
    """Of ranges first[i]..last[i], none of them empty, in any order; they may touch and overlap."""
    if first.size == 0:
        return ColumnSet(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
    order = np.argsort(first, kind="stable")
    first, last = first[order], np.maximum.accumulate(last[order])
    begins = np.ones(first.size, np.bool_)
    begins[1:] = first[1:] > last[:-1] + _ONE
    ends = np.append(np.flatnonzero(begins)[1:] - 1, first.size - 1)
    return ColumnSet(first[begins], last[ends])


def of_columns(columns: U64) -> ColumnSet:
    """Of columns uint64 (n,), ascending, each once."""
    columns = np.asarray(columns, np.uint64)
    return joined(columns, columns)
