"""/index/{index}: make, show and delete an index."""

from __future__ import annotations

import pytest

from indexing.client.tables import read
from tests.proxy.pilosa_http.conftest import Answer


@pytest.mark.parametrize(
    "body", ["", "  ", "null", "{}", '{"options":{}}', '{"options":{"keys":true,"trackExistence":false}} behind']
)
def test_it_is_made_with_options_and_shown_with_them(both, body):
    assert both.ask("POST", f"/index/{both.index}", body) == Answer(200, b'{"success":true}\n', "text/plain; charset=utf-8")
    shown = both.ask("GET", f"/index/{both.index}")
    assert shown.body.startswith(b'{"name":"%b","options":{"keys":' % both.index.encode())
    assert b'"fields":null,"shardWidth":1048576' in shown.body


def test_one_that_is_there_is_a_conflict(both):
    both.make()
    answer = both.ask("POST", f"/index/{both.index}", '{"options":{"keys":true}}')
    assert answer.status == 409
    assert b"creating index: index already exists" in answer.body


def test_a_bad_name_is_a_500(both):
    for name in ("I", "1a", "_a", "a.b", "%C3%A9", "a" * 65, "%3Ca%3E", "a%20b"):
        answer = both.ask("POST", f"/index/{name}")
        assert (answer.status, b"creating index: creating: validating name: '" in answer.body) == (500, True), name


BAD = [
    '{"options":{"keys":"x"}}',
    '{"options":{"trackExistence":1}}',
    '{"foo":1}',
    '{"foo":123456.5}',
    '{"foo":1000000}',
    '{"foo":-0.00001}',
    '{"foo":"<é>"}',
    '{"options":{"foo":{"b":1,"a":[1,null,"b",1.5,true]}}}',
    '{"options":null}',
    '{"options":5}',
    "[]",
    '"a"',
    "x",
    "'a'",
    "{",
    '{"options":',
    '{"options":{"keys":true,}}',
    '{"options" 5}',
    '{"a":1 "b":2}',
    '{"a":[1 2]}',
    "[1,]",
    "tru",
    "nul}",
    "NaN",
    "-x",
    "-",
    '{"a":"\\q"}',
    '{"a":"\\u12G4"}',
    '{"a":"x\ny"}',
    '{"options":{"type":"a',
]


def test_a_bad_body_is_a_500_in_gos_words(both):
    for body in BAD:
        assert both.ask("POST", f"/index/{both.index}", body).status == 500, body
    assert read(both.index) is None


def test_it_is_deleted(both):
    both.make({"f": {}})
    assert both.ask("DELETE", f"/index/{both.index}").body == b'{"success":true}\n'
    assert both.ask("GET", f"/index/{both.index}") == Answer(
        404, b"Index %b Not Found\n" % both.index.encode(), "text/plain; charset=utf-8"
    )
    gone = both.ask("DELETE", f"/index/{both.index}")
    assert gone.status == 404
    assert b"deleting index: index not found" in gone.body


@pytest.mark.parametrize("name", ["net_-g7", "mine_-c", "mine_-h0123456789abcdc"])
def test_names_under_which_a_cluster_keeps_what_is_ours_are_refused(product, name):
    answer = product.ask("POST", f"/index/{name}")
    assert answer.status == 500
    assert b"picapweb keeps names like this for itself" in answer.body
