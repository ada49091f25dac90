"""Adding up counts and sums of rows over shards. Row ids are dense when they are given out, so they are places in an array; where
they are not (ids far apart), entries are put in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexing.roaring import U64

I64 = NDArray[np.int64]
_MOST_PLACES = 1 << 22  # 32 MiB of counts
_PENDING = 1_000_000


class RowSums:
    """Adds up counts by row, and sums too if they are wanted."""

    def __init__(self, weighed: bool) -> None:
        self._weighed = weighed
        self._parts: list[tuple[U64, I64, I64 | None]] = []
        self._pending = 0
        self._compacted = 0

    def add(self, rows: U64, counts: I64, sums: I64 | None) -> None:
        """rows: (r,), each once; counts, sums: (r,)."""
        if rows.size:
            self._parts.append((rows, counts, sums))
            self._pending += rows.size
            if self._pending > _PENDING + 2 * self._compacted:
                self._compact()

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return self._pending * (24 if self._weighed else 16)

    def _compact(self) -> None:
        if len(self._parts) > 1:
            self._parts = [self._added()]
        self._pending = self._compacted = sum(rows.size for rows, _, _ in self._parts)

    def _added(self) -> tuple[U64, I64, I64 | None]:
        most = max(int(rows.max()) for rows, _, _ in self._parts)
        if most < _MOST_PLACES and most < 64 * self._pending + 4096:
            counts, sums = np.zeros(most + 1, np.int64), np.zeros(most + 1 if self._weighed else 0, np.int64)
            for rows, some, its in self._parts:
                at = rows.view(np.int64)
                counts[at] += some
                if its is not None:
                    sums[at] += its
            found = np.flatnonzero(counts)
            return found.astype(np.uint64), counts[found], sums[found] if self._weighed else None
        row = np.concatenate([rows for rows, _, _ in self._parts])
        order = np.argsort(row, kind="stable")
        row = row[order]
        first = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
        counts = np.add.reduceat(np.concatenate([some for _, some, _ in self._parts])[order], first)
        if not self._weighed:
            return row[first], counts, None
        its_sums = [its for _, _, its in self._parts if its is not None]
        return row[first], counts, np.add.reduceat(np.concatenate(its_sums)[order], first)

    def result(self) -> tuple[U64, I64, I64 | None]:
        """Rows, ascending, each once, with their counts and sums (None: not wanted)."""
        self._compact()
        if self._parts:
            return self._parts[0]
        return np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64) if self._weighed else None
