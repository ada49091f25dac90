"""POST .../import-roaring/{shard}: roaring bytes, Pilosa's and the official form."""

from __future__ import annotations

import numpy as np
import pyroaring
import pytest

from indexing.roaring import encode_bits
from tests.proxy.pilosa_http.conftest import Answer
from tests.proxy.pilosa_http.messages import blob, roaring

OK = Answer(200, b"", None)
SHARD = 1 << 20


def pilosas(*bits: tuple[int, int]) -> bytes:
    """Bits (row, column in the shard) in Pilosa's form."""
    rows, columns = (np.array(some, np.uint64) for some in zip(*bits, strict=True))
    return encode_bits(rows, columns)


def official(*bits: tuple[int, int]) -> bytes:
    return pyroaring.BitMap([row * SHARD + column for row, column in bits]).serialize()


def send(both, field, body, shard="0", parameters=""):
    return both.protobuf(f"/index/{both.index}/field/{field}/import-roaring/{shard}{parameters}", body)


@pytest.mark.parametrize("form", [pilosas, official])
def test_bits_of_a_set_field_in_either_form(both, form):
    both.make({"s": {}})
    assert send(both, "s", roaring({"": form((1, 5), (1, 1048575), (2, 7), (300, 9))}), "2", "?clear=false&remote=false") == OK
    assert both.exported("s", 2) == [f"1,{2 * SHARD + 5}", f"1,{3 * SHARD - 1}", f"2,{2 * SHARD + 7}", f"300,{2 * SHARD + 9}"]
    assert both.exported("s") == []


def test_the_message_says_whether_to_clear_and_not_the_path(both):
    both.make({"s": {}})
    send(both, "s", roaring({"": pilosas((1, 5), (1, 6))}))
    assert send(both, "s", roaring({"": pilosas((1, 5))}), parameters="?clear=true") == OK
    assert both.exported("s") == ["1,5", "1,6"]
    assert send(both, "s", roaring({"": pilosas((1, 5))}, clear=True)) == OK
    assert both.exported("s") == ["1,6"]


def test_time_views(product):
    product.make({"t": {"type": "time", "timeQuantum": "YM"}})
    assert send(product, "t", roaring({"": pilosas((1, 5), (1, 6)), "2018": pilosas((1, 5)), "201801": pilosas((1, 5))})) == OK
    assert product.exported("t") == ["1,5", "1,6"]
    assert product.query("Row(t=1, from=2018-01-01T00:00, to=2018-02-01T00:00)")[0]["columns"] == [5]


def test_existence_is_not_touched(product):
    product.make({"s": {}})
    send(product, "s", roaring({"": pilosas((1, 5))}))
    assert product.query("Not(Row(s=9)) Count(Row(s=1))") == [{"attrs": {}, "columns": []}, 1]


def test_ids_go_to_a_keyed_field_as_they_are(both):
    both.make({"k": {"keys": True}})
    both.protobuf("/internal/translate/keys", blob(1, both.index.encode()) + blob(2, b"k") + blob(3, b"tcp"))
    assert send(both, "k", roaring({"": pilosas((1, 5))})) == OK
    assert both.exported("k") == ["tcp,5"]


def response(words: bytes) -> bytes:
    return blob(1, words)


@pytest.mark.parametrize("kind", ["int", "mutex", "bool"])
def test_other_types_are_a_400(both, kind):
    both.make({"f": {"type": kind}})
    answer = send(both, "f", roaring({"": pilosas((1, 5))}))
    assert (answer.status, answer.body) == (400, response(b"roaring import is only supported for set and time fields"))


def test_what_is_not_there_is_a_500(both):
    both.make({"s": {}})
    for field, index in (("zz", both.index), ("s", "zz")):
        answer = both.protobuf(f"/index/{index}/field/{field}/import-roaring/0", roaring({"": pilosas((1, 5))}))
        assert (answer.status, answer.body) == (500, response(b"field not found"))


def test_an_empty_view_is_a_500(both):
    both.make({"s": {}, "t": {"type": "time", "timeQuantum": "Y"}})
    assert send(both, "s", roaring({"": b""})).body == response(b"no data to import for view: standard")
    assert send(both, "t", roaring({"2018": b""})).body == response(b"no data to import for view: standard_2018")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x01\x02\x03", id="three bytes"),
        pytest.param(b"\x01\x02\x03\x04\x05\x06\x07\x08\x09", id="another magic number"),
        pytest.param(b"<0\x00\x00\x05\x00\x00\x00" + bytes(52), id="fewer containers than it says"),
    ],
)
def test_what_is_not_roaring_is_a_500(both, content):
    both.make({"s": {}})
    assert send(both, "s", roaring({"": content})).status == 500
    assert both.exported("s") == []


@pytest.mark.parametrize(("field", "view"), [("s", "2018"), ("t", "201801"), ("t", "x"), ("t", "bsig_i")])
def test_a_view_that_the_field_cannot_have_is_refused_where_pilosa_keeps_what_nobody_reads(product, field, view):
    product.make({"s": {}, "t": {"type": "time", "timeQuantum": "Y"}})
    answer = send(product, field, roaring({view: pilosas((1, 5))}))
    assert (answer.status, f"cannot have the view '{view}'" in answer.body.decode()) == (500, True)


def test_a_bad_shard_and_a_bad_message_are_a_400(both):
    both.make({"s": {}})
    for shard in ("x", "-1", "18446744073709551616", "9" * 5000):
        answer = send(both, "s", roaring({"": pilosas((1, 5))}), shard)
        assert answer == Answer(400, b"shard should be an unsigned integer\n", "text/plain; charset=utf-8")
    answer = send(both, "s", pilosas((1, 5)))  # there is no raw form
    assert answer.status == 400
    assert send(both, "s", b"") == OK
