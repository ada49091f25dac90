"""A bad query is refused in Pilosa's own words, on both backends: the words come from a real Pilosa, asked in text."""

from __future__ import annotations

import json
import urllib.error

import numpy as np
import pytest

from indexing.backends.base import SHARD_WIDTH
from indexing.calls import Call, QueryError
from tests.indexing.backends.conftest import FIELDS, Bench, bits, compare, of, row
from tests.pilosa import PilosaServer

BAD = [
    ("Row(nosuch=1)", row("nosuch", 1)),
    ("Count(Row(nosuch=1))", of("Count", row("nosuch", 1))),
    ("Row(nosuch > 1)", compare("nosuch", ">", 1)),
    ("Count(Row(proto > 1))", of("Count", compare("proto", ">", 1))),
    ("Row()", of("Row")),
    ("Row(proto=-1)", row("proto", -1)),
    ("Row(length == null)", compare("length", "==", None)),
    ("Row(length >< [1])", compare("length", "><", [1])),
    ("Row(length >< 5)", compare("length", "><", 5)),
    ("Intersect()", of("Intersect")),
    ("Count(Intersect())", of("Count", of("Intersect"))),
    ("Difference()", of("Difference")),
    ("Union(Row(proto=1), Intersect())", of("Union", row("proto", 1), of("Intersect"))),
    ("Not()", of("Not")),
    ("Not(Row(proto=1), Row(proto=2))", of("Not", row("proto", 1), row("proto", 2))),
    ("Count()", of("Count")),
    ("Count(Row(proto=1), Row(proto=2))", of("Count", row("proto", 1), row("proto", 2))),
    ("Count(Rows(proto))", of("Count", of("Rows", field="proto"))),
    ("All()", of("All")),
    ("Bogus(Row(proto=1))", of("Bogus", row("proto", 1))),
    ("Count(Bogus())", of("Count", of("Bogus"))),
    ("Shift(Row(proto=1), n=-1)", of("Shift", row("proto", 1), n=-1)),
    ("Shift()", of("Shift")),
    ("TopN(nosuch)", of("TopN", field="nosuch")),
    ("TopN(length)", of("TopN", field="length")),
    ("TopN(proto, Row(nosuch=1))", of("TopN", row("nosuch", 1), field="proto")),
    ("TopN(proto, Row(proto=1), Row(proto=2))", of("TopN", row("proto", 1), row("proto", 2), field="proto")),
    ("TopN(proto, n=-1)", of("TopN", field="proto", n=-1)),
    ("Rows(nosuch)", of("Rows", field="nosuch")),
    ("Rows()", of("Rows")),
    ("Sum(Row(proto=1), Row(proto=2), field=length)", of("Sum", row("proto", 1), row("proto", 2), field="length")),
    ("Sum(Row(nosuch=1), field=length)", of("Sum", row("nosuch", 1), field="length")),
    ("Min(Row(nosuch=1), field=length)", of("Min", row("nosuch", 1), field="length")),
    ("MinRow(field=nosuch)", of("MinRow", field="nosuch")),
    ("GroupBy()", of("GroupBy")),
    ("GroupBy(Row(proto=1))", of("GroupBy", row("proto", 1))),
    ("GroupBy(Rows(nosuch))", of("GroupBy", of("Rows", field="nosuch"))),
    ("GroupBy(Rows(proto), filter=Row(nosuch=1))", of("GroupBy", of("Rows", field="proto"), filter=row("nosuch", 1))),
    ("Options(Row(proto=1), excludeColumns=1)", of("Options", row("proto", 1), excludeColumns=1)),
    ("Options(Row(proto=1), shards=1)", of("Options", row("proto", 1), shards=1)),
]


def in_pilosas_words(server: PilosaServer, index: str, pql: str) -> str:
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.post(f"/index/{index}/query", pql)
    assert refused.value.code == 400
    return json.loads(refused.value.read())["error"].removeprefix("executing: ")


@pytest.fixture(scope="module")
def asked(backend, pilosa_server: PilosaServer):
    """The same index in the backend, and in the Pilosa that is asked in text."""
    from indexing.backends import open_backend

    reference = open_backend(pilosa_server.url, None)  # type: ignore[arg-type]
    made = Bench(backend, "errors")
    for one in {id(backend): backend, id(reference): reference}.values():
        one.ensure_index("errors", FIELDS)
        one.import_batch("errors", bits(1, 0, 5, proto=[(1, 1)], length={1: 1}))
    yield made
    reference.close()


@pytest.mark.parametrize(("pql", "call"), BAD, ids=[pql for pql, _ in BAD])
def test_errors_are_worded_as_pilosa_words_them(asked: Bench, pilosa_server: PilosaServer, pql: str, call: Call) -> None:
    with pytest.raises(QueryError) as refused:
        asked.ask(call)
    assert str(refused.value) == in_pilosas_words(pilosa_server, "errors", pql)
    assert refused.value.status == 400


def test_an_unknown_index(asked: Bench, pilosa_server: PilosaServer) -> None:
    said = in_pilosas_words(pilosa_server, "nosuch", "Row(proto=1)")
    with pytest.raises(QueryError) as refused:
        asked.backend.query("nosuch", [row("proto", 1)])
    assert str(refused.value) == said
    with pytest.raises(QueryError, match=r"^index not found$"):
        asked.backend.rows_of_columns("nosuch", "proto", np.array([1], np.uint64))
    with pytest.raises(QueryError, match=r"^field not found$"):
        asked.backend.rows_of_columns("errors", "nosuch", np.array([1], np.uint64))


def test_one_bad_call_fails_the_request(asked: Bench) -> None:
    with pytest.raises(QueryError, match="field not found"):
        asked.backend.query("errors", [of("Count", row("proto", 1)), of("Count", row("nosuch", 1))])


def test_the_error_names_where_the_call_stands(asked: Bench) -> None:
    bad = row("nosuch", 1)
    bad.position = 17
    with pytest.raises(QueryError) as refused:
        asked.ask(of("Count", bad))
    assert refused.value.position == 17


@pytest.mark.parametrize("call", [of("Intersect"), of("Union", row("proto", 1), row("nosuch", 1))], ids=["Intersect", "Row"])
def test_errors_do_not_depend_on_shards_with_data(asked: Bench, call: Call) -> None:
    with pytest.raises(QueryError):
        asked.ask(of("Count", call), shards=[SHARD_WIDTH])
