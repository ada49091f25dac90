"""Random bytes on every link type: no packet may raise, hang, or give what is no field value."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.layers import layer_tree
from capture.packets.scapy_dissector.linktypes import FIRST_HEADERS
from capture.packets.scapy_dissector.packet import dissect_packet
from tests.capture.packets.test_scapy_headers import IPV4_TCP, IPV6_UDP, WRAPPERS

LINKTYPES = [*FIRST_HEADERS, 147, 195, 227, 65535]
STARTS = [b"", *(head for _, head in WRAPPERS.values()), IPV4_TCP, IPV6_UDP]


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(LINKTYPES), st.sampled_from(STARTS), st.binary(max_size=300), st.integers(0, 2000))
def test_any_bytes_are_dissected(linktype: int, start: bytes, rest: bytes, wire: int) -> None:
    found = dissect_packet(start + rest, linktype, wire)
    assert found.error is None or found.error in DECODE_ERRORS
    assert found.transsrc is None or 0 <= found.transsrc <= 65535


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(WRAPPERS)), st.data())
def test_a_damaged_packet_is_dissected(name: str, data: st.DataObject) -> None:
    linktype, head = WRAPPERS[name]
    packet = bytearray(head + IPV4_TCP + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    found = dissect_packet(bytes(packet), linktype, len(packet))
    assert found.error is None or found.error in DECODE_ERRORS


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(LINKTYPES), st.sampled_from(STARTS), st.binary(max_size=300))
def test_any_bytes_have_a_layer_tree_within_the_packet(linktype: int, start: bytes, rest: bytes) -> None:
    data = start + rest
    for layer in layer_tree(data, linktype, len(data)):
        assert 0 <= layer.offset <= layer.offset + layer.length <= len(data)
        for field in layer.fields:
            assert 0 <= field.offset <= field.offset + field.length <= len(data)
            assert isinstance(field.value, str) and isinstance(field.meaning, str)
