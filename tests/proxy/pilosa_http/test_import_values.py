"""POST .../import of int fields: values."""

from __future__ import annotations

import json

import pytest

from tests.proxy.pilosa_http.conftest import Answer
from tests.proxy.pilosa_http.messages import values

OK = Answer(200, b"", None)
SHARD = 1 << 20


def send(both, columns, numbers, parameters=""):
    return both.protobuf(f"/index/{both.index}/field/i/import{parameters}", values(both.index, "i", columns, numbers))


def depth(both):
    return json.loads(both.ask("GET", f"/index/{both.index}").body)["fields"][0]["options"]["bitDepth"]


def test_the_depth_of_a_field_grows_with_its_values(both):
    both.make({"i": {"type": "int", "min": -1000, "max": 1000}})
    assert depth(both) == 0
    assert send(both, [5, 6, SHARD], [3, -7, 0]) == OK
    assert depth(both) == 3
    assert send(both, [5], [-1000]) == OK
    assert depth(both) == 10
    assert send(both, [5], [1]) == OK
    assert depth(both) == 10


@pytest.mark.parametrize(("low", "high"), [(100, 200), (-200, -100)])
def test_the_depth_is_of_what_lies_above_the_base(both, low, high):
    both.make({"i": {"type": "int", "min": low, "max": high}})
    assert send(both, [5, 6], [low, high]) == OK
    assert depth(both) == 7


def test_values_come_back_and_the_last_of_a_column_counts(product):
    product.make({"i": {"type": "int", "min": -1000, "max": 1000}})
    assert send(product, [5, 6, 5, SHARD], [3, -7, 10, 100]) == OK
    assert product.query("Sum(field=i) Min(field=i) Max(field=i)") == [
        {"value": 103, "count": 3},
        {"value": -7, "count": 1},
        {"value": 100, "count": 1},
    ]
    assert send(product, [6, 7], [0, 0], "?clear=true") == OK
    assert product.query("Sum(field=i)") == [{"value": 110, "count": 2}]
    assert product.query("Not(Row(i == 0))")[0]["columns"] == [5, 6, SHARD]


def test_columns_by_key(product):
    product.make({"i": {"type": "int"}}, keys=True)
    assert send(product, ["b", "a", "b"], [1, -(1 << 63) + 1, (1 << 63) - 1]) == OK
    assert product.query("Row(i > 0)")[0]["keys"] == ["b"]
    answer = send(product, [1], [1])
    assert answer == Answer(500, b"column ids cannot be used because index uses string keys\n", "text/plain; charset=utf-8")


def test_values_out_of_range_are_refused_and_none_is_written(both):
    both.make({"i": {"type": "int", "min": 10, "max": 60}})
    for wrong, words in ((61, b"high, columnID=6, value=61"), (9, b"low, columnID=6, value=9")):
        answer = send(both, [5, 6, 7], [60, wrong, 1])
        assert answer == Answer(500, b"importing: bsigroup value too " + words + b"\n", "text/plain; charset=utf-8")
    assert depth(both) == 0
    answer = send(both, [6], [61], "?clear=true")
    assert answer.status == 500


def test_fewer_values_than_columns_are_refused_where_pilosa_panics(both):
    both.make({"i": {"type": "int"}})
    body = values(both.index, "i", [1, 2], [5])
    path = f"/index/{both.index}/field/i/import"
    assert both.theirs.protobuf(path, body).status == 500
    assert both.ours.protobuf(path, body) == Answer(500, b"importing: 2 columns and 1 values\n", "text/plain; charset=utf-8")
