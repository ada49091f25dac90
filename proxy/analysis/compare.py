"""Two sets of packets against each other, field by field: values that are new, gone, or have another share.

The measure is the log-likelihood ratio G2 (Dunning, "Accurate methods for the statistics of surprise and coincidence",
Computational Linguistics 19(1), 1993) of the table of packets with and without the value on either side, with the sign of the
change: what is rare must change much, what is frequent little, to be as far up. It is 0 where the shares are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.calls import Call
from proxy.analysis.counter import I64, U64, Counter, RowCounts, counter_of, within_of
from proxy.analysis.values import named

_ONCE = 8  # with so many fields nothing is kept of them
_DENSE = 8  # times as many places as rows are gone through sooner than rows are put in order


@dataclass
class FieldChange:
    """rows: of the values that changed most, in order; a, b: their packets on each side; score: signed G2. new, gone, changed:
    how many values are so in all."""

    field: str
    distinct: tuple[int, int]
    new: int
    gone: int
    changed: int
    exact: bool
    rows: U64
    a: I64
    b: I64
    score: NDArray[np.float64]


@dataclass
class Comparison:
    """count, bytes: of both sides. fields: those with a difference, the greatest first."""

    index: str
    count: tuple[int, int]
    bytes: tuple[int, int]
    fields: list[FieldChange]

    def as_json(self) -> dict[str, Any]:
        """All but how the sides were asked for."""
        names = named(self.index, {one.field: one.rows for one in self.fields})
        return {
            "measure": "g2",
            "new": sum(one.new for one in self.fields),
            "gone": sum(one.gone for one in self.fields),
            "changed": sum(one.changed for one in self.fields),
            "exact": all(one.exact for one in self.fields),
            "fields": [
                {
                    "field": one.field,
                    "distinct_a": one.distinct[0],
                    "distinct_b": one.distinct[1],
                    "new": one.new,
                    "gone": one.gone,
                    "changed": one.changed,
                    "exact": one.exact,
                    "values": [
                        {
                            **names[one.field][row],
                            "state": "new" if not a else "gone" if not b else "changed",
                            "a": a,
                            "b": b,
                            "share_a": _share(a, self.count[0]),
                            "share_b": _share(b, self.count[1]),
                            "score": round(score, 3),
                        }
                        for row, a, b, score in zip(
                            one.rows.tolist(), one.a.tolist(), one.b.tolist(), one.score.tolist(), strict=True
                        )
                    ],
                }
                for one in self.fields
            ],
        }


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0


def compare(index: str, a: Call, b: Call, fields: Sequence[str], n: int) -> Comparison:
    """Packets of two bitmap calls in values, on set fields; of each field the n values that changed most.

    Raises QueryError, LimitExceeded."""
    sides = within_of(index, a), within_of(index, b)
    with counter_of(index) as counter:
        figures = [counter.count(side) for side in sides]
        totals = figures[0][0], figures[1][0]
        found = [_tallies(counter, fields, side, total) for side, total in zip(sides, totals, strict=True)]
    changes = [_change(field, one, other, totals, n) for field, one, other in zip(fields, *found, strict=True)]
    some = [one for one in changes if one.rows.size]
    some.sort(key=lambda one: (-float(np.abs(one.score).max()), one.field))
    return Comparison(index, totals, (figures[0][1], figures[1][1]), some)


def _tallies(counter: Counter, fields: Sequence[str], side: Call | None, total: int) -> list[RowCounts]:
    if not total:
        return [RowCounts(np.zeros(0, np.uint64), np.zeros(0, np.int64)) for _ in fields]
    return counter.tallies(fields, side, once=len(fields) > _ONCE)


def _change(field: str, one: RowCounts, other: RowCounts, totals: tuple[int, int], n: int) -> FieldChange:
    rows, a, b = _aligned(one, other)
    # Shares as fractions: exact, where quotients would be rounded. Counts are below 2^31, as are columns of an index in practice.
    differ = a * totals[1] != b * totals[0]
    new, gone = a == 0, b == 0
    changed = differ & ~new & ~gone
    # Of values on one side only, the score grows with the count: the others need not be worked out
    sides = _most(b, np.flatnonzero(differ & new), n), _most(a, np.flatnonzero(differ & gone), n)
    kept = np.sort(np.concatenate([np.flatnonzero(changed), *sides]))
    number = int(new.sum()), int(gone.sum()), int(changed.sum())
    rows, a, b = rows[kept], a[kept], b[kept]
    score = signed_g2(a, b, *totals)
    some = _most(np.abs(score), np.arange(rows.size), n)
    some = some[np.lexsort((rows[some], -np.abs(score[some])))][:n]
    distinct = int(one.rows.size), int(other.rows.size)
    return FieldChange(field, distinct, *number, one.exact and other.exact, rows[some], a[some], b[some], score[some])


def _aligned(one: RowCounts, other: RowCounts) -> tuple[U64, I64, I64]:
    """Rows of either (r,), ascending, with the counts of both (r,)."""
    most = max((int(some.rows[-1]) for some in (one, other) if some.rows.size), default=-1)
    if most < _DENSE * (one.rows.size + other.rows.size) + 4096:  # row ids are places, as they mostly are
        a, b = np.zeros(most + 1, np.int64), np.zeros(most + 1, np.int64)
        a[one.rows.view(np.int64)] = one.counts
        b[other.rows.view(np.int64)] = other.counts
        found = np.flatnonzero(a | b)
        return found.astype(np.uint64), a[found], b[found]
    rows = np.sort(np.concatenate([one.rows, other.rows]), kind="stable")  # which merges two ascending parts
    rows = rows[np.append(True, rows[1:] != rows[:-1])]
    a, b = np.zeros(rows.size, np.int64), np.zeros(rows.size, np.int64)
    a[np.searchsorted(rows, one.rows)] = one.counts
    b[np.searchsorted(rows, other.rows)] = other.counts
    return rows, a, b


def _most(size: NDArray[Any], some: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Those of the places `some` (ascending) with the n greatest sizes, the first ones of equals. In any order."""
    if some.size <= n:
        return some
    its = size[some]
    cut = np.partition(its, its.size - n)[its.size - n]
    above = np.flatnonzero(its > cut)
    found: NDArray[np.int64] = some[np.concatenate([above, np.flatnonzero(its == cut)[: n - above.size]])]
    return found


def signed_g2(a: I64, b: I64, total_a: int, total_b: int) -> NDArray[np.float64]:
    """The measure of values that a (n,) of total_a packets have, and b (n,) of total_b; positive: more on side b."""
    both, total = (a + b).astype(np.float64), float(total_a + total_b)
    score = np.zeros(a.size, np.float64)
    for observed, side in ((a, total_a), (b, total_b)):
        with_it = observed.astype(np.float64)
        for seen, expected in ((with_it, both * side / total), (side - with_it, (total - both) * side / total)):
            some = (seen > 0) & (expected > 0)
            score[some] += seen[some] * np.log(seen[some] / expected[some])
    sign = np.sign(b * float(total_a or 1) - a * float(total_b or 1))
    return 2 * np.maximum(score, 0.0) * sign
