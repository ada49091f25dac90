"""A field's rows by how many columns they have in all shards: what TopN looks at first. As Pilosa's rank cache, but exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexing.backends.embedded_shard import Shard
from indexing.backends.tally import top
from indexing.limits import Budget
from indexing.roaring import U64

MOST_SHARDS = 256  # the masks of all of them are held while the rows are gone through: 32 MiB
_FIRST_ROWS, _MORE = 64, 4  # rows looked at at once, first, and how many times as many each time after that
_MASK_BYTES = 1 << 17

I64 = NDArray[np.int64]


class Ranked:
    """A field's rows, the greatest count first; equal ones by row."""

    def __init__(self, field: str, rows: U64, counts: I64) -> None:
        """rows: ascending."""
        order = np.argsort(-counts, kind="stable")
        self._field, self._rows, self._counts = field, rows[order], counts[order]

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self._rows.nbytes + self._counts.nbytes

    def top(self, n: int, threshold: int) -> tuple[U64, I64]:
        """The first n rows that have `threshold` columns or more."""
        enough = int(np.searchsorted(-self._counts[:n], -max(1, threshold), "right"))
        return self._rows[:enough], self._counts[:enough]

    def top_within(self, masks: Sequence[tuple[Shard, U64]], n: int, threshold: int, budget: Budget) -> tuple[U64, I64]:
        """The same of the columns in masks.

        Rows are gone through from the greatest on; when the n-th best so far has more columns in the masks than the next row has
        at all, the rest cannot be among the first."""
        budget.take(_MASK_BYTES * len(masks), "bitmaps of all shards")
        found = [np.zeros(0, np.int64)]
        best = np.zeros(0, np.int64)  # the n greatest counts so far
        done, step = 0, _FIRST_ROWS
        while done < self._rows.size:
            most = int(self._counts[done])
            if most < threshold or (best.size == n and int(best[0]) > most):
                break
            rows = self._rows[done : done + step]
            counts = np.zeros(rows.size, np.int64)
            for shard, mask in masks:
                budget.check()
                _add_counts(shard, self._field, rows, mask, counts)
            found.append(counts)
            best = np.concatenate([best, counts])
            if best.size >= n:
                best = np.partition(best, best.size - n)[best.size - n :]  # the least of them comes first
            done, step = done + rows.size, step * _MORE
        budget.free(_MASK_BYTES * len(masks))
        counts = np.concatenate(found)
        return top(self._rows[: counts.size], counts, n, threshold)


def _add_counts(shard: Shard, field: str, rows: U64, mask: U64, out: I64) -> None:
    cached = shard.cached(field)
    if cached is not None:
        cached.add_counts(rows, mask, out)
        return
    for part in shard.sets(field):
        ids, counts = part.counts(mask)
        if ids.size:
            at = np.minimum(np.searchsorted(ids, rows), ids.size - 1)
            same = ids[at] == rows
            out[same] += counts[at[same]]
