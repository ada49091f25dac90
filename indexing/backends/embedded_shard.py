"""One shard of one index, read within one transaction: its fragments, and programs (embedded_plan) run on them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends import embedded_overlaid as overlaid
from indexing.backends import embedded_plan as plan
from indexing.backends.base import ACCESS_FIELD
from indexing.backends.check import Schema
from indexing.backends.embedded_cache import State
from indexing.backends.embedded_cache_kernels import popcount
from indexing.backends.embedded_cache_rows import CachedRows
from indexing.backends.embedded_ints import IntFragment
from indexing.backends.embedded_join import join
from indexing.backends.embedded_keys import EXISTS_FIELD, Place
from indexing.backends.embedded_overlays import unpacked_ints, unpacked_set
from indexing.backends.embedded_parts import BlobPart, LivePart, Part
from indexing.backends.embedded_snapshot import Snapshot
from indexing.fragment import WORDS, Fragment, bitmap_of_columns, bitmap_of_ranges, columns_of_bitmap
from indexing.limits import Budget
from indexing.roaring import SHARD_WIDTH, U64

_STEPS = 32  # of a program, between two looks at the time: each is tens of microseconds
_MANY = SHARD_WIDTH // 8  # columns: to compare those alone costs as much as to compare all
_FEWEST_OF_UNION, _MOST_OF_UNION = 4, 1024  # rows: of fewer the union is soon made, of more its key is long
_ROWS_KEPT = 64  # bitmaps of single rows kept while a program runs, 128 KiB each: the same row often comes again

# Columns that a Shift moved beyond their shard: (serial of the shift, shard) -> columns of that shard.
Carry = dict[tuple[int, int], list[NDArray[np.int64]]]


class Shard:
    """Reads a shard: blobs, and what PQL wrote beside them. They are parsed once; None stands for a bitmap without columns."""

    def __init__(
        self,
        snapshot: Snapshot,
        index: str,
        schema: Schema,
        shard: int,
        state: State | None = None,
        budget: Budget | None = None,
    ) -> None:
        """state: what is kept of the shard as the snapshot has it (None: nothing is). budget: looked at while a program runs."""
        self._budget = budget
        self._snapshot, self._index, self._schema, self.shard = snapshot, index, schema, shard
        self._cache, self._state = snapshot.cache, state
        self._sets: dict[str, list[Part]] = {}
        self._ints: dict[str, list[tuple[IntFragment, U64 | None]]] = {}
        self._first: set[str] = set()  # fields that nobody had asked for before
        self._kept: dict[tuple[str, int], U64 | None] = {}
        self._alive: dict[int, U64] | None = None
        self._exists: U64 | None = None
        self._exists_read = False

    def _alive_of(self, place: Place) -> U64 | None:
        """The columns of a segment that have not gone; None if none has."""
        if not place.is_segment:
            return None
        if self._alive is None:
            gone = self._snapshot.gone(self._index, self.shard)
            self._alive = {segment: ~bitmap_of_ranges(ranges) for segment, ranges in gone.items()}
        return self._alive.get(place.id)

    # What is kept between queries

    def recall(self, key: Hashable) -> Any:
        """What was kept of this version of the shard; None if nothing was."""
        return None if self._state is None or self._cache is None else self._cache.get(self._state, key)

    def keep(self, key: Hashable, value: Any, size: int) -> None:
        """Keeps what depends on this version of the shard alone, and is changed by nobody; size: in bytes."""
        if self._state is not None and self._cache is not None:
            self._cache.put(self._state, key, value, size)

    def cached(self, field: str) -> CachedRows | None:
        """A set field's bits in one piece; None if it is not kept so. What is asked for once is not: to make it costs more."""
        if self._state is None or self._cache is None or field == ACCESS_FIELD or self._schema[field].kind == "int":
            return None
        found: CachedRows | None = self._cache.get(self._state, (CachedRows, field))
        if found is None and self._again(field):
            blobs = self._snapshot.fragments(self._index, field, self.shard)
            sources = [(Fragment(blob), self._alive_of(place)) for place, blob in blobs]
            written = self._snapshot.overlay(self._index, field, self.shard)
            overlay = None if written is None else unpacked_set(written, self._index, field, self.shard)
            found = CachedRows(sources, overlay)
            self.keep((CachedRows, field), found, found.size)
        return found

    def _again(self, field: str) -> bool:
        assert self._state is not None
        assert self._cache is not None
        if field in self._first:
            return False
        if field not in self._state.seen:
            self._state.seen.add(field)
            self._first.add(field)
            return False
        return self._cache.admits()

    # Parts

    def sets(self, field: str) -> list[Part]:
        """A set field's bits. `access` is existence: a batch is in the store, or it is not."""
        found = self._sets.get(field)
        if found is None:
            cached = self.cached(field)
            if cached is not None:
                found = [cached]
            elif field == ACCESS_FIELD:
                exists = self.exists()
                found = [] if exists is None else [LivePart(exists)]
            elif self._schema[field].kind == "int":
                found = []  # it has values, no rows
            else:
                blobs = self._snapshot.fragments(self._index, field, self.shard)
                found = [BlobPart(place.first, place.last, Fragment(blob), self._alive_of(place)) for place, blob in blobs]
                written = self._snapshot.overlay(self._index, field, self.shard)
                if written is not None:
                    found = overlaid.sets(found, unpacked_set(written, self._index, field, self.shard))
            self._sets[field] = found
        return found

    def ints(self, field: str) -> list[tuple[IntFragment, U64 | None]]:
        """An int field's values, part by part, each with those of its columns that have not gone (None: all)."""
        found = self._ints.get(field)
        if found is None:
            found = self.recall((IntFragment, field))
            if found is None:
                keeps = self._state is not None and self._again(field)
                blobs: list[tuple[Place, bytes | memoryview]] = list(self._snapshot.fragments(self._index, field, self.shard))
                if keeps and blobs:
                    wanted = [(blob, self._alive_of(place)) for place, blob in blobs]
                    joined = join(wanted)
                    blobs = [] if joined is None else [(Place(self.shard, 0, SHARD_WIDTH - 1, 0), joined)]
                found = [(IntFragment(blob), self._alive_of(place)) for place, blob in blobs]
                written = self._snapshot.overlay(self._index, field, self.shard)
                if written is not None:
                    found = overlaid.ints(found, unpacked_ints(written, self._index, field, self.shard))
                if keeps:
                    if len(found) == 1 and found[0][1] is None:
                        found[0][0].make_planes()
                    size = sum(fragment.size + (0 if alive is None else alive.nbytes) for fragment, alive in found)
                    self.keep((IntFragment, field), found, size)
            self._ints[field] = found
        return found

    def value(self, field: str, column: int) -> int | None:
        """What an int field has at a column of the shard."""
        for fragment, alive in self.ints(field):
            value = fragment.at(column)
            if value is not None and (alive is None or alive[column >> 6] >> np.uint64(column & 63) & np.uint64(1)):
                return value
        return None

    def row(self, field: str, row: int) -> U64 | None:
        """The columns of one row of a set field."""
        return self._fetch(plan.Rows(field, np.array([row], np.uint64)))

    def exists(self) -> U64 | None:
        """The columns of the batches present, and those that PQL has set a bit of."""
        if not self._exists_read:
            kept = self.recall(EXISTS_FIELD)
            if kept is not None:
                self._exists, self._exists_read = kept[0], True
                return self._exists
            some = False
            words = np.zeros(WORDS, np.uint64)
            for place, segment in self._snapshot.segments(self._index, self.shard):
                ranges = bitmap_of_ranges(segment.ranges)
                alive = self._alive_of(place)
                words |= ranges if alive is None else ranges & alive
                some = True
            own = self._snapshot.fragments(self._index, EXISTS_FIELD, self.shard)
            ranges_of_own = [(place.first, place.last) for place, _ in own]
            words |= bitmap_of_ranges(ranges_of_own)
            some = some or bool(ranges_of_own)
            written = self._snapshot.overlay(self._index, EXISTS_FIELD, self.shard)
            if written is not None:
                words |= bitmap_of_columns(unpacked_set(written, self._index, EXISTS_FIELD, self.shard).added.astype(np.int64))
                some = True
            self._exists = words if some else None
            self._exists_read = True
            self.keep(EXISTS_FIELD, (self._exists,), words.nbytes)
        return self._exists

    def mask(self, program: Sequence[plan.Step] | None, carry: Carry) -> tuple[bool, U64 | None]:
        """(anything can match, the program's bitmap as a mask); (True, None) without a program."""
        if program is None:
            return True, None
        words = self.run(program, carry)
        return words is not None, words

    def run(self, program: Sequence[plan.Step], carry: Carry) -> U64 | None:
        """The bitmap that a program leaves. Operands are never changed in place: existence is shared. Raises LimitExceeded."""
        stack: list[U64 | None] = []
        at, end = 0, len(program)
        while at < end:
            step = program[at]
            at += 1
            if at % _STEPS == 0 and self._budget is not None:
                self._budget.check()
            if isinstance(step, plan.Rows):
                stack.append(self._rows(step))
            elif isinstance(step, plan.Combine):
                b = stack.pop()
                a = stack.pop()
                stack.append(_combine(step.op, a, b))
            elif isinstance(step, plan.SkipIfEmpty):
                if stack[-1] is None:
                    at = step.to
            elif isinstance(step, plan.Compare):
                stack.append(self._compare(step))
            elif isinstance(step, plan.Narrow):
                stack.append(self.narrowed(step.compare, stack.pop()))
            elif isinstance(step, plan.Given):
                stack.append(_combine("and", step.columns.words(self.shard), self.exists()))
            elif isinstance(step, plan.Complement):
                stack.append(_combine("without", self.exists(), stack.pop()))
            elif isinstance(step, plan.Shift):
                stack.append(self._shift(step, stack.pop(), carry))
            else:
                stack.append(None)
        return stack.pop()

    def _rows(self, step: plan.Rows) -> U64 | None:
        key = (step.field, int(step.rows[0])) if step.rows.size == 1 else None
        if key in self._kept:
            return self._kept[key]
        words = self._fetch(step)
        if key is not None and len(self._kept) < _ROWS_KEPT:
            self._kept[key] = words
        return words

    def _fetch(self, step: plan.Rows) -> U64 | None:
        """What a comparison or a pattern means in rows comes again with the next question: the union is kept."""
        if not _FEWEST_OF_UNION <= step.rows.size <= _MOST_OF_UNION:
            return self._union(step)
        key = ("union", step.field, step.rows.tobytes())
        kept: tuple[U64 | None] | None = self.recall(key)
        if kept is None:
            kept = (self._union(step),)
            if self._cache is not None and self._cache.admits():
                self.keep(key, kept, len(key[2]) + (0 if kept[0] is None else kept[0].nbytes))
        return kept[0]

    def _union(self, step: plan.Rows) -> U64 | None:
        words = np.zeros(WORDS, np.uint64)
        found = False
        for part in self.sets(step.field):
            found |= part.add_rows(step.rows, words)
        return words if found else None

    def _compare(self, step: plan.Compare) -> U64 | None:
        fragments = self.ints(step.field)
        if not fragments:
            return None
        words = np.zeros(WORDS, np.uint64)
        for fragment, alive in fragments:
            if alive is None:
                fragment.compare(step.low, step.high, step.outside, words)
                continue
            some = np.zeros(WORDS, np.uint64)
            fragment.compare(step.low, step.high, step.outside, some)
            words |= some & alive
        return _none_if_empty(words)

    def narrowed(self, step: plan.Compare, words: U64 | None) -> U64 | None:
        """The columns of a bitmap whose value is as `step` says."""
        if words is None:
            return None
        fragments = self.ints(step.field)
        if not (len(fragments) == 1 and fragments[0][1] is None and fragments[0][0].has_planes) and (
            any(alive is not None or not fragment.dense for fragment, alive in fragments) or popcount(words) > _MANY
        ):
            return _combine("and", words, self._compare(step))
        out = np.zeros(WORDS, np.uint64)
        for fragment, _ in fragments:
            fragment.narrow(step.low, step.high, step.outside, words, out)
        return _none_if_empty(out)

    def _shift(self, step: plan.Shift, words: U64 | None, carry: Carry) -> U64 | None:
        parts = carry.pop((step.serial, self.shard), [])
        if words is not None:
            columns = columns_of_bitmap(words) + step.n
            shard = columns >> 20
            for away in range(int(shard[0]), int(shard[-1]) + 1):
                some = columns[shard == away] & (SHARD_WIDTH - 1)
                if away == 0:
                    parts.append(some)
                elif some.size:
                    carry.setdefault((step.serial, self.shard + away), []).append(some)
        return _none_if_empty(bitmap_of_columns(np.concatenate(parts))) if parts else None


def _none_if_empty(words: U64) -> U64 | None:
    return words if words.any() else None


def _combine(op: str, a: U64 | None, b: U64 | None) -> U64 | None:
    if op == "from":
        op, a, b = "without", b, a
    if op == "and":
        return None if a is None or b is None else _none_if_empty(a & b)
    if op == "without":
        return a if a is None or b is None else _none_if_empty(a & ~b)
    if a is None:
        return b
    if b is None:
        return a
    return a | b if op == "or" else _none_if_empty(a ^ b)
