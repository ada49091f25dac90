"""The engine of client indexes on Pilosa beside reading: what exists, attributes, bulk, schema, names."""

from __future__ import annotations

import json

import numpy as np
import pytest

from indexing.backends.pilosa import PilosaBackend
from indexing.calls import BoolResult, CountResult, QueryError
from indexing.client.contract import ClientIndex, FieldOptions, Wanted
from indexing.client.pilosa_names import physical
from indexing.roaring import encode_ranges
from proxy.pql.parse import parse
from tests.indexing.client.pilosa.conftest import Make
from tests.pilosa import PilosaServer

_SHARD = 1 << 20


def test_a_call_sees_what_those_before_it_wrote_in_shards_that_are_new(make: Make) -> None:
    bench = make(s=FieldOptions())
    text = f"Set(1, s=1)Set({5 * _SHARD}, s=1)Count(Row(s=1))Set({9 * _SHARD}, s=1)Store(Row(s=1), s=2)Row(s=2)"
    _, _, count, _, stored, row = bench.results(text)
    assert count == CountResult(2)
    assert stored == BoolResult(True)
    assert row.columns.tolist() == [1, 5 * _SHARD, 9 * _SHARD]  # type: ignore[union-attr]
    assert bench.clients.shards(bench.index) == [0, 5, 9]


def test_the_first_error_ends_it_and_what_was_written_stays(make: Make) -> None:
    bench = make(s=FieldOptions(cache_type="none"))
    bench.ask("Set(1, s=1)")
    with pytest.raises(QueryError, match="field has no cache"):
        bench.results("Set(2, s=1)TopN(s)Set(3, s=1)")
    assert bench.columns("Row(s=1)") == [1, 2]


def test_not_knows_imports_of_bits_and_of_values(make: Make) -> None:
    bench = make(s=FieldOptions(), v=FieldOptions("int"))
    bench.bits("s", *[(1, column) for column in range(5000)])
    bench.values("v", dict.fromkeys(range(4000, 6000), 3))
    assert bench.ask("Count(Not(Row(s=2)))").count == 6000


def test_nothing_is_known_of_what_exists_without_tracking(make: Make) -> None:
    bench = make(track_existence=False, s=FieldOptions(), v=FieldOptions("int"))
    bench.bits("s", (1, 2 * _SHARD))
    bench.values("v", {1: 3})
    assert bench.clients.shards(bench.index) == [0, 2]


def test_attributes_of_rows_and_columns(make: Make) -> None:
    bench = make(s=FieldOptions(), v=FieldOptions("int"))
    text = 'SetRowAttrs(s, 3, name="Zo\\u00eb \\U0001f600", n=-7, f=0.5, ok=true, q="a\\"b\\\\c")SetColumnAttrs(9, city="Ærø")'
    bench.results(text)
    wanted = {"name": "Zoë 😀", "n": -7, "f": 0.5, "ok": True, "q": 'a"b\\c'}
    assert bench.clients.attributes(bench.index, "s") == {3: wanted}
    assert bench.clients.attributes(bench.index, None) == {9: {"city": "Ærø"}}
    bench.ask("SetRowAttrs(s, 3, n=null, ok=null)")
    assert bench.clients.attributes(bench.index, "s")[3] == {"name": "Zoë 😀", "f": 0.5, "q": 'a"b\\c'}
    bench.ask("Set(9, s=3)")
    assert bench.ask("Row(s=3)").attrs["name"] == "Zoë 😀"
    assert bench.ask("Row(s=3)", exclude_row_attrs=True).attrs == {}


def test_columns_attributes_are_those_of_all_rows_that_are_shown(make: Make) -> None:
    bench = make(s=FieldOptions())
    bench.results('Set(1, s=1)Set(2, s=2)Set(3, s=3)SetColumnAttrs(1, a="x")SetColumnAttrs(3, a="z")')
    asked = bench.clients.query(bench.index, parse("Row(s=3)Row(s=1)Count(Row(s=2))"), Wanted(column_attrs=True))
    assert asked.column_attrs == [(1, {"a": "x"}), (3, {"a": "z"})]
    asked = bench.clients.query(bench.index, parse("Options(Row(s=1), columnAttrs=true)Row(s=3)"), Wanted())
    assert asked.column_attrs == [(1, {"a": "x"}), (3, {"a": "z"})]
    assert bench.clients.query(bench.index, parse("Row(s=1)"), Wanted()).column_attrs == []


def test_roaring_into_views(make: Make) -> None:
    bench = make(t=FieldOptions("time", time_quantum="YMD"), s=FieldOptions())
    data = encode_ranges(np.array([7], np.uint64), [(3, 5)])
    bench.clients.import_roaring(bench.index, "t", 1, [("", data), ("2018", data)])
    assert bench.columns("Row(t=7)") == [_SHARD + column for column in (3, 4, 5)]
    assert bench.columns("Row(t=7, from=2018-01-01T00:00, to=2019-01-01T00:00)") == [_SHARD + column for column in (3, 4, 5)]
    bench.clients.import_roaring(bench.index, "t", 1, [("standard", data)], clear=True)
    assert bench.columns("Row(t=7)") == []
    # Rows() itself shows an emptied row until Pilosa is started again
    assert bench.ask("GroupBy(Rows(t))").groups == []
    assert bench.pairs("MinRow(field=t)") == [(0, 0)]
    assert bench.ask("Count(Not(Union()))").count == 0  # as in Pilosa, it makes no column exist


def test_imports_with_times(make: Make) -> None:
    bench = make(t=FieldOptions("time", time_quantum="YM"))
    ones = np.ones(2, np.uint64)
    stamps = np.array([1_514_764_800_000_000_000, 0], np.int64)
    bench.clients.import_bits(bench.index, "t", ones, np.array([4, 5], np.uint64), stamps)
    assert bench.columns("Row(t=1)") == [4, 5]
    assert bench.columns("Row(t=1, from=2018-01-01T00:00, to=2018-02-01T00:00)") == [4]


def test_export_is_in_order_of_rows_and_columns(make: Make) -> None:
    bench = make(s=FieldOptions(), v=FieldOptions("int"))
    bench.bits("s", (9, _SHARD + 1), (2, _SHARD + 7), (2, _SHARD + 3), (2, 1))
    bench.values("v", {1: 1})
    rows, columns = bench.clients.export(bench.index, "s", 1)
    assert (rows.tolist(), columns.tolist()) == ([2, 2, 9], [_SHARD + 3, _SHARD + 7, _SHARD + 1])
    assert bench.clients.export(bench.index, "v", 0)[0].size == 0
    assert bench.clients.export(bench.index, "s", 4)[0].size == 0


def test_deleting_a_field_takes_all_of_it(make: Make) -> None:
    bench = make(v=FieldOptions("int"), s=FieldOptions())
    bench.values("v", {1: -5, 2: 3})
    bench.bits("s", (1, 1))
    for _ in range(2):
        bench.clients.delete_field(bench.index, "v")
    bench.clients.create_field(bench.index, "v")
    assert bench.ask("Sum(field=v)").count == 0
    bench.values("v", {2: -1})
    assert bench.ask("Sum(Row(s=1), field=v)").count == 0
    bench.clients.delete_field(bench.index, "_exists")


def test_names_there_are_no_packet_indexes(make: Make, pilosa_server: PilosaServer) -> None:
    index = ClientIndex("net_-g7", fields={"s": FieldOptions()})
    make.clients.create_index(index)
    make.clients.create_index(index)
    make.made.append(index)
    there = json.loads(pilosa_server.post("/index/net_-g7_-c/query", "Rows(s)"))
    assert there == {"results": [{"rows": []}]}
    backend = PilosaBackend([(pilosa_server.host, pilosa_server.port)])
    try:
        assert not [name for name in backend.indexes() if name.startswith(("net_-g7", "bench"))]
    finally:
        backend.close()
    long = [physical("a" * 64), physical("a" * 63 + "b"), physical("a" * 61)]
    assert len(set(long)) == 3 and max(map(len, long)) <= 64
