"""The layer tree: names, fields, meanings, and the bytes that each stands in."""

from __future__ import annotations

import dataclasses

import pytest

from capture.packets.layer import Layer, LayerField
from capture.packets.layers import layer_tree
from capture.packets.reading import read_batch
from capture.packets.scapy_dissector.linktypes import FIRST_HEADERS
from capture.packets.sources import open_capture
from tests.capture.packets.test_scapy_headers import IPV4_TCP, IPV6_UDP, MACS, TCP, WRAPPERS, hexed, ipv4, udp
from tests.components import SHARED
from tests.conftest import needs

VLAN_TCP = MACS + hexed("8100 0064 0800") + ipv4(6, TCP + b"\x01payload\xff")
DNS = hexed("1234 0100 0001 0000 0000 0000 07") + b"example" + hexed("00 0001 0001")


def tree(data: bytes, linktype: int = 1) -> list[Layer]:
    return layer_tree(data, linktype, len(data))


def field(layers: list[Layer], layer: str, name: str) -> LayerField:
    return next(f for found in layers if found.name == layer for f in found.fields if f.name == name)


def test_layers_lie_one_behind_the_other() -> None:
    layers = tree(VLAN_TCP)
    assert [(layer.name, layer.offset, layer.length) for layer in layers] == [
        ("Ethernet", 0, 14),
        ("802.1Q", 14, 4),
        ("IP", 18, 20),
        ("TCP", 38, 20),
        ("Payload", 58, 9),
    ]


@pytest.mark.parametrize(
    ("layer", "name", "value", "meaning", "offset", "length"),
    [
        ("Ethernet", "src", "00:00:5e:00:53:02", "", 6, 6),
        ("802.1Q", "vlan", "100", "", 14, 2),
        ("IP", "proto", "6", "tcp", 27, 1),
        ("IP", "ihl", "5", "20 bytes", 18, 1),
        ("IP", "src", "10.0.0.1", "", 30, 4),
        ("TCP", "dport", "80", "http", 40, 2),
        ("TCP", "flags", "18", "SYN, ACK", 50, 2),
        ("Payload", "bytes", "017061796c6f6164ff", "", 58, 9),
    ],
)
def test_field(layer: str, name: str, value: str, meaning: str, offset: int, length: int) -> None:
    assert field(tree(VLAN_TCP), layer, name) == LayerField(name, value, meaning, offset, length)


def test_inner_layers_are_shown_too() -> None:
    layers = tree(udp(4789, hexed("08000000 00000100") + MACS + hexed("0800") + IPV4_TCP), 101)
    assert [layer.name for layer in layers] == ["IP", "UDP", "VXLAN", "Ethernet", "IP", "TCP"]
    assert [layer.offset for layer in layers] == [0, 20, 28, 36, 50, 70]


def test_applications_are_shown() -> None:
    layers = tree(udp(53, DNS), 101)
    assert layers[-1].name == "DNS" and (layers[-1].offset, layers[-1].length) == (28, len(DNS))
    question = field(layers, "DNS", "qd[0].qname")
    assert question.value == "example." and question.offset == 40
    assert field(layers, "DNS", "qd[0].qtype").meaning == "A"


def test_padding_is_named() -> None:
    assert tree(MACS + hexed("0800") + IPV4_TCP + b"\0" * 6)[-1] == Layer(
        "Padding", "6 bytes", 54, 6, [LayerField("bytes", "000000000000", "", 54, 6)]
    )


def test_a_header_that_was_cut_is_undecoded_with_its_bytes() -> None:
    layers = tree(MACS + hexed("0800") + IPV4_TCP[:15])
    assert [(layer.name, layer.offset, layer.length) for layer in layers] == [("Ethernet", 0, 14), ("Undecoded", 14, 15)]


def test_a_link_type_nobody_knows_is_undecoded_whole() -> None:
    layers = tree(b"\1\2\3", 147)
    assert [(layer.name, layer.offset, layer.length) for layer in layers] == [("Undecoded", 0, 3)]


def test_no_bytes_no_layers() -> None:
    assert tree(b"", 147) == []


@pytest.mark.parametrize("name", WRAPPERS)
def test_every_link_type_leads_to_the_ip_header(name: str) -> None:
    linktype, head = WRAPPERS[name]
    layers = tree(head + IPV4_TCP, linktype)
    ip = next(layer for layer in layers if layer.name == "IP")
    assert (ip.offset, ip.length) == (len(head), 20)
    assert linktype in FIRST_HEADERS


def test_ipv6() -> None:
    layers = tree(IPV6_UDP, 229)
    assert [layer.name for layer in layers][:2] == ["IPv6", "UDP"]
    assert field(layers, "IPv6", "src") == LayerField("src", "2001:db8::1", "", 8, 16)


def test_json_is_plain() -> None:
    layer = tree(VLAN_TCP)[1]
    assert layer.to_json() == dataclasses.asdict(layer)
    assert layer.to_json()["fields"][0]["name"] == "prio"


def test_tls_records_are_shown_one_by_one() -> None:
    hello = hexed("16 0301 0006 01 000002 0303")
    layers = tree(ipv4(6, TCP + hello + hexed("14 0303 0001 01 17 0303 0040 aabb")), 101)
    assert [(layer.name, layer.offset, layer.length) for layer in layers[2:]] == [("TLS", 40, 11), ("TLS", 51, 6), ("TLS", 57, 7)]
    assert field(layers, "TLS", "handshake type").meaning == "client_hello"


def test_the_tree_of_every_packet_of_real_captures_lies_within_it(shared_packets: list[tuple[bytes, int]]) -> None:
    for data, linktype in shared_packets:
        layers = layer_tree(data, linktype, len(data))
        assert layers
        for layer in layers:
            assert 0 <= layer.offset <= layer.offset + layer.length <= len(data)
        assert max(layer.offset + layer.length for layer in layers) == len(data)


@pytest.fixture(scope="module")
def shared_packets() -> list[tuple[bytes, int]]:
    """Every 40th packet of the smaller captures."""
    needs("../shared")
    out = []
    for path in sorted((SHARED / "pcaps").glob("[flmtp]*/*.pcap")):
        if path.parent.name in ("formats", "malformed", "large"):
            continue
        with open_capture(path) as source:
            for scanned in source.scan(50_000):
                picked = scanned.locator[::40]
                batch = read_batch(path, picked)
                out += [(batch.packet(i), int(picked["linktype"][i])) for i in range(len(picked))]
    return [(data, linktype) for data, linktype in out if data]
