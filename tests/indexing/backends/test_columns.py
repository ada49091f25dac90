"""`Columns`: a set of columns that was worked out elsewhere, in a query."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.backends.base import SHARD_WIDTH
from indexing.backends.pilosa import PilosaBackend
from indexing.backends.pilosa_scratch import is_scratch
from indexing.columns import ColumnSet, of_columns, of_ranges
from tests.indexing.backends.conftest import Bench, bits, of, row

# Every other column about a shard's begin and its end: more ranges than are written as such, and many more than packets.
MANY = np.concatenate([np.arange(0, 1 << 17, 2), np.arange(SHARD_WIDTH - (1 << 16), SHARD_WIDTH + (1 << 16), 2)])
RANGES = [(0, 5), (300, 400), (SHARD_WIDTH - 3, SHARD_WIDTH + 2), (5 * SHARD_WIDTH, 5 * SHARD_WIDTH + 99)]


def named(columns: ColumnSet) -> set[int]:
    return {
        column
        for first, last in zip(columns.first.tolist(), columns.last.tolist(), strict=True)
        for column in range(first, last + 1)
    }


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))), st.integers(1, 1 << 40))
def test_ranges_are_joined(pairs, factor):
    offset = factor * SHARD_WIDTH - 30  # over a shard's end
    made = of_ranges((offset + low, offset + high) for low, high in pairs)
    wanted = {offset + column for low, high in pairs for column in range(low, high + 1)}
    assert named(made) == wanted
    assert made.size == len(wanted)
    assert made.first.size == sum(column - 1 not in wanted for column in wanted)
    assert made.shards() == sorted({column // SHARD_WIDTH for column in wanted})
    for shard in (factor - 1, factor):
        inside = {shard * SHARD_WIDTH + column for low, high in made.ranges(shard) for column in range(low, high + 1)}
        assert inside == {column for column in wanted if column // SHARD_WIDTH == shard}


def test_equal_sets_have_equal_keys():
    assert of_columns(np.array([1, 2, 3, 7], np.uint64)).key == of_ranges([(7, 7), (1, 3)]).key
    assert of_ranges([(1, 3)]).key != of_ranges([(1, 4)]).key


@pytest.mark.parametrize("wanted", [of_ranges(RANGES), of_columns(MANY.astype(np.uint64))])
def test_a_set_of_columns_in_every_place(filled: Bench, wanted: ColumnSet):
    naive, given = filled.naive, wanted.call()
    inside = named(wanted) & naive.exists
    assert filled.columns(given) == sorted(inside)
    assert filled.count(of("Intersect", row("proto", 1), given)) == len(naive.rows["proto"][1] & inside)
    assert filled.columns(of("Difference", row("proto", 1), given)) == sorted(naive.rows["proto"][1] - inside)
    assert filled.columns(of("Not", given)) == sorted(naive.exists - inside)
    counts = {number: len(columns & inside) for number, columns in naive.rows["proto"].items()}
    assert dict(filled.pairs(given, field="proto")) == {number: count for number, count in counts.items() if count}
    total = filled.under("Sum", given, field="length")
    assert total.value == sum(value for column, value in naive.values["length"].items() if column in inside)
    groups = filled.ask(of("GroupBy", of("Rows", field="proto"), filter=filled.masked(given))).groups
    assert {group.group[0][1]: group.count for group in groups} == {n: count for n, count in counts.items() if count}


def test_no_columns_and_those_that_no_packet_has(filled: Bench):
    assert filled.columns(of_ranges([]).call()) == []
    assert filled.columns(of_ranges([(SHARD_WIDTH + 900_000, SHARD_WIDTH + 900_010)]).call()) == []


def test_two_sets_of_one_question(filled: Bench):
    one, other = of_ranges([(0, 99)]), of_ranges([(50, 199)])
    assert filled.columns(of("Intersect", one.call(), other.call())) == list(range(50, 100))
    assert filled.columns(of("Xor", one.call(), other.call())) == [*range(50), *range(100, 200)]


def test_nothing_stays_in_pilosa(bench: Bench):
    if not isinstance(bench.backend, PilosaBackend):
        pytest.skip("of Pilosa only")
    bench.add(bits(1, 0, 100, proto=[(1, column) for column in range(100)]))
    assert bench.columns(of_ranges([(10, 19)]).call()) == list(range(10, 20))
    known = bench.backend._schemas.read()
    fields = {(index, field) for index, one in known.items() if index.startswith(bench.index) for field in one.fields}
    scratch = {(index, field) for index, field in fields if is_scratch(field)}
    assert scratch
    for index, field in scratch:
        (answer,) = bench.backend._questions.post(index, f"GroupBy(Rows({field}))")
        assert not answer
    assert not any(is_scratch(field.name) for field in bench.backend.indexes()[bench.index])


def test_fields_of_days_gone_by_are_dropped(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    if not isinstance(bench.backend, PilosaBackend):
        pytest.skip("of Pilosa only")
    bench.add(bits(1, 0, 100))
    days = iter(["20200101", "20200102", "20200103"])

    def scratch() -> set[str]:
        return {field for field in bench.backend._schemas.read()[bench.index].fields if is_scratch(field)}

    for _ in range(3):
        day = next(days)
        before = f"{int(day) - 1}"
        monkeypatch.setattr("indexing.backends.pilosa_scratch._day", lambda n, day=day, before=before: before if n else day)
        assert bench.columns(of_ranges([(10, 19)]).call()) == list(range(10, 20))
    assert scratch() == {"scratch-20200102", "scratch-20200103"}
