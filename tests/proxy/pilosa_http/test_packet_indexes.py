"""Packet indexes in Pilosa's API: in the schema as keyed fields, and not to be changed from outside."""

from __future__ import annotations

import json

import numpy as np
import pytest

from capture.packets.registry import FIELDS
from capture.services.errors import Refused
from indexing import store
from indexing.models import PacketIndex
from proxy.protobuf.wire import numbers, text
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/nfstream__http_ipv6.pcap"
CLOSED = "holds packets"


@pytest.fixture
def packets(product, shared):
    """The name of a packet index, with a capture in it. (On Pilosa, other tests use `net`.)"""
    run_job(shared / CAPTURE, index=f"p{product.index}")
    return f"p{product.index}"


def error_of(answer):
    return json.loads(answer.body)["error"]["message"]


def test_the_default_index_is_shown_before_its_first_packet(product):
    shown = json.loads(product.ask("GET", "/index/net").body)
    assert shown == json.loads(product.ask("GET", "/schema").body)["indexes"][0]
    assert shown["options"] == {"keys": False, "trackExistence": True}
    fields = {field["name"]: field["options"] for field in shown["fields"]}
    assert list(fields) == sorted(FIELDS)
    assert fields["netsrc"] == {"type": "set", "cacheType": "ranked", "cacheSize": 1048576, "keys": True}
    length = FIELDS["length"]
    bits = length.maximum.bit_length()
    assert fields["length"] == {
        "type": "int", "base": 0, "bitDepth": bits, "min": length.minimum, "max": length.maximum, "keys": False
    }  # fmt: skip


def test_others_are_shown_and_neither_system_fields_nor_generations(product, packets):
    indexes = json.loads(product.ask("GET", "/schema").body)["indexes"]
    assert [index["name"] for index in indexes] == ["net", packets]
    assert "access" not in {field["name"] for index in indexes for field in index["fields"]}
    columns = PacketIndex.objects.get(name=packets).next_column
    assert json.loads(product.ask("GET", "/internal/shards/max").body) == {"standard": {"net": 0, packets: (columns - 1) >> 20}}


def test_they_are_there_already_for_who_makes_them(product):
    answer = product.ask("POST", "/index/net")
    assert (answer.status, error_of(answer)) == (409, "creating index: index already exists")
    answer = product.ask("POST", "/index/net/field/netsrc", '{"options":{"keys":true}}')
    assert (answer.status, error_of(answer)) == (409, "creating field: field already exists")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", ""),
        ("DELETE", "/field/netsrc"),
        ("DELETE", "/field/access"),
        ("DELETE", "/field/_exists"),
        ("POST", "/field/mine"),
        ("POST", "/field/access"),
    ],
)
def test_their_schema_cannot_be_changed(product, packets, method, path):
    before = product.ask("GET", "/schema"), product.query('Count(Row(netproto="IPv6"))', packets)
    assert before[1] != [0]
    answer = product.ask(method, f"/index/{packets}{path}")
    assert (answer.status, CLOSED in error_of(answer)) == (403, True)
    assert (product.ask("GET", "/schema"), product.query('Count(Row(netproto="IPv6"))', packets)) == before


def test_a_new_field_of_them_in_a_posted_schema_is_refused(product):
    fields = [{"name": "mine", "options": {"type": "bool"}}]
    answer = product.ask("POST", "/schema", json.dumps({"indexes": [{"name": "net", "fields": fields}]}))
    assert (answer.status, CLOSED in answer.body.decode()) == (400, True)


@pytest.mark.parametrize("writes", [False, True])
def test_nothing_is_imported_to_them_with_whatever_right(product, packets, settings, writes):
    settings.PACKET_WRITES = writes
    index = product.make({"s": {}})
    before = product.query('Row(netproto="IPv6") Sum(field=length)', packets)
    one = np.array([0], np.uint64)
    to_packets = text(1, packets) + text(2, "netproto") + numbers(4, one) + numbers(5, one)
    values = text(1, packets) + text(2, "length") + numbers(5, one) + numbers(6, one)
    for path, body in [
        (f"/index/{packets}/field/netproto/import", to_packets),
        (f"/index/{index}/field/s/import", to_packets),  # the body says where
        (f"/index/{packets}/field/length/import", values),
        (f"/index/{packets}/field/netproto/import-roaring/0", text(1, "")),
        (f"/index/{packets}/field/access/import-roaring/0", text(1, "")),
    ]:
        answer = product.protobuf(path, body)
        assert (answer.status, CLOSED in answer.body.decode()) == (403, True), path
    assert product.query('Row(netproto="IPv6") Sum(field=length)', packets) == before


def test_their_keys_are_not_made_from_outside(product):
    answer = product.protobuf("/internal/translate/keys", text(1, "net") + text(2, "netsrc") + text(3, "10.0.0.1"))
    assert (answer.status, CLOSED in answer.body.decode()) == (403, True)


def test_their_export_points_to_ours(product):
    answer = product.ask("GET", "/export?index=net&field=netsrc&shard=0", Accept="text/csv")
    assert (answer.status, b"/packets/export" in answer.body) == (403, True)


def test_no_capture_writes_to_a_client_index(product, shared):
    index = product.make({"s": {}})
    with pytest.raises(Refused, match=f"index {index} was made by a client of Pilosa"):
        run_job(shared / CAPTURE, index=index)
    assert not PacketIndex.objects.filter(name=index).exists()
    assert index not in store.backend().indexes()
