"""QueryRequest and QueryResponse: the bytes are those that a real Pilosa reads and writes."""

from __future__ import annotations

import http.client
import json

import numpy as np
import pytest

from indexing.calls import (
    BoolResult,
    Call,
    CountResult,
    GroupCount,
    GroupCountsResult,
    NoResult,
    Pair,
    PairsResult,
    RowResult,
    RowsResult,
    ValCountResult,
)
from proxy.protobuf.query import QueryRequest, read_request, write_response
from proxy.protobuf.wire import number, numbers, text

INDEX, KEYED = "protobufanswers", "protobufkeyed"


@pytest.fixture(scope="module")
def pilosa(pilosa_server):
    """ask(query, index, **flags by field number) -> status, bytes of a real Pilosa's protobuf answer."""
    connection = http.client.HTTPConnection(pilosa_server.host, pilosa_server.port, timeout=60)

    def send(path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def ask(query: str, index: str = INDEX, more: bytes = b"") -> tuple[int, bytes]:
        both = {"Content-Type": "application/x-protobuf", "Accept": "application/x-protobuf"}
        return send(f"/index/{index}/query", text(1, query) + more, **both)

    def make(path: str, **options: object) -> None:
        status, body = send(path, json.dumps({"options": options}).encode())
        assert status == 200, body

    make(f"/index/{INDEX}")
    make(f"/index/{INDEX}/field/s")
    make(f"/index/{INDEX}/field/k", keys=True)
    make(f"/index/{INDEX}/field/n", type="int", min=-1000, max=1000)
    make(f"/index/{KEYED}", keys=True)
    make(f"/index/{KEYED}/field/s")
    bits = 'Set(1, s=10) Set(300, s=10) Set(70000000000, s=10) Set(1, s=11) Set(1, k="tcp") Set(2, k="udp") Set(300, k="udp")'
    ask(f'{bits} Set(1, n=-7) Set(2, n=500) SetRowAttrs(s, 10, b=true, a="x", i=-3, f=2.5, z=0) SetColumnAttrs(300, city="Oslo")')
    ask('Set("c1", s=1) Set("c2", s=1) SetColumnAttrs("c2", city="Rome")', KEYED)
    send("/recalculate-caches", b"")
    return ask


COLUMNS = np.array([1, 300, 70000000000], np.uint64)
ATTRS = {"z": 0, "i": -3, "f": 2.5, "a": "x", "b": True}
NONE = np.empty(0, np.uint64)


@pytest.mark.parametrize(
    ("query", "call", "result"),
    [
        ("Row(s=10)", Call("Row"), RowResult(COLUMNS, ATTRS)),
        ("Options(Row(s=11), excludeColumns=true)", Call("Options", [Call("Row")]), RowResult(NONE)),
        ("Row(s=99)", Call("Row"), RowResult(NONE)),
        ("Count(Row(s=10))", Call("Count"), CountResult(3)),
        ("Count(Row(s=99))", Call("Count"), CountResult(0)),
        ("TopN(s, ids=[10, 11])", Call("TopN"), PairsResult([Pair(10, 3), Pair(11, 1)], "s")),
        ("TopN(s, ids=[99])", Call("TopN"), PairsResult([], "s")),
        ("TopN(k)", Call("TopN"), PairsResult([Pair(2, 2, "udp"), Pair(1, 1, "tcp")], "k")),
        ("Min(field=n)", Call("Min"), ValCountResult(-7, 1)),
        ("Sum(field=zz)", Call("Sum"), ValCountResult(0, 0)),
        ("Set(1, s=10)", Call("Set"), BoolResult(False)),
        ("Store(Row(s=11), s=12)", Call("Store"), BoolResult(True)),
        ("Rows(s)", Call("Rows"), RowsResult([10, 11, 12], "s")),
        ("Rows(k)", Call("Rows"), RowsResult([1, 2], "k", ["tcp", "udp"])),
        ("Rows(s, limit=0)", Call("Rows"), RowsResult([], "s")),
        ("MinRow(field=s)", Call("MinRow"), PairsResult([Pair(10, 1)], "s")),
        ("MaxRow(field=k)", Call("MaxRow"), PairsResult([Pair(2, 1, "udp")], "k")),
        ("MinRow(Row(s=99), field=s)", Call("MinRow"), PairsResult([], "s")),
        ("SetRowAttrs(s, 13, x=1)", Call("SetRowAttrs"), NoResult()),
        (
            "GroupBy(Rows(k), Rows(s), filter=Row(s=11))",
            Call("GroupBy"),
            GroupCountsResult([GroupCount([("k", 1, "tcp"), ("s", row, None)], 1) for row in (10, 11, 12)]),
        ),
        ("GroupBy(Rows(s), filter=Row(s=99))", Call("GroupBy"), GroupCountsResult([])),
    ],
)
def test_results_are_written_as_pilosa_writes_them(pilosa, query, call, result):
    pilosa("Store(Row(s=11), s=12)")
    assert (200, write_response([result], [call])) == pilosa(query)


def test_many_results_and_column_attributes(pilosa):
    calls, results = [Call("Row"), Call("Count")], [RowResult(COLUMNS, ATTRS), CountResult(3)]
    answer = write_response(results, calls, [(300, {"city": "Oslo"})])
    assert (200, answer) == pilosa("Row(s=10) Count(Row(s=10))", more=number(3, 1))


def test_columns_that_have_names(pilosa):
    answer = write_response(
        [RowResult(np.array([1, 2], np.uint64), keys=["c1", "c2"])], [Call("Row")], [("c2", {"city": "Rome"})]
    )
    assert (200, answer) == pilosa("Row(s=1)", KEYED, number(3, 1))


def test_an_error(pilosa):
    answer = write_response([], [], error="executing: map reduce: field not found")
    assert (400, answer) == pilosa("Row(zz=1)")


def test_an_empty_query_has_an_empty_answer(pilosa):
    assert (200, write_response([], [])) == pilosa("")


def test_a_request_is_read():
    flags = number(3, 1) + number(5, 1) + number(6, 1) + number(7, 1)
    asked = read_request(text(1, "Row(s=1)é") + numbers(2, np.array([0, 5], np.uint64)) + flags)
    assert asked == QueryRequest("Row(s=1)é", [0, 5], True, True, True, True)
    assert read_request(b"") == QueryRequest("")
