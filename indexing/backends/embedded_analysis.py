"""What analysis asks of the embedded store, in arrays and in one snapshot: counts and sums of all rows, tables, distinct rows.

The same could be asked as calls (TopN, GroupBy, Sum of each row); results of those are an object a row, and a pass over the bits
for each Sum. Here a pass over a field's bits gives counts and sums of all its rows, under a filter that was worked out once for
all fields. Answers are exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing import limits
from indexing.backends.check import check
from indexing.backends.embedded_cache_kernels import popcount
from indexing.backends.embedded_cache_rows import CachedRows
from indexing.backends.embedded_codes import Codes, codes_of, weights_of
from indexing.backends.embedded_engine import Engine
from indexing.backends.embedded_parts import Part
from indexing.backends.embedded_plan import Narrow, compile_bitmap
from indexing.backends.embedded_row_sums import RowSums
from indexing.backends.embedded_shard import Shard
from indexing.calls import Call, CountResult, ValCountResult
from indexing.fragment import EVERY, columns_of
from indexing.roaring import SHARD_EXPONENT, SHARD_WIDTH, U64

I64 = NDArray[np.int64]
_NO_WEIGHTS = np.zeros(0, np.uint16)
_MOST_KEPT = 64  # masks of shards, 128 KiB each
_LOW = np.uint64((1 << SHARD_EXPONENT) - 1)
_ENOUGH = 2048  # of fewer columns, rows are looked for among a field's bits


@dataclass(frozen=True)
class Tallied:
    """Rows uint64 (r,), ascending, with how many columns each has (r,), none with 0, and the sum of their numbers (r,)."""

    rows: U64
    counts: I64
    sums: I64 | None = None


class EmbeddedAnalysis:
    """Answers on one snapshot of an index. `within`: a bitmap call in row ids, None: every column. Raises LimitExceeded."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._budget = limits.current()
        # The same packets are asked for more than once in a row.
        self._last: tuple[Call, list[tuple[Shard, U64 | None]]] | None = None

    def _masks(self, within: Call | None) -> Iterator[tuple[Shard, U64 | None]]:
        """Shards with columns in it, and which (None: all)."""
        if within is not None and self._last is not None and self._last[0] is within:
            yield from self._last[1]
            return
        found: list[tuple[Shard, U64 | None]] = []
        for shard, mask in self._worked_out(within):
            if len(found) < _MOST_KEPT:
                found.append((shard, mask))
            yield shard, mask
        if within is not None and len(found) < _MOST_KEPT:
            self._last = within, found

    def _worked_out(self, within: Call | None) -> Iterator[tuple[Shard, U64 | None]]:
        if within is not None:
            check(Call("Count", [within]), self._engine.schema)
        program = None if within is None else compile_bitmap(within)
        for shard, carry in self._engine.each(program):
            some, mask = shard.mask(program, carry)
            if some:
                yield shard, mask

    def count(self, within: Call | None, weight: str) -> tuple[int, int]:
        """How many columns, and the sum of an int field over them."""
        if within is None:
            child = Call("Not", [Call("Union")])
            total = self._engine.answer(Call("Count", [child]))
            size = self._engine.answer(Call("Sum", [child], {"field": weight}))
            assert isinstance(total, CountResult)
            assert isinstance(size, ValCountResult)
            return total.count, size.value
        count = sum_ = 0
        for some, its in self._counts_and_sums(within, weight):
            count, sum_ = count + some, sum_ + its
        return count, sum_

    def _counts_and_sums(self, within: Call, weight: str) -> Iterator[tuple[int, int]]:
        """Of each shard how many columns, and the sum of an int field over them."""
        check(Call("Count", [within]), self._engine.schema)
        program, last = compile_bitmap(within), None
        known = self._last is not None and self._last[0] is within
        if not known and isinstance(program[-1], Narrow) and program[-1].compare.field == weight:
            last, program = program[-1].compare, program[:-1]
        if last is None:
            for shard, mask in self._masks(within):
                assert mask is not None
                yield int(popcount(mask)), _sum(shard, weight, mask)
            return
        # What is compared last is what is added up: one pass over the numbers does both
        for shard, carry in self._engine.each(program):
            mask = shard.run(program, carry)
            if mask is None:
                continue
            fragments = shard.ints(weight)
            if len(fragments) == 1 and fragments[0][1] is None:
                both = fragments[0][0].compared_sum(last.low, last.high, last.outside, mask)
                if both is not None:
                    yield both[1], both[0]
                    continue
            mask = shard.narrowed(last, mask)
            if mask is not None:
                yield int(popcount(mask)), _sum(shard, weight, mask)

    def number(self, within: Call | None) -> int:
        """How many columns."""
        if within is not None:
            return sum(int(popcount(mask)) for _, mask in self._masks(within) if mask is not None)
        total = self._engine.answer(Call("Count", [Call("Not", [Call("Union")])]))
        assert isinstance(total, CountResult)
        return total.count

    def columns(self, within: Call | None) -> Iterator[U64]:
        """The columns, ascending, shard by shard, of which none is empty."""
        for shard, mask in self._masks(within):
            words = shard.exists() if mask is None else mask
            if words is not None:
                found = columns_of(words, shard.shard << SHARD_EXPONENT)
                if found.size:
                    yield found

    def first_rows(self, fields: Sequence[str], within: Call | None) -> Iterator[tuple[U64, list[I64]]]:
        """Columns (n,), ascending, shard by shard, of which none is empty, and of each set field the columns' lowest rows (n,).

        -1: a column has none."""
        for shard, mask in self._masks(within):
            words = shard.exists() if mask is None else mask
            columns = np.zeros(0, np.uint64) if words is None else columns_of(words, shard.shard << SHARD_EXPONENT)
            if words is not None and columns.size:
                self._budget.check()
                yield columns, [_first_rows(shard, field, words, columns) for field in fields]

    def tallies(
        self, fields: Sequence[str], within: Call | None, weight: str | None = None, *, once: bool = False
    ) -> list[Tallied]:
        """Of each set field: its rows with their counts, and with the sums of an int field, `weight`.

        once: so many fields that what they are counted of is not worth keeping."""
        totals = [RowSums(weight is not None) for _ in fields]
        for shard, mask in self._masks(within):
            if mask is not None and once and _is_all(shard, mask):
                mask = None
            weights = _NO_WEIGHTS if weight is None else weights_of(shard, weight)
            for field, total in zip(fields, totals, strict=True):
                self._budget.check()
                for rows, counts, sums in _counted(self._engine, shard, field, mask, weights, once, weight):
                    total.add(rows, counts, sums)
                self._budget.hold(total, total.size, f"the rows of {field}")
        found = [Tallied(*total.result()) for total in totals]
        for total in totals:
            self._budget.hold(total, 0, "")
        return found

    def cross(
        self, field: str, rows: U64, other: str, its_rows: U64, within: Call | None, weight: str | None = None
    ) -> tuple[I64, I64 | None]:
        """Tables (n, m): columns that have each of `rows` (n,) of one field and of `its_rows` (m,) of another; and their sums."""
        counts = np.zeros((rows.size, its_rows.size), np.int64)
        sums = np.zeros_like(counts) if weight is not None else np.zeros((0, 0), np.int64)
        self._budget.take(counts.nbytes + sums.nbytes, f"the table of {field} and {other}")
        for shard, mask in self._masks(within):
            self._budget.check()
            a, b = codes_of(shard, field, make=True), codes_of(shard, other, make=True)
            assert a is not None
            assert b is not None
            places, its = a.places(rows), b.places(its_rows)
            if (places >= 0).any() and (its >= 0).any():
                weights = _NO_WEIGHTS if weight is None else weights_of(shard, weight)
                a.cross(places, b, its, EVERY if mask is None else mask, weights, counts, sums)
        return counts, None if weight is None else sums

    def distinct(self, field: str, other: str, within: Call | None) -> Tallied:
        """Rows of a field, with how many rows of another field their columns have together; none with 0."""
        found: list[tuple[U64, U64]] = []
        held = 0
        for shard, mask in self._masks(within):
            self._budget.check()
            a, b = codes_of(shard, field, make=True), codes_of(shard, other, make=True)
            assert a is not None
            assert b is not None
            found.append(a.pairs(b, EVERY if mask is None else mask))
            held += 3 * found[-1][0].nbytes
            self._budget.hold(found, held, f"the pairs of {field} and {other}")
        rows = np.concatenate([np.zeros(0, np.uint64), *(one for one, _ in found)])
        its = np.concatenate([np.zeros(0, np.uint64), *(one for _, one in found)])
        order = np.lexsort((its, rows))
        rows, its = rows[order], its[order]
        if rows.size:
            new = np.append(True, (rows[1:] != rows[:-1]) | (its[1:] != its[:-1]))
            rows = rows[new]
        distinct, counts = np.unique(rows, return_counts=True)
        self._budget.hold(found, 0, "")
        return Tallied(distinct, counts.astype(np.int64))


def _sum(shard: Shard, weight: str, mask: U64) -> int:
    """The sum of an int field over the columns of a mask."""
    parts = shard.ints(weight)
    return sum(fragment.sum(mask if alive is None else mask & alive)[0] for fragment, alive in parts)


def _first_rows(shard: Shard, field: str, words: U64, columns: U64) -> I64:
    """See EmbeddedAnalysis.first_rows."""
    out = np.full(columns.size, -1, np.int64)
    codes = codes_of(shard, field, make=columns.size >= _ENOUGH)
    if codes is not None:
        code = codes.code[(columns & _LOW).astype(np.int64)]
        there = code != codes.none
        out[there] = codes.rows[code[there]]
        return out
    position: U64 = np.concatenate([np.zeros(0, np.uint64), *(part.positions(words) for part in shard.sets(field))])
    position = np.sort(position)[::-1]  # of several rows the lowest is written last
    out[np.searchsorted(columns & _LOW, position & _LOW)] = position >> np.uint64(SHARD_EXPONENT)
    return out


def _is_all(shard: Shard, mask: U64) -> bool:
    exists = shard.exists()
    return exists is not None and bool(np.array_equal(exists & mask, exists))


def _counted(
    engine: Engine, shard: Shard, field: str, mask: U64 | None, weights: NDArray[Any], once: bool, weight: str | None
) -> Iterator[tuple[U64, I64, I64 | None]]:
    """Rows with their counts and sums in a shard; a row may come twice."""
    weighed = weights.size > 0
    if mask is None and weighed and not once:  # of the shard alone
        key = ("weighed", field, weight)
        kept: list[tuple[U64, I64, I64 | None]] | None = shard.recall(key)
        if kept is None:
            kept = list(_of_parts(shard.sets(field), None, weights))
            shard.keep(key, kept, sum(24 * rows.size for rows, _, _ in kept))
        yield from kept
        return
    if mask is None and once and not weighed:
        yield _totals(engine, shard, field)
        return
    if mask is not None and not once:
        codes = _codes_if_better(shard, field, mask)
        if codes is not None:
            rows, counts, sums = codes.tally(mask, weights)
            yield rows, counts, sums if weighed else None
            return
    yield from _of_parts(_unkept(engine, shard, field) if once else shard.sets(field), mask, weights)


def _totals(engine: Engine, shard: Shard, field: str) -> tuple[U64, I64, I64 | None]:
    """All rows of a field in a shard with their counts; these are small beside the bits, and kept."""
    key = ("totals", field)
    found: tuple[U64, I64, I64 | None] | None = shard.recall(key)
    if found is None:
        total = RowSums(weighed=False)
        for rows, counts, _ in _of_parts(_unkept(engine, shard, field), None, _NO_WEIGHTS):
            total.add(rows, counts, None)
        found = total.result()
        shard.keep(key, found, 16 * found[0].size)
    return found


def _of_parts(parts: Sequence[Part], mask: U64 | None, weights: NDArray[Any]) -> Iterator[tuple[U64, I64, I64 | None]]:
    weighed = weights.size > 0
    for part in parts:
        if not weighed:
            yield *part.counts(mask), None
        elif isinstance(part, CachedRows):
            yield part.sums(EVERY if mask is None else mask, weights)
        else:
            yield _weighed(part.positions(mask), weights)


def _weighed(position: U64, weights: NDArray[Any]) -> tuple[U64, I64, I64]:
    """Rows, counts and sums of positions (row << 20 | column), ascending."""
    row = position >> np.uint64(SHARD_EXPONENT)
    if not row.size:
        return row, np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    its = weights[(position & np.uint64(SHARD_WIDTH - 1)).view(np.int64)]
    return row[first], np.diff(np.append(first, row.size)), np.add.reduceat(its, first, dtype=np.int64)


def _codes_if_better(shard: Shard, field: str, mask: U64) -> Codes | None:
    """The codes of a field, where to go through the columns of the mask is less than to go through all bits of the field."""
    cached = shard.cached(field)
    if cached is None or int(popcount(mask)) > cached.numbers:
        return None
    return codes_of(shard, field, make=True)


def _unkept(engine: Engine, shard: Shard, field: str) -> Sequence[Part]:
    kept: CachedRows | None = shard.recall((CachedRows, field))
    return [kept] if kept is not None else engine.unkept(shard.shard).sets(field)
