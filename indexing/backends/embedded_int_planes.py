"""An int field's numbers in a shard, bit by bit: plane p has the columns whose number has bit p.

To compare or to add up numbers of 11 bits (a packet's length) is a pass over 1.4 MB of bitmaps, by whole words: a few times as
fast as over the numbers themselves. Made of what is kept in memory alone (docs/decisions/0024-query-cache.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends import embedded_int_kernels as kernels
from indexing.backends.embedded_cache_kernels import popcount
from indexing.fragment import WORDS, bitmap_of_columns
from indexing.roaring import SHARD_EXPONENT, U64

MOST_BITS = 20  # of the greatest number: planes of more are no smaller than the numbers are
assert MOST_BITS + SHARD_EXPONENT <= 64  # the sum of a shard's numbers


class IntPlanes:
    """Numbers from 0 up to less than 2^MOST_BITS; changed by nobody."""

    def __init__(self, columns: NDArray[np.int64], delta: NDArray[Any], most: int) -> None:
        """columns (n,) within the shard, ascending; delta: their numbers uint8 .. uint64 (n,); most: the greatest."""
        if not fits(most):
            raise ValueError(f"numbers up to {most} have more than {MOST_BITS} bits")
        self._there: U64 = bitmap_of_columns(columns)
        self._planes = np.zeros((most.bit_length(), WORDS), np.uint64)
        kernels.fill_planes(delta, columns, self._planes)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self._planes.nbytes + self._there.nbytes

    def compare(self, low: int, high: int, outside: bool, mask: U64 | None) -> U64:
        """The columns whose number is in low..high (0 <= low <= high <= the greatest), or is not; of those in the mask alone."""
        return self._compared(low, high, outside, mask, False)[0]

    def compared_sum(self, low: int, high: int, outside: bool, mask: U64) -> tuple[int, int]:
        """The sum of the numbers of those columns, and how many they are: in one pass."""
        _, some, total = self._compared(low, high, outside, mask, True)
        return total, some

    def _compared(self, low: int, high: int, outside: bool, mask: U64 | None, weigh: bool) -> tuple[U64, int, int]:
        out, held = np.empty(WORDS, np.uint64), np.empty(1024, np.uint64)
        within = self._there if mask is None else self._there & mask
        some, total = kernels.compare_planes(self._planes, np.uint64(low), np.uint64(high), outside, within, weigh, held, out)
        return out, int(some), int(total)

    def sum(self, mask: U64) -> tuple[int, int]:
        """The sum of the numbers whose columns are in the mask, and how many they are."""
        within = self._there & mask
        return int(kernels.sum_planes(self._planes, within)), int(popcount(within))


def fits(most: int) -> bool:
    """Whether numbers up to `most` can be had as planes."""
    return most.bit_length() <= MOST_BITS
