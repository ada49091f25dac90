"""Rows of client indexes on Pilosa: TopN, Rows, MinRow and MaxRow know of what was written a moment ago, and of all shards."""

from __future__ import annotations

import pytest

from indexing.calls import Pair, PairsResult, QueryError, RowsResult
from indexing.client.contract import FieldOptions
from tests.indexing.client.pilosa.conftest import Make

_SHARD = 1 << 20


def test_topn_sees_what_was_set_a_moment_ago(make: Make) -> None:
    bench = make(s=FieldOptions())
    bench.results("Set(1, s=1)Set(2, s=1)Set(1, s=2)")
    assert bench.pairs("TopN(s)") == [(1, 2), (2, 1)]
    bench.results("Set(2, s=2)Set(3, s=2)Set(4, s=9)Clear(1, s=1)")
    assert bench.pairs("TopN(s)") == [(2, 3), (1, 1), (9, 1)]


def test_topn_of_equal_counts_is_by_id(make: Make) -> None:
    bench = make(s=FieldOptions())
    bench.bits("s", *[(row, column) for row in (9, 3, 7, 1) for column in (1, 2)])
    assert bench.pairs("TopN(s, n=3)") == [(1, 2), (3, 2), (7, 2)]


def test_topn_finds_rows_that_are_second_in_every_shard(make: Make) -> None:
    bench = make(s=FieldOptions())
    for shard, first in enumerate((1, 2, 3)):
        bench.bits("s", *[(first, shard * _SHARD + column) for column in range(3)])
        bench.bits("s", *[(8, shard * _SHARD + column) for column in range(2)])
    assert bench.pairs("TopN(s, n=1)") == [(8, 6)]


def test_topn_knows_more_rows_than_the_cache_holds(make: Make) -> None:
    bench = make(s=FieldOptions(cache_size=3))
    bench.bits("s", *[(row, column) for row in range(8) for column in range(row + 1)])
    assert bench.pairs("TopN(s)") == [(row, row + 1) for row in range(7, -1, -1)]
    assert bench.pairs("TopN(s, Row(s=7), ids=[0, 2, 99])") == [(2, 3), (0, 1)]


def test_thresholds_are_of_each_shard(make: Make) -> None:
    bench = make(s=FieldOptions())
    bench.bits("s", (1, 0), (1, 1), (1, _SHARD), (2, 0))
    assert bench.pairs("TopN(s, threshold=2)") == [(1, 2)]


def test_topn_by_attributes_of_its_rows(make: Make) -> None:
    bench = make(s=FieldOptions())
    bench.results('Set(1, s=1)Set(1, s=2)Set(2, s=3)SetRowAttrs(s, 1, a="x")SetRowAttrs(s, 3, a="y", n=7)')
    assert bench.pairs('TopN(s, attrName="a", attrValues=["x", "z"])') == [(1, 1)]
    assert bench.pairs('TopN(s, attrName="n", attrValues=[7])') == [(3, 1)]


def test_topn_of_a_field_without_a_cache_is_refused_once_it_has_rows(make: Make) -> None:
    bench = make(s=FieldOptions(cache_type="none"))
    assert bench.pairs("TopN(s)") == []
    bench.ask("Set(1, s=1)")
    with pytest.raises(QueryError, match=r'finding top results: cannot compute TopN\(\), field has no cache: "s"'):
        bench.ask("TopN(s)")


def test_the_least_and_the_greatest_row(make: Make) -> None:
    bench = make(s=FieldOptions(), f=FieldOptions())
    assert bench.ask("MinRow(field=s)") == PairsResult([Pair(0, 0)], "s")
    bench.bits("s", (3, 1), (3, _SHARD), (5, 1), (9, 2), (9, _SHARD + 2))
    bench.bits("f", (1, 1), (1, _SHARD))
    assert bench.pairs("MinRow(field=s)") == [(3, 1)]
    assert bench.pairs("MaxRow(field=s)") == [(9, 1)]
    assert bench.pairs("MinRow(Row(f=1), field=s)") == [(3, 2)]
    assert bench.pairs("MaxRow(Row(f=1), field=s)") == [(5, 1)]
    bench.results("ClearRow(s=9)")
    assert bench.pairs("MaxRow(field=s)") == [(5, 1)]


def test_rows_that_were_cleared_are_gone(make: Make) -> None:
    bench = make(s=FieldOptions())
    bench.bits("s", (1, 1), (2, 1))
    bench.bits("s", (1, 1), clear=True)
    assert bench.ask("Rows(s)") == RowsResult([2], "s")
    assert bench.pairs("TopN(s)") == [(2, 1)]


def test_rows_of_time_fields(make: Make) -> None:
    bench = make(t=FieldOptions("time", time_quantum="YMD"))
    bench.results("Set(1, t=1, 2018-01-05T00:00)Set(2, t=2, 2018-02-05T00:00)Set(3, t=3)")
    assert bench.ask("Rows(t)").ids == [1, 2, 3]
    assert bench.ask("Rows(t, from=2018-02-01T00:00, to=2018-03-01T00:00)").ids == [2]
    assert bench.columns("Row(t=1, from=2018-01-05T00:00, to=2018-01-06T00:00)") == [1]
    assert bench.columns("Range(t=3)") == []
    assert bench.columns("Range(t=2)") == [2]


def test_what_clear_says_of_a_time_field(make: Make) -> None:
    bench = make(t=FieldOptions("time", time_quantum="YMD"))
    bench.results("Set(1, t=1, 2018-01-05T00:00)Set(1, t=1, 2019-01-05T00:00)Set(2, t=1, 2019-01-06T00:00)")
    assert [one.changed for one in bench.results("Clear(1, t=1)Clear(1, t=1)")] == [True, False]  # type: ignore[union-attr]
    assert bench.columns("Row(t=1, from=2017-01-01T00:00, to=2020-01-01T00:00)") == [2]


def test_ids_beyond_the_last_row_are_nobodys(make: Make) -> None:
    bench = make(s=FieldOptions())
    bench.ask("Set(1, s=0)")
    assert bench.columns(f"Row(s={1 << 44})") == []
    assert bench.ask(f"Rows(s, previous={(1 << 63) - 1})").ids == []
    assert bench.pairs(f"TopN(s, ids=[{1 << 44}])") == []


def test_bools_and_mutexes(make: Make) -> None:
    bench = make(b=FieldOptions("bool"), m=FieldOptions("mutex"))
    bench.results("Set(7, b=1)")
    assert bench.results("Rows(b, previous=0)") == [RowsResult([1], "b")]  # here, bools are ids already
    assert bench.results("Rows(b, previous=1)") == [RowsResult([], "b")]
    bench.results("Clear(7, b=1)")
    bench.bits("b", (0, 1), (1, 1), (1, 2))
    bench.bits("m", (4, 1), (5, 1), (4, 2))
    assert bench.ask("Rows(m)").ids == [4, 5]
    assert bench.columns("Row(m=5)") == [1]
    assert [one.tolist() for one in bench.clients.export(bench.index, "b", 0)] == [[1, 1], [1, 2]]


def test_a_limit_is_of_all_views(make: Make) -> None:
    bench = make(n=FieldOptions("time", time_quantum="D", no_standard_view=True), t=FieldOptions("time", time_quantum="D"))
    for name in ("n", "t"):
        for row, day in ((5, 1), (1, 2), (3, 2), (0, 3)):
            bench.ask(f"Set({row}, {name}={row}, 2020-01-0{day}T00:00)")
    for limit, wanted in ((1, [0]), (2, [0, 1]), (3, [0, 1, 3]), (9, [0, 1, 3, 5])):
        assert bench.ask(f"Rows(n, limit={limit})").ids == wanted
        assert bench.ask(f"Rows(t, limit={limit})").ids == wanted
        since = f"Rows(n, limit={limit}, from='2020-01-02T00:00', to='2020-01-04T00:00')"
        assert bench.ask(since).ids == [0, 1, 3][:limit]
