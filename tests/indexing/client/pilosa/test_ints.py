"""Int fields on Pilosa: each answer is that of a naive computation over the values, in the places where Pilosa's own is wrong."""

from __future__ import annotations

import operator
import random

import pytest

from indexing.calls import CountResult, QueryError, ValCountResult
from indexing.client.contract import INT64_MAX, INT64_MIN, FieldOptions
from tests.indexing.client.pilosa.conftest import Bench, Make

_SHARD = 1 << 20
_OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
}
# (options, values that are likely): without a base, with one above and one below 0, as wide as can be, and of one value alone
_FIELDS = {
    "small": (FieldOptions("int", minimum=-1000, maximum=1000), [-1000, -63, -2, -1, 0, 1, 2, 63, 64, 999]),
    "above": (FieldOptions("int", minimum=100, maximum=90_000), [100, 101, 102, 131, 5000]),
    "below": (FieldOptions("int", minimum=-500, maximum=-10), [-10, -11, -12, -74, -499]),
    "wide": (FieldOptions("int"), [INT64_MIN + 1, -(1 << 62), -5, -1, 0, 1, 7, 1 << 62, INT64_MAX]),
    "far": (FieldOptions("int", minimum=100), [100, 101, 1 << 61, (1 << 62) + 99, (1 << 62) + 100, INT64_MAX - 1, INT64_MAX]),
    "flat": (FieldOptions("int", minimum=7, maximum=90), [7]),
}


def _filled(make: Make, name: str, by: str) -> tuple[Bench, dict[int, int], set[int]]:
    """An index with values and a row s=1, {column: value}, and the columns of s=1."""
    options, likely = _FIELDS[name]
    drawn = random.Random(name)
    bench = make(v=options, s=FieldOptions())
    columns = drawn.sample(range(40), 24) + [_SHARD + column for column in drawn.sample(range(40), 12)]
    held = {column: drawn.choice(likely) for column in columns}
    chosen = {column for column in columns if drawn.random() < 0.4} | {3 * _SHARD}
    # Each had another value before: what is kept beside the values must go with it
    before = {column: drawn.choice(likely) for column in columns[::2]}
    if by == "import":
        bench.values("v", before)
        bench.values("v", held)
        bench.bits("s", *[(1, column) for column in chosen])
    else:
        bench.results("".join(f"Set({column}, v={value})" for column, value in [*before.items(), *held.items()]))
        bench.results("".join(f"Set({column}, s=1)" for column in chosen))
    return bench, held, chosen


@pytest.mark.parametrize("by", ["import", "Set"])
@pytest.mark.parametrize("name", _FIELDS)
def test_sums_minima_and_maxima(make: Make, name: str, by: str) -> None:
    bench, held, chosen = _filled(make, name, by)
    for under, values in {
        "": list(held.values()),
        "Row(s=1), ": [value for column, value in held.items() if column in chosen],
        "Not(Row(s=1)), ": [value for column, value in held.items() if column not in chosen],
        "Row(s=2), ": [],
        "Row(v > 0), ": [value for value in held.values() if value > 0],
        "Row(v < 0), ": [value for value in held.values() if value < 0],
    }.items():
        total = (sum(values) + (1 << 63)) % (1 << 64) - (1 << 63)
        wanted = [ValCountResult(total, len(values))]
        for end in (min, max):
            wanted.append(ValCountResult(end(values), values.count(end(values))) if values else ValCountResult(0, 0))
        text = "".join(f"{call}({under}field=v)" for call in ("Sum", "Min", "Max"))
        assert bench.results(text) == wanted, under


@pytest.mark.parametrize("name", _FIELDS)
def test_comparisons(make: Make, name: str) -> None:
    bench, held, _ = _filled(make, name, "import")
    options, likely = _FIELDS[name]
    near = {value + more for value in [*likely, 0, -1, options.minimum, options.maximum, 1 << 40] for more in (-1, 0, 1)}
    near = {value for value in near if INT64_MIN <= value <= INT64_MAX}
    texts, wanted = [], []
    for value in sorted(near):
        for sign, holds in _OPERATORS.items():
            texts.append(f"Count(Row(v {sign} {value}))")
            wanted.append(CountResult(sum(holds(one, value) for one in held.values())))
    for low in likely:
        for high in likely:
            texts.append(f"Count(Row(v >< [{low},{high}]))")
            wanted.append(CountResult(sum(low <= one <= high for one in held.values())))
    found = bench.results("".join(texts))
    assert [(text, one) for text, one in zip(texts, found, strict=True)] == list(zip(texts, wanted, strict=True))


def test_a_sum_of_one_shard(make: Make) -> None:
    bench = make(v=FieldOptions("int"), s=FieldOptions())
    bench.values("v", {1: -5, 2: 3, _SHARD: -100, _SHARD + 1: 50})
    bench.bits("s", (1, 1), (1, _SHARD + 1))
    assert bench.ask("Sum(Row(s=1), field=v)", shards=[0]) == ValCountResult(-5, 1)
    assert bench.ask("Options(Sum(Row(s=1), field=v), shards=[1])") == ValCountResult(50, 1)
    assert bench.ask("Options(Sum(field=v), shards=[7])") == ValCountResult(0, 0)


def test_values_that_were_cleared_are_in_no_sum(make: Make) -> None:
    bench = make(v=FieldOptions("int"), s=FieldOptions())
    bench.values("v", {1: -5, 2: -7, 3: 4})
    bench.bits("s", (1, 1), (1, 2), (1, 3))
    bench.values("v", {1: 0}, clear=True)
    assert bench.ask("Sum(Row(s=1), field=v)") == ValCountResult(-3, 2)


def test_the_one_value_that_pilosa_loses_is_refused(make: Make) -> None:
    bench = make(v=FieldOptions("int"))
    with pytest.raises(QueryError, match="Pilosa cannot keep it"):
        bench.ask(f"Set(1, v={INT64_MIN})")
    with pytest.raises(QueryError, match="Pilosa cannot keep it"):
        bench.values("v", {1: INT64_MIN})
    assert bench.ask("Count(Row(v != null))") == CountResult(0)


def test_bit_depths(make: Make) -> None:
    bench = make(v=FieldOptions("int"), w=FieldOptions("int", minimum=10, maximum=90), s=FieldOptions())
    assert bench.clients.bit_depths(bench.index) == {"v": 0, "w": 0}
    bench.values("v", {1: -8})
    bench.values("w", {1: 11})
    assert bench.clients.bit_depths(bench.index) == {"v": 4, "w": 1}


def test_the_bit_depth_of_a_field_whose_base_pilosa_cannot_take(make: Make) -> None:
    bench = make(v=FieldOptions("int", minimum=100))
    bench.values("v", {1: 100})
    assert bench.clients.bit_depths(bench.index) == {"v": 0}
    bench.values("v", {2: 107})
    assert bench.clients.bit_depths(bench.index) == {"v": 3}


def test_sums_under_a_filter_forget_what_an_import_cleared(make: Make) -> None:
    bench = make(s=FieldOptions(), i=FieldOptions("int", minimum=-100, maximum=100))
    bench.bits("s", (1, 1), (1, 2), (1, 3))
    bench.values("i", {1: -5, 2: -7, 3: 4, 4: -20})
    bench.values("i", {1: -5, 4: 0}, clear=True)
    assert bench.ask("Sum(Row(s=1), field=i)") == ValCountResult(-3, 2)
    bench.results("Set(1, i=-1)")
    assert bench.ask("Sum(Row(s=1), field=i)") == ValCountResult(-4, 3)
