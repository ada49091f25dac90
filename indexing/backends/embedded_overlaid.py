"""What PQL wrote (embedded_overlay), laid over the parts of a field in a shard: what reads see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from indexing.backends.embedded_ints import IntFragment
from indexing.backends.embedded_overlay import IntOverlay, SetOverlay
from indexing.backends.embedded_parts import BlobPart, Counts, Part
from indexing.fragment import EVERY, bitmap_of_columns
from indexing.roaring import SHARD_EXPONENT, SHARD_WIDTH, U64

IntPart = tuple[IntFragment, U64 | None]  # values, and those of its columns that hold (None: all)
_EXPONENT, _LOW = np.uint64(SHARD_EXPONENT), np.uint64(SHARD_WIDTH - 1)


def sets(parts: Sequence[Part], overlay: SetOverlay) -> list[Part]:
    """A set field's parts without what was removed, and one more with what was added."""
    out = list(parts)
    if overlay.removed.size:
        columns = np.sort((overlay.removed & _LOW).astype(np.int64))
        mask = bitmap_of_columns(columns)
        for i, part in enumerate(parts):
            if np.searchsorted(columns, part.first) < np.searchsorted(columns, part.last, "right"):
                # Parts may overlap in their spans: a part has of the removed bits those that are in it
                gone = np.intersect1d(part.positions(mask), overlay.removed, assume_unique=True)
                if gone.size:
                    out[i] = CutPart(part, gone)
    if overlay.has_added:
        out.append(BlobPart(*overlay.span, overlay.fragment(), None))
    return out


def ints(parts: Sequence[IntPart], overlay: IntOverlay) -> list[IntPart]:
    """An int field's parts without the columns that have a new value, and one more with the new values."""
    out: list[IntPart] = []
    if parts:
        kept = EVERY & ~bitmap_of_columns(overlay.column)
        out += [(fragment, kept if alive is None else alive & kept) for fragment, alive in parts]
    out.append((overlay.fragment(), None))
    return out


class CutPart:
    """A part of which single bits were removed. gone: their positions, ascending; the part has them all."""

    def __init__(self, part: Part, gone: U64) -> None:
        self.first, self.last = part.first, part.last
        self._part, self._gone = part, gone

    def _gone_within(self, mask: U64 | None) -> U64:
        if mask is None:
            return self._gone
        column = self._gone & _LOW
        some: U64 = self._gone[(mask[column >> np.uint64(6)] >> (column & np.uint64(63)) & np.uint64(1)).astype(np.bool_)]
        return some

    def counts(self, mask: U64 | None) -> Counts:
        """See Part."""
        ids, counts = self._part.counts(mask)
        rows, less = np.unique(self._gone_within(mask) >> _EXPONENT, return_counts=True)
        left = counts.copy()
        left[np.searchsorted(ids, rows)] -= less
        return ids[left > 0], left[left > 0]

    def add_rows(self, rows: U64, words: U64) -> bool:
        """See Part. A column stays if another one of the rows has it: so rows that were cut come one by one."""
        cut = np.isin(rows, self._gone >> _EXPONENT)
        found = bool((~cut).any()) and self._part.add_rows(rows[~cut], words)
        for i in np.flatnonzero(cut):
            some = np.zeros_like(words)
            if not self._part.add_rows(rows[i : i + 1], some):
                continue
            low, high = np.searchsorted(self._gone, [rows[i] << _EXPONENT, (rows[i] + np.uint64(1)) << _EXPONENT])
            some &= ~bitmap_of_columns((self._gone[low:high] & _LOW).astype(np.int64))
            words |= some
            found |= bool(some.any())
        return found

    def positions(self, mask: U64 | None) -> U64:
        """See Part."""
        return np.setdiff1d(self._part.positions(mask), self._gone, assume_unique=True)
