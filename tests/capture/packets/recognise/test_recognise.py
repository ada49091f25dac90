"""Application protocols by content; a port alone names nothing but itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.packets.recognise import Transport, name_of_port, recognise

hexed = bytes.fromhex
DNS_QUERY = hexed("1234 0100 0001 0000 0000 0000 01 61 00 0001 0001")
DNS_ANSWER = hexed("1234 8180 0001 0001 0000 0000 01 61 00 0001 0001 c00c 0001 0001 00000001 0004 0a000001")

CASES: list[tuple[str, Transport, int, bytes]] = [
    ("DNS", "udp", 53, DNS_QUERY),
    ("DNS", "udp", 9999, DNS_ANSWER),
    ("DNS", "udp", 5353, hexed("0000 8400 0000 0001 0000 0000 01 61 00 0001 8001 00000078 0004 0a000001")),
    ("DNS", "tcp", 53, len(DNS_QUERY).to_bytes(2, "big") + DNS_QUERY),
    ("NBNS", "udp", 137, hexed("1234 0110 0001 0000 0000 0000 20") + b"CA" * 16 + hexed("00 0020 0001")),
    ("TLS", "tcp", 4433, hexed("16 0301 0200 01 0001fc 0303") + b"\0" * 40),
    ("TLS", "tcp", 443, hexed("17 0303 0020") + b"\0" * 32),
    ("TLS", "tcp", 443, hexed("802e 01 0301 0015 0000 0010") + b"\0" * 37),
    ("DTLS", "udp", 4433, hexed("16 feff 0000 000000000000 0004 01020304")),
    ("QUIC", "udp", 443, hexed("c0 00000001 08 0102030405060708 00 00") + b"\0" * 20),
    ("HTTP", "tcp", 5432, b"GET / HTTP/1.1\r\n\r\n"),
    ("HTTP", "tcp", 80, b"HTTP/1.1 200 OK\r\n\r\n"),
    ("SSDP", "udp", 1900, b"NOTIFY * HTTP/1.1\r\n\r\n"),
    ("HTTP2", "tcp", 80, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("SSH", "tcp", 2222, b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("NTP", "udp", 123, b"\x23" + b"\0" * 47),
    ("SIP", "udp", 5070, b"INVITE sip:a@b SIP/2.0\r\n"),
    ("SIP", "tcp", 5060, b"SIP/2.0 200 OK\r\n"),
    ("RTSP", "udp", 554, b"OPTIONS * RTSP/1.0\r\n"),
    ("RTSP", "tcp", 554, b"DESCRIBE rtsp://a/b RTSP/1.0\r\n"),
    ("DHCPv4", "udp", 67, hexed("01010600") + b"\0" * 232 + hexed("63825363 ff")),
    ("DHCPv6", "udp", 547, hexed("01 112233 0001 0002 0102")),
    ("STUN", "udp", 50000, hexed("0001 0000 2112a442") + b"\0" * 12),
    ("SNMP", "udp", 161, hexed("3026 020101 0406") + b"public" + b"\0" * 20),
    ("MQTT", "tcp", 1883, hexed("100c 0004") + b"MQTT" + hexed("0402 003c 0000")),
    ("SMB", "tcp", 445, hexed("00000040 fe534d42") + b"\0" * 60),
    ("SMTP", "tcp", 25, b"EHLO a\r\n"),
    ("FTP", "tcp", 21, b"220 ready\r\n"),
    ("POP3", "tcp", 110, b"+OK ready\r\n"),
    ("IMAP", "tcp", 143, b"* OK ready\r\n"),
    ("Telnet", "tcp", 23, hexed("fffd18")),
    ("BGP", "tcp", 179, b"\xff" * 16 + hexed("0013 04")),
    ("LDAP", "tcp", 389, hexed("300c 020101 6007 020103 0400 8000")),
    ("Kerberos", "udp", 88, hexed("6a81aa 3081a7 a103020105")),
    ("ModbusTCP", "tcp", 502, hexed("0001 0000 0006 01 03 0000 0001")),
    ("DNP3", "tcp", 20000, hexed("0564 05c0 0100 0004 e921")),
    ("RADIUS", "udp", 1812, hexed("01 01 0014") + b"\0" * 16),
    ("TFTP", "udp", 69, b"\0\1a\0octet\0"),
    ("BitTorrent", "tcp", 6881, b"\x13BitTorrent protocol" + b"\0" * 48),
]


@pytest.mark.parametrize(("name", "transport", "port", "payload"), CASES)
def test_recognised(name: str, transport: Transport, port: int, payload: bytes) -> None:
    assert recognise(payload, transport, 40000, port) == name
    assert recognise(payload, transport, port, 40000) == name


@pytest.mark.parametrize(("name", "transport", "port", "payload"), CASES)
def test_the_port_alone_is_not_enough(name: str, transport: Transport, port: int, payload: bytes) -> None:
    assert recognise(b"\xa5" * 40, transport, 40000, port) is None


@pytest.mark.parametrize(
    ("transport", "source", "destination", "name"),
    [
        ("tcp", 40000, 443, "TLS"),
        ("tcp", 443, 40000, "TLS"),
        ("udp", 443, 40000, "QUIC"),
        ("tcp", 8080, 80, "HTTP"),
        ("udp", 53, 5060, "DNS"),
        ("udp", 40000, 40001, None),
        ("sctp", 2905, 2905, "M3UA"),
    ],
)
def test_name_of_port(transport: Transport, source: int, destination: int, name: str | None) -> None:
    assert name_of_port(transport, source, destination) == name


def test_a_dns_message_without_question_is_dns_on_its_ports_only() -> None:
    """Zeros and small numbers make one: remote procedure calls, access point control."""
    message = hexed("5a4c 05ed 0000 0000 0000 0002 00 0186 a500 00000300 0000") + b"\0" * 30
    assert recognise(message, "udp", 53989, 20048) is None


@pytest.mark.parametrize("transport", ["tcp", "udp", "udplite", "sctp"])
@given(
    payload=st.binary(max_size=80),
    port=st.sampled_from([0, 22, 53, 67, 69, 80, 88, 123, 137, 161, 389, 443, 502, 547, 1883, 3389]),
)
def test_any_payload_may_be_asked(transport: Transport, payload: bytes, port: int) -> None:
    name = recognise(payload, transport, 40000, port)
    assert name is None or name


@pytest.mark.parametrize(("name", "transport", "port", "payload"), CASES)
def test_a_payload_may_be_cut_anywhere(name: str, transport: Transport, port: int, payload: bytes) -> None:
    for size in range(len(payload)):
        recognise(payload[:size], transport, 40000, port)
