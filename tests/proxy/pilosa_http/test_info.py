"""/info, /version, /internal/shards/max, /recalculate-caches, attributes."""

from __future__ import annotations

import json

from tests.proxy.pilosa_http.conftest import Answer
from tests.proxy.pilosa_http.messages import bits, values


def test_info_has_pilosas_members_and_numbers_that_are_unsigned(both):
    ours, theirs = (json.loads(one.ask("GET", "/info").body) for one in (both.ours, both.theirs))
    assert ours.keys() == theirs.keys()
    for name in ("shardWidth", "cpuPhysicalCores", "cpuLogicalCores"):
        assert ours[name] == theirs[name]
    assert ours["cpuMHz"] >= 1
    assert abs(ours["memory"] - theirs["memory"]) <= 1024 * 1024


def test_the_version_is_pilosas(product):
    assert product.ask("GET", "/version") == Answer(200, b'{"version":"1.4.1"}\n', "text/plain; charset=utf-8")


def test_the_greatest_shard_of_each_index(both):
    both.make({"s": {}, "i": {"type": "int"}})
    assert both.ours.ask("GET", "/internal/shards/max").body == b'{"standard":{"%b":0,"net":0}}\n' % both.index.encode()
    both.protobuf(f"/index/{both.index}/field/s/import", bits(both.index, "s", [1, 1], [5, 3 << 20]))
    both.protobuf(f"/index/{both.index}/field/i/import", values(both.index, "i", [2 << 20], [5]))
    ours, theirs = (json.loads(one.ask("GET", "/internal/shards/max").body)["standard"] for one in (both.ours, both.theirs))
    assert ours == {**theirs, "net": 0}
    assert ours[both.index] == 3


def test_caches_are_recalculated(both):
    assert both.ask("POST", "/recalculate-caches") == Answer(204, b"", None)


def test_all_attributes_of_rows_and_columns(both):
    both.make({"s": {}})
    attributes = 'SetRowAttrs(s, 10, b=true, a="<x>", f=2.5) SetRowAttrs(s, 9, n=-3) SetColumnAttrs(2, city="Oslo")'
    for one in (both.ours, both.theirs):
        one.query(attributes)
    rows = both.ask("POST", f"/internal/index/{both.index}/field/s/attr/diff", '{"blocks":[]}')
    assert json.loads(rows.body) == {"attrs": {"10": {"b": True, "a": "<x>", "f": 2.5}, "9": {"n": -3}}}
    columns = both.ask("POST", f"/internal/index/{both.index}/attr/diff", "{}")
    assert json.loads(columns.body) == {"attrs": {"2": {"city": "Oslo"}}}


def test_attributes_of_what_is_not_there(both):
    both.make()
    for path in (
        "/internal/index/zz/attr/diff",
        "/internal/index/zz/field/f/attr/diff",
        f"/internal/index/{both.index}/field/f/attr/diff",
    ):
        assert both.ours.ask("POST", path, "{}").status == both.theirs.ask("POST", path, "{}").status
        assert both.ours.ask("POST", path, "{}").body == both.theirs.ask("POST", path, "{}").body
    for body in ("", "x"):
        assert both.ask("POST", f"/internal/index/{both.index}/attr/diff", body).status == 400
