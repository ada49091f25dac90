"""Counts of calls that are answered of what is kept of a shard, or of its numbers, without a bitmap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from indexing.backends.base import ACCESS_FIELD
from indexing.backends.embedded_cache_kernels import popcount
from indexing.backends.embedded_plan import Compare, Step, compile_bitmap, interval
from indexing.backends.embedded_shard import Shard
from indexing.calls import Call, RowRef
from indexing.roaring import MAX_ROW

Counts = Callable[[Shard], int]


@dataclass(frozen=True)
class OneRow:
    """A row that may have columns."""

    field: str
    row: int


def one_row(call: Call) -> OneRow | None:
    """The row, if that is all that a checked bitmap call says."""
    if call.name != "Row" or "condition" in call.args:
        return None
    ref = call.args["row"]
    if not isinstance(ref, RowRef):
        return None
    if ref.row is None or int(ref.row) > MAX_ROW or ref.field == ACCESS_FIELD:
        return None
    return OneRow(ref.field, int(ref.row))


def shortcut(call: Call) -> Counts | None:
    """What counts the columns of a checked bitmap call in a shard, for calls where there is a short way."""
    if call.name == "Row":
        if "condition" in call.args:
            field, condition = call.args["condition"]
            return _Comparison(call, Compare(field, *interval(condition)))
        row = one_row(call)
        return None if row is None else _Row(call, row)
    if call.name == "Intersect" and len(call.children) == 2:
        a, b = (one_row(child) for child in call.children)
        return None if a is None or b is None else _Two(call, a, b)
    return None


class _Counting:
    """Counts in the long way where what would be needed is not kept; the program is compiled when that is so."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._program: list[Step] | None = None

    def _long(self, shard: Shard) -> int:
        if self._program is None:
            self._program = compile_bitmap(self._call)
        words = shard.run(self._program, {})
        return 0 if words is None else int(popcount(words))


class _Row(_Counting):
    def __init__(self, call: Call, row: OneRow) -> None:
        super().__init__(call)
        self._row = row

    def __call__(self, shard: Shard) -> int:
        cached = shard.cached(self._row.field)
        return self._long(shard) if cached is None else cached.count(self._row.row)


class _Two(_Counting):
    def __init__(self, call: Call, a: OneRow, b: OneRow) -> None:
        super().__init__(call)
        self._a, self._b = a, b

    def __call__(self, shard: Shard) -> int:
        a, b = shard.cached(self._a.field), shard.cached(self._b.field)
        return self._long(shard) if a is None or b is None else a.count_both(self._a.row, b, self._b.row)


class _Comparison(_Counting):
    def __init__(self, call: Call, step: Compare) -> None:
        super().__init__(call)
        self._step = step

    def __call__(self, shard: Shard) -> int:
        step, fragments = self._step, shard.ints(self._step.field)
        if any(alive is not None for _, alive in fragments):
            return self._long(shard)
        return sum(fragment.count_between(step.low, step.high, step.outside) for fragment, _ in fragments)
