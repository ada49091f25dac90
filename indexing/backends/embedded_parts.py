"""What a set field has in a shard, part by part: a blob, of which some columns may be gone; or existence, as rows of `access`."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexing.backends.base import LIVE_ROW
from indexing.fragment import Fragment, columns_of
from indexing.roaring import SHARD_EXPONENT, U64

Counts = tuple[U64, NDArray[np.int64]]
_LIVE = np.array([LIVE_ROW], np.uint64)


class Part(Protocol):
    """Some of a field's bits in a shard. first, last: no column lies outside of them. Bitmaps are never changed, if not said."""

    first: int
    last: int

    def counts(self, mask: U64 | None) -> Counts:
        """Row ids (r,), ascending, and how many of each one's columns are in the mask (None: all); none without one."""

    def add_rows(self, rows: U64, words: U64) -> bool:
        """Sets the columns of these rows (ascending, distinct) in `words`; False if it has none of them."""

    def positions(self, mask: U64 | None) -> U64:
        """Positions (row << 20 | column), ascending, of the bits whose columns are in the mask."""


class BlobPart:
    """A blob. alive: its columns that have not gone (None: all)."""

    def __init__(self, first: int, last: int, fragment: Fragment, alive: U64 | None) -> None:
        self.first, self.last = first, last
        self._fragment, self._alive = fragment, alive

    def _within(self, mask: U64 | None) -> U64 | None:
        if mask is None or self._alive is None:
            return self._alive if mask is None else mask
        both: U64 = mask & self._alive
        return both

    def counts(self, mask: U64 | None) -> Counts:
        """See Part."""
        mask = self._within(mask)
        return self._fragment.row_counts() if mask is None else self._fragment.masked_counts(mask)

    def add_rows(self, rows: U64, words: U64) -> bool:
        """See Part."""
        if self._alive is None:
            return self._fragment.add_rows(rows, words)
        some = np.zeros_like(words)
        if not self._fragment.add_rows(rows, some):
            return False
        some &= self._alive
        words |= some
        return bool(some.any())

    def positions(self, mask: U64 | None) -> U64:
        """See Part."""
        return self._fragment.positions(self._within(mask))


class LivePart:
    """The columns that exist, as the one row of `access`."""

    def __init__(self, words: U64) -> None:
        self.first, self.last = 0, 64 * words.size - 1
        self._words = words

    def counts(self, mask: U64 | None) -> Counts:
        """See Part."""
        count = int(np.bitwise_count(self._words if mask is None else self._words & mask).sum())
        return (_LIVE, np.array([count])) if count else (_LIVE[:0], np.zeros(0, np.int64))

    def add_rows(self, rows: U64, words: U64) -> bool:
        """See Part."""
        if LIVE_ROW not in rows:
            return False
        words |= self._words
        return True

    def positions(self, mask: U64 | None) -> U64:
        """See Part."""
        return columns_of(self._words if mask is None else self._words & mask, LIVE_ROW << SHARD_EXPONENT)
