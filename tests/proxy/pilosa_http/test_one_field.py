"""/index/{index}/field/{field}: make and delete a field."""

from __future__ import annotations

import json

from indexing.client.tables import read
from tests.proxy.pilosa_http.conftest import Answer

GOOD = [
    "",
    "null",
    "{}",
    '{"options":null}',
    '{"options":{"type":"set"}}',
    '{"options":{"type":"set","keys":true,"cacheType":"lru","cacheSize":1000}}',
    '{"options":{"cacheType":"none"}}',
    '{"options":{"cacheType":"none","cacheSize":0}}',
    '{"options":{"cacheType":"none","cacheSize":9}}',
    '{"options":{"cacheType":"","cacheSize":0}}',
    '{"options":{"type":"mutex","keys":true}}',
    '{"options":{"type":"bool"}}',
    '{"options":{"type":"bool","noStandardView":true}}',
    '{"options":{"type":"int"}}',
    '{"options":{"type":"int","min":-5,"max":1000,"keys":true}}',
    '{"options":{"type":"int","min":100,"max":200}}',
    '{"options":{"type":"int","min":-200,"max":-100}}',
    '{"OPTIONS":{"MIN":1,"TYPE":"int"}}',
    '{"options":{"type":"time","timeQuantum":"YMDH","keys":true,"noStandardView":true}}',
    '{"options":{"type":"time","timeQuantum":""}}',
    '{"options":{"keys":null,"type":null,"min":null}}',
]
BAD = [
    (500, '{"foo":1}'),
    (500, '{"options":{"foo":1}}'),
    (500, '{"options":5}'),
    (500, '{"options":[]}'),
    (500, "[]"),
    (500, "5"),
    (500, '"a"'),
    (500, "{"),
    (500, "x"),
    (500, '{"options":{"type":"int","min":"x"}}'),
    (500, '{"options":{"type":"int","min":1.5}}'),
    (500, '{"options":{"type":"int","min":1e3}}'),
    (500, '{"options":{"type":"int","min":99999999999999999999}}'),
    (500, '{"options":{"cacheSize":5000000000}}'),
    (500, '{"options":{"cacheSize":-1}}'),
    (500, '{"options":{"type":5}}'),
    (500, '{"options":{"keys":"a"}}'),
    (500, '{"options":{"noStandardView":"x"}}'),
    (500, '{"options":{"timeQuantum":5}}'),
    (500, '{"options":{"cacheType":{}}}'),
    (500, '{"options":{"type":"bogus"}}'),
    (500, '{"options":{"cacheType":"bogus"}}'),
    (400, '{"options":{"type":"int","cacheType":"ranked"}}'),
    (400, '{"options":{"type":"int","cacheSize":1}}'),
    (400, '{"options":{"type":"int","timeQuantum":"Y"}}'),
    (400, '{"options":{"type":"set","max":2,"min":1}}'),
    (400, '{"options":{"timeQuantum":"Y"}}'),
    (400, '{"options":{"type":"mutex","max":1}}'),
    (400, '{"options":{"type":"time","min":2}}'),
    (400, '{"options":{"type":"time"}}'),
    (400, '{"options":{"type":"bool","keys":false}}'),
    (400, '{"options":{"type":"bool","cacheType":"none"}}'),
    (400, '{"options":{"type":"int","min":5,"max":1}}'),
    (400, '{"options":{"type":"time","timeQuantum":"X"}}'),
    (400, '{"options":{"type":"time","timeQuantum":"YD"}}'),
]


def test_fields_are_made_with_options_and_shown_with_them(both):
    both.make()
    for number, body in enumerate(GOOD):
        answer = both.ask("POST", f"/index/{both.index}/field/f{number}", body)
        assert answer == Answer(200, b'{"success":true}\n', "text/plain; charset=utf-8"), body
    assert len(json.loads(both.ask("GET", f"/index/{both.index}").body)["fields"]) == len(GOOD)


def test_every_bad_body_is_refused_in_pilosas_words(both):
    both.make()
    for status, body in BAD:
        assert both.ask("POST", f"/index/{both.index}/field/f", body).status == status, body
    index = read(both.index)
    assert index is not None
    assert not index.fields


def test_fields_are_shown_by_name(both):
    both.make({"b": {}, "a-b": {}, "a_b": {}, "a": {"type": "int"}, "exists": {}})
    shown = json.loads(both.ask("GET", f"/index/{both.index}").body)["fields"]
    assert [field["name"] for field in shown] == ["a", "a-b", "a_b", "b", "exists"]


def test_one_that_is_there_is_a_conflict(both):
    both.make({"f": {}})
    answer = both.ask("POST", f"/index/{both.index}/field/f", '{"options":{"type":"int"}}')
    assert (answer.status, b"creating field: field already exists" in answer.body) == (409, True)


def test_of_an_index_that_is_not_there(both):
    for method in ("POST", "DELETE"):
        answer = both.ask(method, "/index/zz/field/f")
        assert answer == Answer(404, b'{"success":false,"error":{"message":"index not found"}}\n', "text/plain; charset=utf-8")


def test_a_bad_name_is_a_500(both):
    both.make()
    for name in ("F", "1", "_exists", "_columns", "a.b", "%C3%A9", "a" * 65):
        answer = both.ask("POST", f"/index/{both.index}/field/{name}")
        assert (answer.status, b"creating field: validating name: '" in answer.body) == (500, True)


def test_it_is_deleted(both):
    both.make({"f": {}, "g": {}})
    assert both.ask("DELETE", f"/index/{both.index}/field/f").body == b'{"success":true}\n'
    answer = both.ask("DELETE", f"/index/{both.index}/field/f")
    assert (answer.status, b"deleting field: field not found" in answer.body) == (404, True)
    assert [field["name"] for field in json.loads(both.ask("GET", f"/index/{both.index}").body)["fields"]] == ["g"]


def test_deleting_the_existence_field_ends_the_tracking_of_what_exists(both):
    both.make()
    assert both.ask("DELETE", f"/index/{both.index}/field/_exists").status == 200
    assert b'"trackExistence":false' in both.ask("GET", f"/index/{both.index}").body
    assert both.ask("DELETE", f"/index/{both.index}/field/_exists").status == 404
