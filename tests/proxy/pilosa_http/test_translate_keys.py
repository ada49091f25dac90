"""POST /internal/translate/keys: ids of keys, made where there are none."""

from __future__ import annotations

from tests.proxy.pilosa_http.messages import bits, packed, translate

PATH = "/internal/translate/keys"


def test_ids_are_dense_from_1_up_one_sequence_a_field_and_one_of_columns(both):
    both.make({"k": {"keys": True}, "s": {}}, keys=True)
    answer = both.protobuf(PATH, translate(both.index, "k", ["b", "a", "b", "é", ""]))
    assert (answer.status, answer.body) == (200, packed(3, [1, 2, 1, 3, 4]))
    assert both.protobuf(PATH, translate(both.index, "k", ["x", "a"])).body == packed(3, [5, 2])
    assert both.protobuf(PATH, translate(both.index, "", ["c1", "c2", "c1"])).body == packed(3, [1, 2, 1])
    assert both.protobuf(PATH, translate(both.index, "s", ["also without keys"])).body == packed(3, [1])
    assert both.protobuf(PATH, translate(both.index, "k", [])).body == b""


def test_they_are_the_ids_of_imports(both):
    both.make({"k": {"keys": True}}, keys=True)
    body = bits(both.index, "k", ["second", "third"], ["c2", "c1"])
    both.protobuf(PATH, translate(both.index, "k", ["first"]))
    assert both.protobuf(f"/index/{both.index}/field/k/import", body).status == 200
    assert both.protobuf(PATH, translate(both.index, "k", ["third", "second", "first"])).body == packed(3, [3, 2, 1])
    assert both.protobuf(PATH, translate(both.index, "", ["c1", "c2"])).body == packed(3, [2, 1])


def test_what_is_no_message_is_a_500(both):
    answer = both.ours.protobuf(PATH, b"\x0a\x05abc")
    assert answer.body == b"translate keys: unmarshal body error: unmarshaling TranslateKeysRequest: unexpected EOF\n"
    assert answer.status == both.theirs.protobuf(PATH, b"\x0a\x05abc").status == 500


def test_of_what_is_not_there_no_keys_are_kept(product):
    product.make()
    assert product.protobuf(PATH, translate("zz", "k", ["a"])).body == b"translate keys: index not found\n"
    assert product.protobuf(PATH, translate(product.index, "k", ["a"])).body == b"translate keys: field not found\n"
