"""POST /index/{index}/field/{field}/import: bits of set, mutex, bool and time fields."""

from __future__ import annotations

import pytest

from tests.proxy.pilosa_http.conftest import Answer
from tests.proxy.pilosa_http.messages import bits

OK = Answer(200, b"", None)
SHARD = 1 << 20
DAY = 86_400 * 10**9


def send(both, field, *given, parameters="", **more):
    path = f"/index/{both.index}/field/{field}/import{parameters}"
    return both.protobuf(path, bits(both.index, field, *given, **more))


def test_bits_by_id_in_several_shards_whatever_the_message_calls_its_shard(both):
    both.make({"s": {}})
    assert send(both, "s", [1, 300, 1, 1], [5, 5, SHARD, 5], shard=7) == OK
    assert both.exported("s") == ["1,5", "300,5"]
    assert both.exported("s", 1) == ["1,1048576"]
    assert both.exported("s", 2) == []


def test_clear_takes_bits_away(both):
    both.make({"s": {}})
    send(both, "s", [1, 2, 3], [5, 5, 5])
    assert send(both, "s", [2, 9], [5, 5], parameters="?clear=true") == OK
    assert both.exported("s") == ["1,5", "3,5"]
    assert send(both, "s", [1], [5], parameters="?clear=1") == OK  # which is not "true"
    assert both.exported("s") == ["1,5", "3,5"]


def test_keys_of_rows_and_columns_get_ids_in_the_order_that_they_are_first_seen_in(both):
    both.make({"k": {"keys": True}, "m": {"type": "mutex", "keys": True}}, keys=True)
    names = ["zeta", "é", "", 'q"t', "a,b", "zeta", "ß\n"]
    columns = ["c3", "c1", "c3", "c2", " c", "c2", "c1"]
    assert send(both, "k", names, columns) == OK
    assert send(both, "m", ["x", "y"], ["c9", "c1"]) == OK
    assert both.exported("m") == ["x,c9", "y,c1"]
    assert both.exported("k")[0] == "zeta,c3"


def test_keyed_rows_of_an_index_whose_columns_have_ids(both):
    both.make({"k": {"keys": True}})
    assert send(both, "k", ["a", "b"], [SHARD + 1, 2]) == OK
    assert both.exported("k") == ["b,2"]
    assert both.exported("k", 1) == ["a,1048577"]


@pytest.mark.parametrize("kind", ["mutex", "bool"])
def test_of_a_column_that_comes_twice_the_last_row_counts(both, kind):
    both.make({"f": {"type": kind}})
    assert send(both, "f", [1, 0, 1], [5, 5, 6]) == OK
    assert send(both, "f", [0, 1], [6, 7]) == OK
    assert both.exported("f") == ["0,5", "0,6", "1,7"]


def test_timestamps(both):
    both.make({"t": {"type": "time", "timeQuantum": "YMD"}})
    assert send(both, "t", [1, 2, 3], [5, 6, 7], [17532 * DAY, 0, 17533 * DAY + 5]) == OK  # 2018-01-01, none, 2018-01-02
    assert send(both, "t", [4, 5], [5, 6], [17532 * DAY]) == OK  # the second has none
    assert both.exported("t") == ["1,5", "2,6", "3,7", "4,5", "5,6"]
    for one in (both.ours, both.theirs):
        days = "".join(f"Rows(t, from=2018-01-0{day}T00:00, to=2018-01-0{day + 1}T00:00)" for day in (1, 2, 3))
        assert one.query(days) == [{"rows": [1, 4]}, {"rows": [3]}, {"rows": []}]


def test_more_columns_than_rows_are_passed_over(both):
    both.make({"s": {}})
    assert send(both, "s", [1], [5, 6, 7]) == OK
    assert both.exported("s") == ["1,5"]
    assert send(both, "s", [], [5]) == OK


def test_ids_are_taken_where_there_are_keys_if_the_client_says_so(both):
    both.make({"k": {"keys": True}}, keys=True)
    send(both, "k", ["a", "b"], ["x", "y"])
    assert send(both, "k", [2], [1], parameters="?ignoreKeyCheck=true") == OK
    assert both.exported("k") == ["a,x", "b,x", "b,y"]


def test_the_body_says_where_and_the_path_how_it_is_read(both):
    both.make({"s": {}, "u": {}, "i": {"type": "int"}})
    assert both.protobuf(f"/index/{both.index}/field/s/import", bits(both.index, "u", [1], [5])) == OK
    assert (both.exported("s"), both.exported("u")) == ([], ["1,5"])
    answer = both.protobuf(f"/index/{both.index}/field/i/import", bits(both.index, "u", [1], [5]))
    assert answer.status == 500


@pytest.mark.parametrize(
    ("field", "given", "parameters", "words"),
    [
        ("k", ([1], [5]), "", "row ids cannot be used because field uses string keys"),
        ("s", ([1], [5], [DAY]), "", "importing: time quantum not set in field"),
        ("t", ([1], [5], [DAY]), "?clear=true", "importing: import clear is not supported with timestamps"),
        ("b", ([2], [5]), "", "importing: bool field imports only support values 0 and 1"),
    ],
)
def test_what_is_refused_is_a_500_as_plain_text(both, field, given, parameters, words):
    both.make(
        {"s": {}, "k": {"keys": True}, "t": {"type": "time", "timeQuantum": "D"}, "b": {"type": "bool"}},
    )
    assert send(both, field, *given, parameters=parameters) == Answer(500, words.encode() + b"\n", "text/plain; charset=utf-8")


def test_ids_of_columns_that_have_keys_are_refused(both):
    both.make({"s": {}}, keys=True)
    answer = send(both, "s", [1], [5])
    assert answer == Answer(500, b"column ids cannot be used because index uses string keys\n", "text/plain; charset=utf-8")


def test_fewer_columns_than_rows_are_refused_where_pilosa_panics(both):
    both.make({"s": {}})
    body = bits(both.index, "s", [1, 2], [5])
    path = f"/index/{both.index}/field/s/import"
    assert both.theirs.protobuf(path, body).status == 500
    assert both.ours.protobuf(path, body) == Answer(500, b"importing: 2 rows and 1 columns\n", "text/plain; charset=utf-8")


def test_what_is_not_there_is_a_500(both):
    both.make({"s": {}})
    for path, body in [
        ("/index/zz/field/s/import", bits("zz", "s", [1], [5])),
        (f"/index/{both.index}/field/zz/import", bits(both.index, "s", [1], [5])),
        (f"/index/{both.index}/field/s/import", bits("zz", "s", [1], [5])),
        (f"/index/{both.index}/field/s/import", bits(both.index, "zz", [1], [5])),
    ]:
        answer = both.protobuf(path, body)
        assert (answer.status, b"not found" in answer.body) == (500, True)


@pytest.mark.parametrize("body", [b"\x0a\x05abc", b"\x80", b"\x22\x01\x80"])
def test_what_is_no_message_is_a_400(both, body):
    both.make({"s": {}, "i": {"type": "int"}})
    for field, name in (("s", b"ImportRequest"), ("i", b"ImportValueRequest")):
        path = f"/index/{both.index}/field/{field}/import"
        sent = body if field == "s" else body.replace(b"\x22", b"\x2a")
        answer = both.ours.protobuf(path, sent)
        assert (answer.status, answer.body) == (400, b"unmarshaling %b: unexpected EOF\n" % name)
        assert both.theirs.protobuf(path, sent).status == 400
