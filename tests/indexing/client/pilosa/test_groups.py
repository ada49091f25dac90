"""GroupBy of three and more Rows, which a real Pilosa can go round in for ever; and rows under a filter that a shard lacks."""

from __future__ import annotations

from itertools import product

import pytest

from indexing.calls import Pair, PairsResult
from indexing.client.contract import FieldOptions
from tests.indexing.client.pilosa.conftest import Bench, Make

_SHARD = 1 << 20
_BITS = {
    "a": {1: {0, 1, 2, _SHARD}, 2: {3, 4, _SHARD + 1}, 5: {2 * _SHARD}},
    "n": {1: {0, 1, 3}, 3: {2, 4, _SHARD}, 4: {_SHARD + 1}},
    "z": {0: {0, 2, _SHARD}, 2: {1, 3, 2 * _SHARD}, 7: {4, _SHARD + 1}},
}
_FILTERS = {"": None, "Row(a=1)": _BITS["a"][1], "Row(z=7)": _BITS["z"][7], "Row(n=99)": set()}


@pytest.fixture
def bench(make: Make) -> Bench:
    made = make(a=FieldOptions(), n=FieldOptions(), z=FieldOptions())
    for field, rows in _BITS.items():
        made.bits(field, *[(row, column) for row, columns in rows.items() for column in columns])
    return made


def _groups(bench: Bench, text: str) -> list[tuple[list[int], int]]:
    return [([row for _, row, _ in group.group], group.count) for group in bench.ask(text).groups]


def _expected(fields: str, under: set[int] | None, allowed: dict[int, set[int]] | None = None) -> list[tuple[list[int], int]]:
    found = []
    for rows in product(*(sorted(_BITS[field]) for field in fields)):
        if any(rows[at] not in some for at, some in (allowed or {}).items()):
            continue
        columns = set.intersection(*(_BITS[field][row] for field, row in zip(fields, rows, strict=True)))
        if count := len(columns if under is None else columns & under):
            found.append((list(rows), count))
    return found


@pytest.mark.parametrize("fields", ["anz", "ann", "zna", "aaa", "azna"])
@pytest.mark.parametrize("under", list(_FILTERS))
def test_all_groups(bench: Bench, fields: str, under: str) -> None:
    rows = ", ".join(f"Rows({field})" for field in fields)
    said = _groups(bench, f"GroupBy({rows}{f', filter={under}' if under else ''})")
    assert said == _expected(fields, _FILTERS[under])


def test_limit_comes_before_offset_and_an_offset_beyond_the_end_is_ignored(bench: Bench) -> None:
    every = _expected("anz", None)
    assert len(every) > 4
    for limit, offset in product((None, 0, 1, 3, 100), (None, 0, 2, 50)):
        given = "".join(f", {name}={value}" for name, value in (("limit", limit), ("offset", offset)) if value is not None)
        wanted = every[:limit]
        wanted = wanted[offset:] if offset is not None and offset < len(wanted) else wanted
        assert _groups(bench, f"GroupBy(Rows(a), Rows(n), Rows(z){given})") == wanted, given


def test_each_rows_chooses_for_itself(bench: Bench) -> None:
    said = _groups(bench, "GroupBy(Rows(a, previous=1, limit=5), Rows(n, limit=2), Rows(z))")
    assert said == _expected("anz", None, {0: {2, 5}, 1: {1, 3}})
    said = _groups(bench, "GroupBy(Rows(a, column=3), Rows(n), Rows(z, limit=2))")
    assert said == _expected("anz", None, {0: {2}, 2: {0, 2}})
    assert _groups(bench, "GroupBy(Rows(a, previous=0), Rows(n), Rows(z, limit=0))") == []


@pytest.mark.parametrize(
    ("rows", "begin"),
    [
        ("Rows(a), Rows(n), Rows(z, previous=0)", [1, 1, 1]),
        ("Rows(a), Rows(n), Rows(z, previous=7)", [1, 1, 8]),
        ("Rows(a, previous=2), Rows(n), Rows(z, previous=0)", [2, 1, 1]),
        ("Rows(a, previous=2), Rows(n, previous=3), Rows(z)", [2, 3, 0]),
        ("Rows(a, previous=3), Rows(n, previous=4), Rows(z, previous=7)", [5, 0, 0]),
        ("Rows(a, previous=6), Rows(n), Rows(z)", [6, 0, 0]),
    ],
)
@pytest.mark.parametrize("under", list(_FILTERS))
def test_previous_is_a_place_in_the_order_of_groups(bench: Bench, rows: str, begin: list[int], under: str) -> None:
    said = _groups(bench, f"GroupBy({rows}{f', filter={under}' if under else ''})")
    assert said == [group for group in _expected("anz", _FILTERS[under]) if group[0] >= begin]


def test_of_chosen_shards(bench: Bench) -> None:
    said = [
        ([row for _, row, _ in group.group], group.count)
        for group in bench.ask("GroupBy(Rows(a), Rows(n), Rows(z))", shards=[1]).groups
    ]
    assert said == [([1, 3, 0], 1), ([2, 4, 7], 1)]


def test_rows_under_a_filter_that_has_nothing_in_a_shard(bench: Bench) -> None:
    assert bench.ask("MaxRow(Row(n=1), field=a)") == PairsResult([Pair(2, 1)], "a")
    assert bench.ask("MinRow(Row(n=4), field=a)") == PairsResult([Pair(2, 1)], "a")
    assert bench.ask("MaxRow(Row(n=99), field=a)") == PairsResult([Pair(0, 0)], "a")
    assert bench.ask("MinRow(Row(n=99), field=a)") == PairsResult([Pair(0, 0)], "a")
