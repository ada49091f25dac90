"""The embedded store's query engine: every call is evaluated shard by shard and reduced, so memory is bounded by a shard.

Answers are exact. Where Pilosa 1.4.1 is known to be wrong (int comparisons beyond the bit depth, Sum under a filter with
negative values, counts of Min and Max, TopN's order among equals), the right answer is given. GroupBy's `limit` before
`offset`, and `previous` including the row in all children but the last, are as in Pilosa.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing import limits
from indexing.backends import embedded_cache_counts as counting
from indexing.backends import embedded_groups
from indexing.backends.base import ACCESS_FIELD, FieldSchema
from indexing.backends.check import Schema, check
from indexing.backends.embedded_cache_kernels import popcount
from indexing.backends.embedded_cache_ranks import MOST_SHARDS, Ranked
from indexing.backends.embedded_cache_results import kept, key_of
from indexing.backends.embedded_cache_rows import CachedRows
from indexing.backends.embedded_ints import IntFragment
from indexing.backends.embedded_plan import Shift as ShiftStep
from indexing.backends.embedded_plan import Step, compile_bitmap
from indexing.backends.embedded_shard import Carry, Shard
from indexing.backends.embedded_snapshot import Snapshot
from indexing.backends.tally import Tally, top
from indexing.calls import (
    Call,
    CountResult,
    GroupCount,
    GroupCountsResult,
    Pair,
    PairsResult,
    QueryError,
    Result,
    RowResult,
    RowsResult,
    ValCountResult,
)
from indexing.fragment import bitmap_of_columns, columns_of
from indexing.group_place import first_place
from indexing.roaring import MAX_ROW, SHARD_EXPONENT, SHARD_WIDTH, U64, sorted_unique

Program = Sequence[Step] | None
_ACCESS = FieldSchema(ACCESS_FIELD, "set")
_LOW = np.uint64(SHARD_WIDTH - 1)


class Engine:
    """Answers calls on one snapshot of one index."""

    def __init__(self, snapshot: Snapshot, index: str, schema: Schema, shards: Sequence[int] | None = None) -> None:
        """schema: the index's fields and `access`. shards: the only ones to look at."""
        self._snapshot, self._index, self.schema = snapshot, index, schema
        self._budget = limits.current()
        self._cache = snapshot.cache
        self._view = None if self._cache is None else self._cache.view(snapshot, index)
        present = snapshot.shards(index) if self._view is None else self._view.shards
        self._shards = present if shards is None else sorted(set(present) & set(shards))
        self._only = None if shards is None else frozenset(shards)

    def whole(self) -> Engine:
        """The same, of all shards."""
        return self if self._only is None else Engine(self._snapshot, self._index, self.schema)

    def answer(self, call: Call) -> Result:
        """The result of one call. Raises QueryError, LimitExceeded."""
        key = None if self._cache is None or self._view is None or self._only is not None else key_of(call)
        if key is None or self._cache is None or self._view is None:
            check(call, self.schema)
            return self._answer(call)
        before = self._cache.get(self._view.whole, key)
        if before is not None:
            made: Result = before[0](before[1])
            return made
        check(call, self.schema)
        self._budget.check()
        result = self._answer(call)
        keep = kept(result)
        if keep is not None:
            self._cache.put(self._view.whole, key, keep[:2], keep[2])
        return result

    def _answer(self, call: Call) -> Result:
        handler = _HANDLERS.get(call.name)
        return self._row(call) if handler is None else handler(self, call)

    def each(self, program: Program) -> Iterator[tuple[Shard, Carry]]:
        """The shards to look at, ascending, with those that a Shift moved columns into."""
        carry: Carry = {}
        todo = list(self._shards)
        seen = set(todo)
        while todo:
            self._budget.check()
            shard = heapq.heappop(todo)
            yield self._shard(shard), carry
            for _, after in carry:
                if after not in seen and (self._only is None or after in self._only):
                    seen.add(after)
                    heapq.heappush(todo, after)

    def _shard(self, shard: int) -> Shard:
        state = None if self._view is None else self._view.states.get(shard)
        return Shard(self._snapshot, self._index, self.schema, shard, state, self._budget)

    def unkept(self, shard: int) -> Shard:
        """A shard of which nothing is kept: for what is asked for once."""
        return Shard(self._snapshot, self._index, self.schema, shard, None, self._budget)

    def _each_alone(self, call: Call, make: Callable[[Shard], Any], size: Callable[[Any], int]) -> Iterator[Any]:
        """What `make` gives of each shard, where it depends on nothing but the call and the shard: some of it is kept.

        It must not be changed. size: in bytes."""
        key = None if self._view is None else key_of(call)
        for shard, _ in self.each(None):
            found = None if key is None else shard.recall(key)
            if found is None:
                found = make(shard)
                if key is not None:
                    shard.keep(key, found, size(found))
            yield found

    def _masks(self, call: Call) -> Iterator[tuple[Shard, U64 | None]]:
        """Shards in which a call's child, if it has one, has columns."""
        program = compile_bitmap(call.children[0]) if call.children else None
        for shard, carry in self.each(program):
            some, mask = shard.mask(program, carry)
            if some:
                yield shard, mask

    # Columns

    def _row(self, call: Call) -> RowResult:
        one = counting.one_row(call)
        if one is not None:
            found = self._kept_row(one)
            if found is not None:
                return RowResult(found)
        parts = [np.zeros(0, np.uint64)]
        program = compile_bitmap(call)
        for shard, carry in self.each(program):
            words = shard.run(program, carry)
            if words is not None:
                self._hold_columns(2 * popcount(words))  # shard by shard, and then in one piece
                parts.append(columns_of(words, shard.shard << SHARD_EXPONENT))
        return RowResult(parts[1] if len(parts) == 2 else np.concatenate(parts))

    def _kept_row(self, one: counting.OneRow) -> U64 | None:
        """The columns of a row, if its field is kept of all shards."""
        parts: list[tuple[Shard, CachedRows, int]] = []
        total = 0
        for shard, _ in self.each(None):
            cached = shard.cached(one.field)
            if cached is None:
                return None
            count = cached.count(one.row)
            if count:
                parts.append((shard, cached, count))
                total += count
        self._hold_columns(total)
        out, at = np.empty(total, np.uint64), 0
        for shard, cached, count in parts:
            self._budget.check()
            cached.columns(one.row, shard.shard << SHARD_EXPONENT, out[at : at + count])
            at += count
        return out

    def _hold_columns(self, count: int) -> None:
        self._budget.take(8 * count, "the columns of a row")

    def _count(self, call: Call) -> CountResult:
        child = call.children[0]
        count = counting.shortcut(child)
        if count is not None:
            return CountResult(sum(self._each_alone(call, count, _few)))
        program = compile_bitmap(child)
        if any(isinstance(step, ShiftStep) for step in program):
            return CountResult(sum(popcount(words) for words in self._each_bitmap(program) if words is not None))

        def of(shard: Shard) -> int:
            words = shard.run(program, {})
            return 0 if words is None else popcount(words)

        return CountResult(sum(self._each_alone(call, of, _few)))

    def _each_bitmap(self, program: Sequence[Step]) -> Iterator[U64 | None]:
        for shard, carry in self.each(program):
            yield shard.run(program, carry)

    # Ints

    def _is_int(self, call: Call) -> bool:
        field = self.schema.get(call.args.get("field") or "")
        return field is not None and field.kind == "int"

    def _sum(self, call: Call) -> ValCountResult:
        total = count = 0
        for value, n in self._each_summary(call, IntFragment.sum):
            total, count = total + value, count + n
        return ValCountResult(total, count)

    def _extreme(self, call: Call) -> ValCountResult:
        best, count = 0, 0
        greatest = call.name == "Max"
        for value, n in self._each_summary(call, partial(IntFragment.extreme, greatest=greatest)):
            if n and (count == 0 or (value > best if greatest else value < best)):
                best, count = value, n
            elif n and value == best:
                count += n
        return ValCountResult(best, count)

    def _each_summary(self, call: Call, of: Callable[[IntFragment, U64 | None], tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """(value, how many) of each part of an int field."""
        if not self._is_int(call):
            return
        field = call.args["field"]
        if call.children:
            for shard, mask in self._masks(call):
                for fragment, alive in shard.ints(field):
                    yield of(fragment, _both(mask, alive))
            return

        def all_parts(shard: Shard) -> list[tuple[int, int]]:
            return [of(fragment, alive) for fragment, alive in shard.ints(field)]

        for parts in self._each_alone(call, all_parts, lambda parts: 120 * len(parts)):
            yield from parts

    # Rows and their counts

    def _tally(self, call: Call, ids: list[int] | None = None) -> tuple[U64, NDArray[np.int64]]:
        """Rows of args["field"], ascending, with their counts under the child."""
        tally = Tally()
        only = None if ids is None else sorted_unique(np.array(ids, np.uint64))
        for shard, mask in self._masks(call):
            for part in shard.sets(call.args["field"]):
                rows, counts = part.counts(mask)
                if only is not None:
                    keep = np.isin(rows, only)
                    rows, counts = rows[keep], counts[keep]
                tally.add([rows], counts)
            self._budget.hold(tally, tally.size, "rows and their counts")
        keys, counts = tally.result()
        self._budget.hold(tally, 0, "")
        return keys[0], counts

    def _topn(self, call: Call) -> PairsResult:
        field = call.args.get("field")
        if field is None:
            return PairsResult([], "")
        ids = call.args.get("ids") or None  # an empty list says nothing, as in Pilosa
        n, threshold = 0 if ids else call.args.get("n") or 0, call.args.get("threshold") or 0
        if call.args.get("attrName") and call.args.get("attrValues"):
            return PairsResult([], field)  # rows have no attributes here
        ranked = self._ranked(field) if n else None
        if ranked is None:
            rows, counts = top(*self._tally(call, ids), n, threshold)
        elif call.children:
            masks = [(shard, mask) for shard, mask in self._masks(call) if mask is not None]
            rows, counts = ranked.top_within(masks, n, threshold, self._budget)
        else:
            rows, counts = ranked.top(n, threshold)
        self._budget.take(limits.PAIR_BYTES * rows.size, "pairs of rows and counts")
        self._budget.check()
        return PairsResult([Pair(row, count) for row, count in zip(rows.tolist(), counts.tolist(), strict=True)], field)

    def _ranked(self, field: str) -> Ranked | None:
        """The rows of a field in all shards by count, if it is kept, or worth to be: it is asked for again."""
        if self._cache is None or self._view is None or self._only is not None or len(self._shards) > MOST_SHARDS:
            return None
        whole = self._view.whole
        found: Ranked | None = self._cache.get(whole, (Ranked, field))
        if found is None:
            if field not in whole.seen:
                whole.seen.add(field)
                return None
            found = Ranked(field, *self._tally(Call("TopN", [], {"field": field})))
            self._cache.put(whole, (Ranked, field), found, found.size)
        return found

    def _extreme_row(self, call: Call) -> PairsResult:
        """MinRow, MaxRow: one pair; (0, 0) without a row. Without a child the count is 1, as in Pilosa."""
        field = call.args["field"]
        if self.schema[field].kind == "int":
            return PairsResult([Pair(0, 0)], field)
        rows, counts = self._tally(call)
        if rows.size == 0:
            return PairsResult([Pair(0, 0)], field)
        at = 0 if call.name == "MinRow" else -1
        return PairsResult([Pair(int(rows[at]), int(counts[at]) if call.children else 1)], field)

    def _rows(self, call: Call) -> RowsResult:
        field = call.args["field"]
        if self.schema[field].kind == "int":
            return RowsResult([], field)
        rows = self._row_ids(call)
        self._budget.take(limits.ID_BYTES * rows.size, "row ids")
        return RowsResult(rows.tolist(), field)

    def _row_ids(self, call: Call) -> U64:
        """The rows of a Rows call, ascending."""
        field, column, previous, limit = (call.args.get(name) for name in ("field", "column", "previous", "limit"))
        assert isinstance(field, str)
        if column is not None:
            # Its shard is looked at whatever shards are asked for, as in Pilosa
            rows = self.whole()._rows_of(field, np.array([column], np.uint64))[1]
        else:
            tally = Tally()
            for shard, _ in self.each(None):
                for part in shard.sets(field):
                    ids, counts = part.counts(None)
                    tally.add([ids], counts)
                self._budget.hold(tally, tally.size, "rows")
            rows = tally.result()[0][0]
            self._budget.hold(tally, 0, "")
        if previous is not None:
            previous = min(previous, MAX_ROW + 1)
            rows = rows[np.searchsorted(rows, np.uint64(previous), "right") :]
        return rows if limit is None else rows[:limit]

    def _by_shard(self, columns: U64) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Columns (any order, may repeat) by shard, of shards that there are: its number, its columns within it, ascending."""
        columns = sorted_unique(np.asarray(columns, np.uint64))
        present = set(self._shards)
        shards = columns >> np.uint64(SHARD_EXPONENT)
        for number in sorted_unique(shards).tolist():
            if number in present:
                self._budget.check()
                yield number, (columns[shards == number] & _LOW).astype(np.int64)

    def rows_of_columns(self, field: str, columns: U64) -> tuple[U64, U64]:
        """(column, row) pairs of these columns (any order, may repeat), sorted by column, row."""
        return self._rows_of(field, columns)

    def _rows_of(self, field: str, columns: U64) -> tuple[U64, U64]:
        out_columns, out_rows = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        for number, local in self._by_shard(columns):
            mask = bitmap_of_columns(local)
            for part in self._shard(number).sets(field):
                if np.searchsorted(local, part.first) == np.searchsorted(local, part.last, "right"):
                    continue
                position = part.positions(mask)
                out_columns.append((position & _LOW) + np.uint64(number << SHARD_EXPONENT))
                out_rows.append(position >> np.uint64(SHARD_EXPONENT))
        all_columns, all_rows = np.concatenate(out_columns), np.concatenate(out_rows)
        order = np.lexsort((all_rows, all_columns))
        return all_columns[order], all_rows[order]

    def numbers_of_columns(self, field: str, columns: U64) -> tuple[U64, NDArray[np.int64]]:
        """(column, value) of those of these columns (any order, may repeat) that have one, by column."""
        out_columns, out_values = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
        for number, local in self._by_shard(columns):
            for fragment, alive in self._shard(number).ints(field):
                found, values = fragment.some(local)
                if alive is not None:
                    there = (alive[found >> 6] >> (found & 63).astype(np.uint64) & np.uint64(1)).astype(np.bool_)
                    found, values = found[there], values[there]
                out_columns.append(found.astype(np.uint64) + np.uint64(number << SHARD_EXPONENT))
                out_values.append(values)
        all_columns, all_values = np.concatenate(out_columns), np.concatenate(out_values)
        order = np.argsort(all_columns, kind="stable")
        return all_columns[order], all_values[order]

    # Cross-tabulation

    def _group_by(self, call: Call) -> GroupCountsResult:
        fields = [child.args["field"] for child in call.children]
        if any(self.schema[field].kind == "int" for field in fields):
            return GroupCountsResult([])
        only: list[U64 | None] = []
        for child in call.children:
            limited = any(child.args.get(name) is not None for name in ("column", "limit"))
            only.append(self._row_ids(child) if limited else None)
        tally = Tally(len(fields))
        if call.args.get("filter") is None and all(some is None for some in only):

            def of(shard: Shard) -> list[embedded_groups.Groups]:
                return list(embedded_groups.groups(shard, fields, only, None, self._budget))

            found: Iterator[embedded_groups.Groups] = chain.from_iterable(
                self._each_alone(Call("GroupBy", call.children), of, embedded_groups.size)
            )
        else:
            filtered = Call("GroupBy", [call.args["filter"]] if call.args.get("filter") is not None else [])
            found = (
                some
                for shard, mask in self._masks(filtered)
                for some in embedded_groups.groups(shard, fields, only, mask, self._budget)
            )
        for groups, counts in found:
            tally.add(groups, counts)
            self._budget.hold(tally, tally.size, "groups")
        keys, counts = tally.result()
        self._budget.hold(tally, 0, "")
        after = self._after_previous(call.children, only, keys)
        keys, counts = [key[after:] for key in keys], counts[after:]
        limit, offset = call.args.get("limit"), call.args.get("offset") or 0
        stop = counts.size if limit is None else min(limit, counts.size)
        start = offset if offset < stop else 0
        each = limits.GROUP_BYTES + limits.GROUP_ROW_BYTES * len(fields)
        self._budget.take(each * (stop - start), "groups")
        self._budget.check()
        rows = [key[start:stop].tolist() for key in keys]
        return GroupCountsResult(
            [
                GroupCount([(field, row, None) for field, row in zip(fields, group, strict=True)], count)
                for group, count in zip(zip(*rows, strict=True), counts[start:stop].tolist(), strict=True)
            ]
        )

    def _after_previous(self, children: Sequence[Call], only: Sequence[U64 | None], keys: list[U64]) -> int:
        """How many groups come before the place that `previous` names. only: the rows of children that choose some."""

        def rows_of(child: int) -> U64:
            chosen = only[child]
            return self._row_ids(Call("Rows", args={"field": children[child].args["field"]})) if chosen is None else chosen

        start = first_place([child.args.get("previous") for child in children], rows_of)
        if not start:
            return 0
        low, high = 0, keys[0].size
        for key, row in zip(keys, start, strict=False):  # groups are in order: narrow down, field by field
            found = int(np.searchsorted(key[low:high], np.uint64(min(row, MAX_ROW + 1)), "left")) + low
            if found == high or int(key[found]) != row:
                return found
            low, high = found, int(np.searchsorted(key[low:high], np.uint64(row), "right")) + low
        return low

    def _options(self, call: Call) -> Result:
        engine = self
        if call.args.get("shards") is not None:
            engine = Engine(self._snapshot, self._index, self.schema, call.args["shards"])
        result = engine._answer(call.children[0])
        if isinstance(result, RowResult) and call.args.get("excludeColumns"):
            result.columns = np.zeros(0, np.uint64)
        return result


def open_engine(snapshot: Snapshot, index: str, shards: Sequence[int] | None) -> Engine:
    """The engine of an index of a store. Raises QueryError if there is none of this name."""
    fields = snapshot.fields(index)
    if fields is None:
        raise QueryError("index not found")
    return Engine(snapshot, index, {**fields, ACCESS_FIELD: _ACCESS}, shards)


def _few(_: Any) -> int:
    return 32


def _both(mask: U64 | None, alive: U64 | None) -> U64 | None:
    if mask is None or alive is None:
        return alive if mask is None else mask
    both: U64 = mask & alive
    return both


_HANDLERS: dict[str, Callable[[Engine, Call], Result]] = {
    "Count": Engine._count,
    "Sum": Engine._sum,
    "Min": Engine._extreme,
    "Max": Engine._extreme,
    "TopN": Engine._topn,
    "Rows": Engine._rows,
    "MinRow": Engine._extreme_row,
    "MaxRow": Engine._extreme_row,
    "GroupBy": Engine._group_by,
    "Options": Engine._options,
}
