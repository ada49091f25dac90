"""The layer tree inside of TLS: records, handshake messages, hellos field by field, each with its place."""

from __future__ import annotations

from capture.packets.layer import Layer, LayerField
from capture.packets.layers import layer_tree
from tests.capture.packets.applications.tls_making import (
    alpn,
    client_hello,
    extension,
    groups,
    message,
    record,
    server_hello,
    server_name,
    versions,
    words,
)  # fmt: skip
from tests.capture.packets.test_scapy_headers import TCP, ipv4

HELLO = client_hello(
    extension(0x2A2A),
    server_name(b"example.com"),
    alpn(b"h2", b"\xff"),
    versions(0x1A1A, 0x0304),
    groups(29, 23),
    extension(1234, b"\1"),
)
AT = 40  # where the payload begins


def tls(payload: bytes) -> list[Layer]:
    packet = ipv4(6, TCP + payload)
    return [layer for layer in layer_tree(packet, 101, len(packet)) if layer.name == "TLS"]


def shown(layer: Layer) -> dict[str, str]:
    return {field.name: field.value for field in layer.fields}


def test_a_client_hello_field_by_field() -> None:
    [layer] = tls(record(HELLO))
    fields = shown(layer)
    assert fields["legacy version"] == "0x0303"
    assert fields["random"] == bytes(range(32)).hex()
    assert fields["cipher suites"] == "1301"
    assert fields["extension server_name"] == "example.com"
    assert fields["extension application_layer_protocol_negotiation"] == "h2, \\xff"
    assert fields["extension supported_groups"] == "001d 0017"
    assert fields["extension 1234"] == "01"
    assert fields["extension GREASE"] == ""
    assert fields["JA4"].startswith("t13d0105h2_")
    assert LayerField("handshake type", "1", "client_hello", AT + 5, 1) in layer.fields
    offered = next(field for field in layer.fields if field.name == "extension supported_versions")
    assert (offered.value, offered.meaning) == ("1a1a 0304", "GREASE, TLS 1.3")


def test_fields_stand_where_their_bytes_are() -> None:
    packet = ipv4(6, TCP + record(HELLO))
    [layer] = [layer for layer in layer_tree(packet, 101, len(packet)) if layer.name == "TLS"]
    [name] = [field for field in layer.fields if field.name == "extension server_name"]
    assert packet[name.offset : name.offset + name.length] == server_name(b"example.com")
    [random] = [field for field in layer.fields if field.name == "random"]
    assert packet[random.offset : random.offset + random.length] == bytes(range(32))


def test_a_server_hello() -> None:
    [layer] = tls(record(server_hello(extension(43, words(0x0304)), cipher=0x1302)))
    assert shown(layer)["cipher suite"] == "0x1302"
    [chosen] = [field for field in layer.fields if field.name == "extension supported_versions"]
    assert (chosen.value, chosen.meaning) == ("0304", "TLS 1.3")


def test_each_message_of_a_record() -> None:
    [layer] = tls(record(server_hello() + message(11, b"certificate") + message(14, b"")))
    types = [field.meaning for field in layer.fields if field.name == "handshake type"]
    assert types == ["server_hello", "certificate", "server_hello_done"]


def test_encrypted_messages_are_bytes() -> None:
    layers = tls(record(b"\1", 20) + record(message(20, b"x" * 36)))
    assert "handshake type" not in shown(layers[1])
    assert shown(layers[1])["fragment"] == "40 bytes"


def test_a_hello_that_is_cut_shows_what_is_there() -> None:
    whole = record(HELLO)
    for size in range(5, len(whole)):
        packet = ipv4(6, TCP + whole[:size])
        for layer in layer_tree(packet, 101, len(packet)):
            for field in layer.fields:
                assert 0 <= field.offset <= field.offset + field.length <= len(packet)
    behind = whole.index(b"example.com") + len(b"example.com")
    [layer] = tls(whole[:behind])
    assert shown(layer)["extension server_name"] == "example.com"
    assert "JA4" not in shown(layer)
