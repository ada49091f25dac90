"""Counting on the embedded store: passes over arrays, in one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from indexing.backends.embedded_analysis import EmbeddedAnalysis
from indexing.calls import Call
from proxy.analysis.counter import I64, U64, WEIGHT, RowCounts


class Held:
    """See Counter. Everything is exact."""

    sums_are_free = True

    def __init__(self, analysis: EmbeddedAnalysis, bounded: Callable[[Call | None], Call | None] = lambda within: within) -> None:
        """bounded: what of `within` whoever asks may see."""
        self._analysis, self._bounded = analysis, bounded

    def count(self, within: Call | None) -> tuple[int, int]:
        """See Counter."""
        return self._analysis.count(self._bounded(within), WEIGHT)

    def number(self, within: Call | None) -> int:
        """See Counter."""
        return self._analysis.number(self._bounded(within))

    def tallies(self, fields: Sequence[str], within: Call | None, weigh: bool = False, once: bool = False) -> list[RowCounts]:
        """See Counter."""
        found = self._analysis.tallies(fields, self._bounded(within), WEIGHT if weigh else None, once=once)
        return [RowCounts(one.rows, one.counts, one.sums) for one in found]

    def sums(self, field: str, rows: U64, within: Call | None) -> I64:
        """See Counter."""
        (found,) = self.tallies([field], within, weigh=True)
        assert found.sums is not None
        out = np.zeros(rows.size, np.int64)
        if found.rows.size:
            at = np.minimum(np.searchsorted(found.rows, rows), found.rows.size - 1)
            here = found.rows[at] == rows
            out[here] = found.sums[at[here]]
        return out

    def distinct(self, field: str, other: str, within: Call | None) -> RowCounts:
        """See Counter."""
        found = self._analysis.distinct(field, other, self._bounded(within))
        return RowCounts(found.rows, found.counts)

    def cross(self, field: str, rows: U64, other: str, its_rows: U64, within: Call | None, weigh: bool) -> tuple[I64, I64 | None]:
        """See Counter."""
        return self._analysis.cross(field, rows, other, its_rows, self._bounded(within), WEIGHT if weigh else None)

    def columns(self, within: Call | None) -> Iterator[U64]:
        """See Counter."""
        return self._analysis.columns(self._bounded(within))

    def times(self, field: str, within: Call | None, weigh: bool) -> RowCounts:
        """See Counter; the bytes come along."""
        (found,) = self.tallies([field], within, weigh)
        return found

    def binned_sums(self, field: str, found: RowCounts, place: I64, bins: int, within: Call | None) -> I64:
        """See Counter."""
        assert found.sums is not None
        out = np.zeros(bins, np.int64)
        np.add.at(out, place, found.sums)
        return out
