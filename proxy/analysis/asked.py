"""Counting by PQL's own calls, on any backend: TopN, GroupBy, Count and Sum, many in a request.

Sums are a question each, so the bytes of all rows of a field are not asked for; `tops_by_bytes` goes through as many rows as it
needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from indexing import limits
from indexing.backends.base import SHARD_WIDTH
from indexing.calls import (
    Call,
    CountResult,
    GroupCountsResult,
    PairsResult,
    Result,
    RowRef,
    RowResult,
    RowSet,
    ValCountResult,
)
from indexing.models import PacketIndex
from proxy.analysis.counter import I64, U64, WEIGHT, RowCounts, both, largest, smallest
from proxy.ask import ask_rows, every_packet

_AT_ONCE = 500  # calls in a request
MOST_SUMS = 10_000  # rows whose bytes are asked for one by one
_FIRST, _MORE = 100, 4


class Asked:
    """See Counter. TopN says whether its counts are exact; everything else is."""

    sums_are_free = False

    def __init__(self, index: str) -> None:
        self._index = index

    def _ask(self, calls: Sequence[Call]) -> Iterator[Result]:
        todo = iter(calls)
        while some := list(islice(todo, _AT_ONCE)):
            limits.current().check()
            yield from ask_rows(self._index, some)

    def count(self, within: Call | None) -> tuple[int, int]:
        """See Counter."""
        call = every_packet() if within is None else within
        total, size = self._ask([Call("Count", [call]), Call("Sum", [call], {"field": WEIGHT})])
        assert isinstance(total, CountResult)
        assert isinstance(size, ValCountResult)
        return total.count, size.value

    def number(self, within: Call | None) -> int:
        """See Counter."""
        (total,) = self._ask([Call("Count", [every_packet() if within is None else within])])
        assert isinstance(total, CountResult)
        return total.count

    def tallies(self, fields: Sequence[str], within: Call | None, weigh: bool = False, once: bool = False) -> list[RowCounts]:
        """See Counter."""
        children = [] if within is None else [within]
        found = [_by_row(one) for one in self._ask([Call("TopN", children, {"field": field}) for field in fields])]
        if not weigh:
            return found
        sums = [self.sums(field, one.rows, within) for field, one in zip(fields, found, strict=True)]
        return [RowCounts(one.rows, one.counts, its, one.exact) for one, its in zip(found, sums, strict=True)]

    def sums(self, field: str, rows: U64, within: Call | None) -> I64:
        """See Counter."""
        return self._sums_of([both(within, _row(field, row)) for row in rows.tolist()])

    def _sums_of(self, calls: Sequence[Call]) -> I64:
        sums = np.zeros(len(calls), np.int64)
        for i, one in enumerate(self._ask([Call("Sum", [call], {"field": WEIGHT}) for call in calls])):
            assert isinstance(one, ValCountResult)
            sums[i] = one.value
        return sums

    def tops_by_bytes(self, field: str, found: RowCounts, n: int, rare: bool, within: Call | None) -> RowCounts:
        """The n rows with the most (or fewest) bytes, in that order, with their bytes.

        A row's packets have at most its count times the longest packet: rows are asked from the most packets on, until the next
        one cannot be among the first n. Past MOST_SUMS rows that is given up, and the answer is not exact. Rare ones the same,
        the other way round."""
        calls = [Call(name, [] if within is None else [within], {"field": WEIGHT}) for name in ("Min", "Max")]
        least, most = (one.value for one in self._ask(calls) if isinstance(one, ValCountResult))
        every = found.counts.size
        order = smallest(found.counts, found.rows, every) if rare else largest(found.counts, found.rows, every)
        counts, rows = found.counts[order], found.rows[order]
        sums = np.zeros(0, np.int64)
        step, exact = _FIRST, found.exact
        while sums.size < rows.size:
            if sums.size >= n:
                worst = np.partition(sums, n - 1)[n - 1] if rare else np.partition(sums, sums.size - n)[sums.size - n]
                # Of equal ones the row decides, so a row that may be equal is asked, too
                if (worst < counts[sums.size] * least) if rare else (worst > counts[sums.size] * most):
                    break
            if sums.size >= MOST_SUMS:
                exact = False
                break
            more = self.sums(field, rows[sums.size : sums.size + step], within)
            sums, step = np.concatenate([sums, more]), min(step * _MORE, MOST_SUMS)
        rows, counts = rows[: sums.size], counts[: sums.size]
        best = smallest(sums, rows, n) if rare else largest(sums, rows, n)
        return RowCounts(rows[best], counts[best], sums[best], exact)

    def distinct(self, field: str, other: str, within: Call | None) -> RowCounts:
        """See Counter."""
        children = [Call("Rows", args={"field": name}) for name in (field, other)]
        (found,) = self._ask([Call("GroupBy", children, _filter(within))])
        assert isinstance(found, GroupCountsResult)
        rows, counts = np.unique(np.array([one.group[0][1] for one in found.groups], np.uint64), return_counts=True)
        return RowCounts(rows, counts.astype(np.int64))

    def cross(self, field: str, rows: U64, other: str, its_rows: U64, within: Call | None, weigh: bool) -> tuple[I64, I64 | None]:
        """See Counter."""
        cells = [
            both(within, Call("Intersect", [_row(field, row), _row(other, its)]))
            for row in rows.tolist()
            for its in its_rows.tolist()
        ]
        counts = [one.count for one in self._ask([Call("Count", [cell]) for cell in cells]) if isinstance(one, CountResult)]
        table = np.array(counts, np.int64).reshape(rows.size, its_rows.size)
        return table, self._sums_of(cells).reshape(table.shape) if weigh else None

    def columns(self, within: Call | None) -> Iterator[U64]:
        """See Counter. Shard by shard: no answer is larger than one."""
        call = every_packet() if within is None else within
        last = (PacketIndex.objects.filter(name=self._index).values_list("next_column", flat=True).first() or 0) - 1
        for shard in range(last // SHARD_WIDTH + 1):
            limits.current().check()
            (result,) = ask_rows(self._index, [call], [shard])
            assert isinstance(result, RowResult)
            if len(result.columns):
                yield np.asarray(result.columns, np.uint64)

    def times(self, field: str, within: Call | None, weigh: bool) -> RowCounts:
        """See Counter: TopN may be off where a field has many rows, GroupBy never is."""
        (found,) = self._ask([Call("GroupBy", [Call("Rows", args={"field": field})], _filter(within))])
        assert isinstance(found, GroupCountsResult)
        rows = np.array([one.group[0][1] for one in found.groups], np.uint64)
        counts = np.array([one.count for one in found.groups], np.int64)
        order = np.argsort(rows)
        return RowCounts(rows[order], counts[order])

    def binned_sums(self, field: str, found: RowCounts, place: I64, bins: int, within: Call | None) -> I64:
        """See Counter."""
        used, first = np.unique(place, return_index=True)
        last = np.append(first[1:], place.size)
        calls = [
            both(within, Call("Row", args={"row": RowSet(field, found.rows[low:high])}))
            for low, high in zip(first.tolist(), last.tolist(), strict=True)
        ]
        out = np.zeros(bins, np.int64)
        out[used] = self._sums_of(calls)
        return out


def _row(field: str, row: int) -> Call:
    return Call("Row", args={"row": RowRef(field, row)})


def _filter(within: Call | None) -> dict[str, Call]:
    return {} if within is None else {"filter": within}


def _by_row(result: Result) -> RowCounts:
    assert isinstance(result, PairsResult)
    pairs = sorted((pair.id, pair.count) for pair in result.pairs if pair.count)
    rows = np.array([row for row, _ in pairs], np.uint64)
    return RowCounts(rows, np.array([count for _, count in pairs], np.int64), None, result.exact)
