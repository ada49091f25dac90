"""What analysis asks of the embedded store, against plain sets: several shards and batches, a hidden one, many rows a column."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from indexing.backends.base import SHARD_WIDTH, BatchBits, BatchRange, FieldSchema, IntBits, SetBits
from indexing.backends.embedded import EmbeddedBackend
from indexing.calls import Call, Condition, RowRef
from indexing.limits import LimitExceeded, within

FIELDS = [
    FieldSchema("one", "set"),
    FieldSchema("several", "set"),
    FieldSchema("many", "set"),
    FieldSchema("length", "int", 0, 1 << 31),
]
EACH = 27
PAIRS = [("one", "one"), ("one", "several"), ("several", "several"), ("many", "several"), ("several", "many")]
TIMES = 3  # what is asked for again is kept, and counted in another way


class Plain:
    """The same bits as sets. bits: field -> (row, column) pairs; lengths: column -> number."""

    def __init__(self) -> None:
        self.bits: dict[str, set[tuple[int, int]]] = defaultdict(set)
        self.lengths: dict[int, int] = {}

    def tally(self, field: str, inside: set[int]) -> dict[int, tuple[int, int]]:
        found: dict[int, tuple[int, int]] = {}
        for row, column in self.bits[field]:
            if column in inside:
                count, size = found.get(row, (0, 0))
                found[row] = count + 1, size + self.lengths.get(column, 0)
        return found

    def pairs(self, a: str, b: str, inside: set[int]) -> list[tuple[int, int, int]]:
        other = defaultdict(set)
        for row, column in self.bits[b]:
            other[column].add(row)
        return [(row, its, column) for row, column in self.bits[a] if column in inside for its in other[column]]


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[EmbeddedBackend, Plain]:
    random = np.random.default_rng(28)
    backend, plain = EmbeddedBackend(Path(tmp_path_factory.mktemp("analysis"))), Plain()
    backend.ensure_index("i", FIELDS)
    first = SHARD_WIDTH - 5000
    for batch, count in enumerate((4000, 2000, 300, 2500), 1):
        columns = np.arange(first, first + count, dtype=np.uint64)
        each = EACH if batch == 4 else 1
        several = np.sort(random.choice(columns, count * 3))
        rows = {
            "one": (random.geometric(0.2, count - count // 10).astype(np.uint64), columns[count // 10 :]),
            "several": (random.integers(0, 12, several.size).astype(np.uint64), several),
            # In the second shard more rows than two bytes can tell apart
            "many": (np.arange(count * each, dtype=np.uint64) + np.uint64(batch), np.repeat(columns, each)),
        }
        lengths = random.integers(40, 1500 if batch < 3 else 100_000, count)
        fields = {name: SetBits(row, column) for name, (row, column) in rows.items()}
        backend.import_batch("i", BatchBits(batch, first, count, {**fields, "length": IntBits(columns, lengths)}))
        if batch == 3:
            backend.hide_batches("i", [BatchRange(batch, first, count)])
        else:
            for name, (row, column) in rows.items():
                plain.bits[name].update(zip(row.tolist(), column.tolist(), strict=True))
            plain.lengths.update(zip(columns.tolist(), lengths.tolist(), strict=True))
        first += count
    return backend, plain


def row(field: str, number: int) -> Call:
    return Call("Row", args={"row": RowRef(field, number)})


def filters(plain: Plain) -> list[tuple[Call | None, set[int]]]:
    every = set(plain.lengths)
    having = lambda field, number: {column for its, column in plain.bits[field] if its == number}  # noqa: E731
    long = Call("Row", args={"condition": ("length", Condition(">", 1400))})
    few = Call("Intersect", [row("several", 3), row("one", 9)])
    return [
        (None, every),
        (row("several", 3), having("several", 3)),
        (few, having("several", 3) & having("one", 9)),
        (long, {column for column, length in plain.lengths.items() if length > 1400}),
        (Call("Not", [row("one", 1)]), every - having("one", 1)),
        (row("one", 10_000), set()),
    ]


@pytest.mark.parametrize("field", ["one", "several", "many"])
def test_counts_and_sums_of_all_rows(both, field):
    backend, plain = both
    for call, inside in filters(plain):
        truth = plain.tally(field, inside)
        for time in range(TIMES):
            for once in (False, True):
                with backend.analysis("i") as analysis:
                    (found,) = analysis.tallies([field], call, "length", once=once)
                    (bare,) = analysis.tallies([field], call, once=once)
                    assert analysis.count(call, "length") == (len(inside), sum(plain.lengths[one] for one in inside))
                values = zip(found.counts.tolist(), found.sums.tolist(), strict=True)
                assert dict(zip(found.rows.tolist(), values, strict=True)) == truth, (call, time, once)
                assert found.rows.tolist() == sorted(truth) == bare.rows.tolist()
                assert bare.counts.tolist() == found.counts.tolist()
                assert bare.sums is None


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_tables_and_distinct_rows(both, a, b):
    backend, plain = both
    for call, inside in filters(plain):
        pairs = plain.pairs(a, b, inside)
        cells, sizes = Counter((row, its) for row, its, _ in pairs), Counter[tuple[int, int]]()
        for one, its, column in pairs:
            sizes[one, its] += plain.lengths[column]
        distinct = Counter(row for row, _ in cells)
        down, across = np.array([9, 3, 1, 4, 7_000_000], np.uint64), np.array([11, 0, 3, 4], np.uint64)
        with backend.analysis("i") as analysis:
            counts, sums = analysis.cross(a, down, b, across, call, "length")
            bare, none = analysis.cross(a, down, b, across, call)
            found = analysis.distinct(a, b, call)
        keys = [[(one, its) for its in across.tolist()] for one in down.tolist()]
        assert counts.tolist() == [[cells[key] for key in line] for line in keys] == bare.tolist()
        assert sums.tolist() == [[sizes[key] for key in line] for line in keys]
        assert none is None
        assert dict(zip(found.rows.tolist(), found.counts.tolist(), strict=True)) == distinct


def test_columns_come_in_order(both):
    backend, plain = both
    for call, inside in filters(plain):
        with backend.analysis("i") as analysis:
            parts = list(analysis.columns(call))
        assert [column for part in parts for column in part.tolist()] == sorted(inside)
        assert all(part.size for part in parts)


def test_it_is_bounded_as_queries_are(both):
    backend, _ = both
    with within(0.0, None), pytest.raises(LimitExceeded), backend.analysis("i") as analysis:
        analysis.tallies(["one"], row("several", 3))
    with within(None, 10_000), pytest.raises(LimitExceeded), backend.analysis("i") as analysis:
        analysis.distinct("many", "several", None)
