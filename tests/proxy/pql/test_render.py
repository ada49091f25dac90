"""Bodies, byte for byte as Pilosa 1.4.1 writes them (and picap and 0.10 for legacy calls)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.calls import (
    BoolResult,
    CountResult,
    GroupCount,
    GroupCountsResult,
    NoResult,
    Pair,
    PairsResult,
    QueryError,
    Result,
    RowResult,
    RowsResult,
    ValCountResult,
)
from proxy.pql.parse import parse
from proxy.pql.render import error_json, numbers, render_json


def columns(*numbers: int) -> RowResult:
    return RowResult(np.array(numbers, np.uint64))


TOP = PairsResult([Pair(4, 2, "pilosa.com"), Pair(9, 1, "example.com")], "host")


@pytest.mark.parametrize(
    ("text", "result", "body"),
    [
        ("Row(a=1)", columns(1, 20), '{"attrs":{},"columns":[1,20]}'),
        ("Row(a=1)", columns(), '{"attrs":{},"columns":[]}'),
        ("Options(Row(a=1))", columns(3), '{"attrs":{},"columns":[3]}'),
        (
            "Row(a=1)",
            RowResult(np.zeros(0, np.uint64), {"n": 1, "b": "<é>"}),
            '{"attrs":{"b":"\\u003cé\\u003e","n":1},"columns":[]}',
        ),
        ("Count(Row(a=1))", CountResult(5), "5"),
        ("TopN(a)", TOP, '[{"id":0,"key":"pilosa.com","count":2},{"id":0,"key":"example.com","count":1}]'),
        ("TopN(a)", PairsResult([Pair(1, 5)], "a"), '[{"id":1,"count":5}]'),
        ("TopN(a)", PairsResult([], "a"), "[]"),
        ("Rows(a)", RowsResult([1, 2], "a"), '{"rows":[1,2]}'),
        ("Rows(a)", RowsResult([], "a"), '{"rows":[]}'),
        ("Rows(a)", RowsResult([1], "a", ["x"]), '{"rows":null,"keys":["x"]}'),
        ("Rows(a)", RowsResult([], "a", []), '{"rows":null}'),
        ("Sum(field=a)", ValCountResult(-3, 2), '{"value":-3,"count":2}'),
        ("MinRow(field=a)", PairsResult([Pair(30, 1)], "a"), '{"id":30,"count":1}'),
        ("MinRow(field=a)", PairsResult([Pair(5, 1, "a")], "a"), '{"id":5,"key":"a","count":1}'),
        ("MaxRow(field=a)", PairsResult([Pair(0, 0)], "a"), '{"id":0,"count":0}'),
        (
            "GroupBy(Rows(a), Rows(k))",
            GroupCountsResult([GroupCount([("a", 0, None), ("k", 3, "x")], 4)]),
            '[{"group":[{"field":"a","rowID":0},{"field":"k","rowKey":"x"}],"count":4}]',
        ),
        ("Set(1, a=1)", BoolResult(True), "true"),
        ("SetColumnAttrs(1, a=1)", NoResult(), "null"),
        ("Bitmap(frame=a, rowID=1)", columns(1, 20), '{"attrs":{},"bits":[1,20]}'),
        ("Union(Bitmap(frame=a, rowID=1))", columns(1), '{"attrs":{},"bits":[1]}'),
        ("TopN(frame=a)", TOP, '[{"Key":"pilosa.com","Count":2},{"Key":"example.com","Count":1}]'),
        ("Count(Bitmap(frame=a, rowID=1))", CountResult(1), "1"),
        ("Sum(frame=a)", ValCountResult(3, 2), '{"value":3,"count":2}'),
    ],
)
def test_shapes(text: str, result: Result, body: str) -> None:
    assert render_json([result], parse(text)) == f'{{"results":[{body}]}}\n'.encode()


def test_the_shape_is_chosen_call_by_call() -> None:
    calls = parse("TopN(frame=a) TopN(a) Bitmap(frame=a, row=1) Row(a=1)")
    body = json.loads(render_json([TOP, TOP, columns(1), columns(1)], calls))["results"]
    assert body[0][0] == {"Key": "pilosa.com", "Count": 2}
    assert body[1][0] == {"id": 0, "key": "pilosa.com", "count": 2}
    assert body[2:] == [{"attrs": {}, "bits": [1]}, {"attrs": {}, "columns": [1]}]


def test_legacy_pairs_of_other_indexes_are_those_of_pilosa_0_10() -> None:
    top = PairsResult([Pair(1, 5)], "a")
    assert render_json([top], parse("TopN(frame=a)"), packets=False) == b'{"results":[[{"id":1,"count":5}]]}\n'


def test_no_calls() -> None:
    assert render_json([], []) == b'{"results":[]}\n'


def test_strings_are_escaped_as_go_does() -> None:
    keys = ['<a&b>"\\', "é€😀", "\u2028", "\n\x00\x1f"]
    body = render_json([RowsResult([1, 2, 3, 4], "a", keys)], parse("Rows(a)"))
    assert rb'"\u003ca\u0026b\u003e\"\\"' in body
    assert '"é€😀"'.encode() in body
    assert rb'"\u2028"' in body
    assert rb'"\n\u0000\u001f"' in body
    assert json.loads(body)["results"][0]["keys"] == keys


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.lists(st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 2000)), max_size=300), st.integers(0, 20))
def test_columns_are_written_in_decimal(some: list[int], digits: int) -> None:
    near = range(max(0, 10**digits - 40), min(2**64, 10**digits + 40))
    want = sorted({*some, *near})
    assert numbers(np.array(want, np.uint64)) == ",".join(map(str, want)).encode()


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("map reduce: field not found", b'{"error":"executing: map reduce: field not found"}\n'),
        ('field "zz" not found', b'{"error":"executing: field \\"zz\\" not found"}\n'),
        ("executing: index not found", b'{"error":"executing: index not found"}\n'),
        ("parsing: duplicate argument provided: s", b'{"error":"parsing: duplicate argument provided: s"}\n'),
        ("could not convert <nil>", b'{"error":"executing: could not convert \\u003cnil\\u003e"}\n'),
    ],
)
def test_errors(message: str, body: bytes) -> None:
    assert error_json(QueryError(message)) == body


def test_a_syntax_error_is_pilosas_byte_for_byte() -> None:
    with pytest.raises(QueryError) as caught:
        parse("Row(s1=1))")
    want = b'{"error":"parsing: parsing: \\nparse error near close (line 1 symbol 9 - line 1 symbol 10):\\n\\")\\"\\n"}\n'
    assert error_json(caught.value) == want
