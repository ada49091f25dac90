"""One shard of one index, read within one transaction: its fragments, and programs (embedded_plan) run on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexing.backends import embedded_plan as plan
from indexing.backends.base import ACCESS_FIELD, LIVE_ROW
from indexing.backends.check import Schema
from indexing.backends.embedded_ints import IntFragment, bitmap_into
from indexing.backends.embedded_store import EXISTS_FIELD, Snapshot
from indexing.fragment import (
    WORDS,
    Fragment,
    Mask,
    bitmap_of_columns,
    bitmap_of_flags,
    columns_of_bitmap,
    set_range,
)
from indexing.roaring import SHARD_WIDTH, U64, encode_ranges

_ROWS_KEPT = 64  # bitmaps of single rows kept while a program runs, 128 KiB each: the same row often comes again

# Columns that a Shift moved beyond their shard: (serial of the shift, shard) -> columns of that shard.
Carry = dict[tuple[int, int], list[NDArray[np.int64]]]


class Shard:
    """Reads a shard. Fragments are parsed once; None stands for a bitmap without columns."""

    def __init__(self, snapshot: Snapshot, index: str, schema: Schema, shard: int) -> None:
        self._snapshot, self._index, self._schema, self.shard = snapshot, index, schema, shard
        self._sets: dict[str, list[tuple[int, int, Fragment]]] = {}
        self._ints: dict[str, list[IntFragment]] = {}
        self._kept: dict[tuple[str, int], U64 | None] = {}
        self._exists: U64 | None = None
        self._exists_read = False

    def ranges(self) -> list[tuple[int, int]]:
        """(first, last) columns of the batches present, ascending."""
        return [(first, last) for first, last, _ in self._snapshot.fragments(self._index, EXISTS_FIELD, self.shard)]

    def sets(self, field: str) -> list[tuple[int, int, Fragment]]:
        """(first, last, fragment) of a set field's batches. `access` is existence: a batch is in the store, or it is not."""
        found = self._sets.get(field)
        if found is None:
            if field == ACCESS_FIELD:
                row = np.array([LIVE_ROW], np.uint64)
                found = [(first, last, Fragment(encode_ranges(row, [(first, last)]))) for first, last in self.ranges()]
            elif self._schema[field].kind == "int":
                found = []  # it has values, no rows
            else:
                blobs = self._snapshot.fragments(self._index, field, self.shard)
                found = [(first, last, Fragment(blob)) for first, last, blob in blobs]
            self._sets[field] = found
        return found

    def ints(self, field: str) -> list[IntFragment]:
        """An int field's batches."""
        found = self._ints.get(field)
        if found is None:
            found = [IntFragment(blob) for _, _, blob in self._snapshot.fragments(self._index, field, self.shard)]
            self._ints[field] = found
        return found

    def exists(self) -> U64 | None:
        """The columns of the batches present."""
        if not self._exists_read:
            ranges = self.ranges()
            if ranges:
                self._exists = np.zeros(WORDS, np.uint64)
                for first, last in ranges:
                    set_range(self._exists, first, last)
            self._exists_read = True
        return self._exists

    def mask(self, program: Sequence[plan.Step] | None, carry: Carry) -> tuple[bool, Mask | None]:
        """(anything can match, the program's bitmap as a mask); (True, None) without a program."""
        if program is None:
            return True, None
        words = self.run(program, carry)
        return (False, None) if words is None else (True, Mask(words))

    def run(self, program: Sequence[plan.Step], carry: Carry) -> U64 | None:
        """The bitmap that a program leaves. Operands are never changed in place: existence is shared."""
        stack: list[U64 | None] = []
        at, end = 0, len(program)
        while at < end:
            step = program[at]
            at += 1
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
        words = np.zeros(WORDS, np.uint64)
        found = False
        for _, _, fragment in self.sets(step.field):
            found |= fragment.add_rows(step.rows, words)
        return words if found else None

    def _compare(self, step: plan.Compare) -> U64 | None:
        fragments = self.ints(step.field)
        if not fragments:
            return None
        flags = np.zeros(SHARD_WIDTH, np.bool_)
        for fragment in fragments:
            chosen = fragment.between(step.low, step.high)
            bitmap_into(fragment, ~chosen if step.outside else chosen, flags)
        return _none_if_empty(bitmap_of_flags(flags))

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
