"""GET and POST /schema, GET /index: the whole schema."""

from __future__ import annotations

import json

import pytest

from indexing.client.tables import read, read_all
from tests.proxy.pilosa_http.conftest import Answer

FIELDS = {
    "s": {"type": "set", "cacheType": "lru", "cacheSize": 1000},
    "k": {"keys": True},
    "i": {"type": "int", "min": 100, "max": 200},
    "t": {"type": "time", "timeQuantum": "MD", "noStandardView": True},
    "m": {"type": "mutex"},
    "b": {"type": "bool"},
}


def shown(product, path="/schema"):
    answer = product.ask("GET", path)
    assert (answer.status, answer.type) == (200, "text/plain; charset=utf-8")
    return answer.body


def test_indexes_stand_by_name_among_those_of_packets(both):
    index = both.make(FIELDS, keys=True)
    theirs = json.loads(shown(both.theirs))["indexes"]
    ours = json.loads(shown(both.ours))["indexes"]
    assert [one for one in ours if one["name"] != "net"] == theirs
    assert [one["name"] for one in ours] == sorted([index, "net"])
    assert shown(both.ours, "/index") == shown(both.ours)


def test_a_schema_moves_from_one_to_the_other_and_back(both):
    both.theirs.make(FIELDS, trackExistence=False)
    schema = shown(both.theirs)
    assert both.ours.ask("POST", "/schema", schema) == Answer(204, b"", None)
    assert both.ours.ask("GET", f"/index/{both.index}") == both.theirs.ask("GET", f"/index/{both.index}")
    whole = shown(both.ours)
    assert both.ours.ask("POST", "/schema", whole).status == 204  # with the packet indexes in it, which are there
    assert shown(both.ours) == whole
    assert both.theirs.ask("DELETE", f"/index/{both.index}").status == 200
    assert both.theirs.ask("POST", "/schema", whole).status == 204
    assert both.theirs.ask("GET", f"/index/{both.index}") == both.ours.ask("GET", f"/index/{both.index}")
    both.theirs.ask("DELETE", "/index/net")


def test_what_is_there_stays_and_what_is_missing_is_made(both):
    both.make({"f": {"type": "int", "min": 1, "max": 2}})
    more = {"f": {"type": "set", "cacheType": "ranked", "cacheSize": 9}, "g": {"type": "int"}}
    fields = [{"name": name, "options": options} for name, options in more.items()]
    both.ask("POST", "/schema", json.dumps({"indexes": [{"name": both.index, "options": {"keys": True}, "fields": fields}]}))
    fields = json.loads(both.ask("GET", f"/index/{both.index}").body)["fields"]
    assert [(field["options"]["type"], field["options"]["min"], field["options"]["max"]) for field in fields] == [
        ("int", 1, 2),
        ("int", 0, 0),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "x",
        "[]",
        '{"indexes":5}',
        '{"indexes":[5]}',
        '{"indexes":[{"name":5}]}',
        '{"indexes":[{"name":"z","options":{"keys":5}}]}',
        '{"indexes":[{"name":"z","fields":[{"name":"h","options":{"min":"bogus"}}]}]}',
    ],
)
def test_what_is_no_schema_is_a_400(both, body):
    answer = both.ask("POST", "/schema", body)
    assert answer.status == 400
    assert answer.body.startswith(b"decoding request as JSON Pilosa schema: ")


@pytest.mark.parametrize("body", ["{}", "null", '{"indexes":null}', '{"indexes":[]}', '{"foo":1}'])
def test_an_empty_schema_changes_nothing(both, body):
    assert both.ask("POST", "/schema", body) == Answer(204, b"", None)


@pytest.mark.parametrize(
    "index",
    [
        {"name": "I"},
        {"name": "z", "fields": [{"name": "F", "options": {"type": "bool"}}]},
        {"name": "z", "fields": [{"name": "f", "options": {"type": "bogus"}}]},
        {"name": "z", "fields": [{"name": "f", "options": {}}]},
        {"name": "z", "fields": [{"name": "f", "options": {"type": "set", "cacheType": "bogus"}}]},
        {"name": "z", "fields": [{"name": "f", "options": {"type": "time", "timeQuantum": "bogus"}}]},
        {"name": "z", "fields": [{"name": "f", "options": {"type": "int", "min": 2, "max": 1}}]},
    ],
)
def test_what_cannot_be_made_is_a_400_and_not_made(product, index):
    answer = product.ask("POST", "/schema", json.dumps({"indexes": [index]}))
    assert (answer.status, answer.type) == (400, "text/plain; charset=utf-8")
    assert answer.body.startswith(b"apply schema to Pilosa: ")
    assert read_all() == []


def test_the_schema_of_an_index_is_read_in_one_statement(product, django_assert_num_queries):
    index = product.make(FIELDS)
    with django_assert_num_queries(1):
        known = read(index)
    assert known is not None
    assert list(known.fields) == sorted(FIELDS)
    with django_assert_num_queries(1):
        assert read("zz") is None
