"""No field of the registry is forgotten: of each there is a packet that has it."""

from __future__ import annotations

from capture.packets import applications
from capture.packets.declarations import deeper, link, network, transport
from capture.packets.registry import FIELDS
from tests.capture.packets.asking import texts
from tests.capture.packets.test_scapy_deeper_fields import UNREACHABLE, UNREACHABLE6
from tests.capture.packets.test_scapy_headers import HTTP, IPV4_TCP, IPV6_UDP, MACS, TCP, hexed, ipv4, ipv6, udp
from tests.capture.packets.test_scapy_link_fields import REQUEST
from tests.capture.packets.test_scapy_transport_fields import sctp, tcp

PACKETS = (
    (1, MACS + hexed("88a8 0001 8100 0002 8847 00064140") + IPV4_TCP),
    (1, MACS + hexed("0806") + REQUEST),
    (113, hexed("0004 0001 0006 00005e005301 0000 0800") + ipv4(6, TCP + HTTP)),
    (101, tcp("020405b4 03030700", HTTP, flags="02")),
    (101, ipv4(17, b"", flags=0x2000)),
    (101, ipv4(4, IPV4_TCP)),
    (101, ipv4(1, UNREACHABLE + IPV4_TCP)),
    (101, ipv6(0, hexed("3a00 010400000000") + UNREACHABLE6 + IPV6_UDP)),
    (101, sctp("0b000004")),
    (101, udp(123, b"\x23" + b"\0" * 47)),
    (101, udp(4789, b"\0" * 30)),
    (1, MACS),
)


def test_every_field_of_headers_is_had() -> None:
    found = set().union(*(texts(packet, linktype) for linktype, packet in PACKETS))
    headers = (*deeper.FIELDS, *link.FIELDS, *network.PICAP, *network.FIELDS, *transport.PICAP, *transport.FIELDS)
    assert {field.name for field in headers} <= found
    assert {"protocols", "direction", "error", "appproto", "appproto-port"} <= found <= set(FIELDS)


def test_fields_of_applications_come_from_any_level() -> None:
    request = b"GET /path HTTP/1.1\r\nHost: one\r\nUser-Agent: two\r\n\r\n"
    names = ("http-method", "http-path", "http-hostname", "http-useragent")
    for packet in (
        ipv4(6, TCP + request),
        ipv4(4, ipv4(6, TCP + request)),
        udp(2152, hexed("30ff 0000 00000001") + ipv4(6, TCP + request)),
    ):
        found = texts(packet)
        assert [found[name] for name in names] == [{"GET"}, {"/path"}, {"one"}, {"two"}]


def test_every_application_field_is_what_its_reader_gives() -> None:
    payload = b"\x23" + b"\0" * 47
    found = texts(udp(123, payload))
    for name, value in applications.values("NTP", payload, "udp", 40000, 123):
        assert str(value) in found[name]
    assert found["appproto"] == {"NTP"} and {"ntp", "udp"} <= found["protocols"]
