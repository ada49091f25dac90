"""Counting rows across shards in bounded memory, and ordering them as TopN does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

_PENDING = 2_000_000  # entries held before equal keys are added up


class Tally:
    """Adds up counts by key; a key is a tuple of `width` row ids (TopN: 1, GroupBy: one a field)."""

    def __init__(self, width: int = 1) -> None:
        self._keys: list[list[U64]] = [[] for _ in range(width)]
        self._counts: list[I64] = []
        self._pending = 0
        self._compacted = 0

    def add(self, keys: list[U64], counts: I64) -> None:
        """keys: `width` arrays (n,); counts (n,)."""
        for held, key in zip(self._keys, keys, strict=True):
            held.append(key)
        self._counts.append(counts)
        self._pending += counts.size
        if self._pending > _PENDING + 2 * self._compacted:
            self._compact()

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return self._pending * 8 * (len(self._keys) + 1)

    def _compact(self) -> None:
        columns = [np.concatenate([np.zeros(0, np.uint64), *held]) for held in self._keys]
        counts = np.concatenate([np.zeros(0, np.int64), *self._counts])
        # One shard's tops come distinct and in order, as often as not: then there is nothing to add up.
        if len(columns) > 1 or not np.all(columns[0][1:] > columns[0][:-1]):
            order = np.argsort(columns[0], kind="stable") if len(columns) == 1 else np.lexsort(columns[::-1])
            columns = [column[order] for column in columns]
            counts = counts[order]
            if counts.size:
                new = np.zeros(counts.size, np.bool_)
                new[0] = True
                for column in columns:
                    new[1:] |= column[1:] != column[:-1]
                first = np.flatnonzero(new)
                columns = [column[first] for column in columns]
                counts = np.add.reduceat(counts, first)
        self._keys = [[column] for column in columns]
        self._counts = [counts]
        self._pending = self._compacted = counts.size

    def result(self) -> tuple[list[U64], I64]:
        """Distinct keys in ascending order and their counts."""
        self._compact()
        return [held[0] for held in self._keys], self._counts[0]


def top(rows: U64, counts: I64, n: int, threshold: int) -> tuple[U64, I64]:
    """The n rows (0: all) with the greatest counts, at least `threshold`; equal counts by row ascending."""
    enough = counts >= max(1, threshold)
    rows, counts = rows[enough], counts[enough]
    if 0 < n < rows.size:
        cut = np.partition(counts, rows.size - n)[rows.size - n]
        keep = counts >= cut
        rows, counts = rows[keep], counts[keep]
    order = np.lexsort((rows, -counts))
    if n > 0:
        order = order[:n]
    return rows[order], counts[order]
