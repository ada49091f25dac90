"""Fields of deeper levels: tunnels, the headers inside them, and what ICMP errors quote."""

from __future__ import annotations

import pytest

from tests.capture.packets.asking import of, texts
from tests.capture.packets.test_scapy_headers import (
    HTTP,
    IPV4_TCP,
    IPV6_UDP,
    MACS,
    TCP,
    UDP,
    VXLAN,
    WRAPPERS,
    dissected,
    hexed,
    ipv4,
    ipv6,
    udp,
)

FRAME = MACS + hexed("0800") + IPV4_TCP
TUNNELS = {
    "ipip": (ipv4(4, IPV4_TCP), {"ipip"}),
    "6in4": (ipv4(41, IPV6_UDP), {"6in4"}),
    "4in6": (ipv6(4, IPV4_TCP), {"4in6"}),
    "6in6": (ipv6(41, IPV6_UDP), {"6in6"}),
    "gre": (ipv4(47, hexed("0000 0800") + IPV4_TCP), {"gre"}),
    "pptp": (ipv4(47, hexed("3081 880b 0004 0001 00000001 00000001 0021") + IPV4_TCP), {"gre"}),
    "erspan I": (ipv4(47, hexed("0000 88be") + FRAME), {"gre", "erspan"}),
    "erspan II": (ipv4(47, hexed("1000 88be 00000001 1000 0000 00000000") + FRAME), {"gre", "erspan"}),
    "erspan III": (ipv4(47, hexed("1000 22eb 00000001 2000 0000 00000000 00000000") + FRAME), {"gre", "erspan"}),
    "etherip": (ipv4(97, hexed("3000") + FRAME), {"etherip"}),
    "mpls-in-ip": (ipv6(137, hexed("000c8140") + IPV4_TCP), {"mpls-in-ip"}),
    "vxlan": (udp(4789, VXLAN + FRAME), {"vxlan"}),
    "geneve": (udp(6081, hexed("0000 6558 00000100") + FRAME), {"geneve"}),
    "gtp-u": (udp(2152, hexed("30ff 0000 00000001") + IPV4_TCP), {"gtp-u"}),
    "teredo": (udp(3544, IPV6_UDP), {"teredo"}),
    "l2tp": (udp(1701, hexed("0002 0001 0001 ff03 0021") + IPV4_TCP), {"l2tp"}),
    "mpls-in-udp": (udp(6635, hexed("000c8140") + IPV4_TCP), {"mpls-in-udp"}),
    "one in the other": (ipv4(41, ipv6(47, hexed("0000 0800") + ipv4(4, IPV4_TCP))), {"6in4", "gre", "ipip"}),
}


@pytest.mark.parametrize("name", TUNNELS)
def test_tunnel(name: str) -> None:
    packet, tunnels = TUNNELS[name]
    assert of("tunnel", texts(packet)) == [tunnels]


@pytest.mark.parametrize(
    "packet",
    [
        IPV4_TCP,
        ipv4(47, hexed("0002 0800") + IPV4_TCP),  # GRE of an unknown version
        ipv4(47, hexed("b000 0800 00000000")),  # GRE without all of its header
        udp(4789, b"\0" * 30),
        udp(6081, b"\xff" * 30),
        udp(2152, b"\0" * 30),
        udp(3544, b"\0" * 30),
        udp(1701, b"\0" * 30),
        ipv4(17, UDP, flags=1),
        ipv4(4, IPV4_TCP, flags=1),
        ipv4(1, hexed("0303 0000 00000000") + ipv4(4, IPV4_TCP)),
    ],
)
def test_no_tunnel(packet: bytes) -> None:
    found = texts(packet)
    assert "tunnel" not in found and not any(name.startswith("inner-") for name in found)


def test_an_ip_tunnel_counts_when_its_header_is_led_to() -> None:
    assert of("tunnel inner-netsrc", texts(ipv4(4, b"\x45"), wire=60)) == [{"ipip"}, set()]


INNER = "inner-netsrc inner-netdst inner-ttl inner-transproto inner-transsrc inner-transdst inner-tcp"
TCP_OF_TEN = [{"10.0.0.1"}, {"10.0.0.2"}, {"64"}, {"TCP"}, {"40000"}, {"80"}, {"SYN", "ACK"}]
UDP_OF_DB8 = [{"2001:db8::1"}, {"2001:db8::2"}, {"64"}, {"UDP"}, {"40000"}, {"80"}, set()]


@pytest.mark.parametrize("name", [name for name in TUNNELS if name != "one in the other"])
def test_headers_in_a_tunnel(name: str) -> None:
    packet, _ = TUNNELS[name]
    assert of(INNER, texts(packet)) == (UDP_OF_DB8 if IPV6_UDP in packet else TCP_OF_TEN)


def test_headers_at_every_level() -> None:
    deepest = bytearray(IPV4_TCP)
    deepest[8], deepest[15], deepest[19] = 7, 8, 9
    found = texts(ipv4(4, ipv4(17, hexed("9c400868 00000000 30ff 0000 00000001") + bytes(deepest))))
    assert of(INNER, found) == [
        {"10.0.0.1", "10.0.0.8"},
        {"10.0.0.2", "10.0.0.9"},
        {"64", "7"},
        {"UDP", "TCP"},
        {"40000"},
        {"2152", "80"},
        {"SYN", "ACK"},
    ]


def test_without_a_tunnel_nothing_is_inside() -> None:
    assert not any(of(INNER, texts(IPV4_TCP)))


def test_a_later_fragment_in_a_tunnel_has_no_ports() -> None:
    found = texts(ipv4(4, ipv4(6, TCP, flags=1)))
    assert of(INNER, found) == [{"10.0.0.1"}, {"10.0.0.2"}, {"64"}, set(), set(), set(), set()]


@pytest.mark.parametrize(("cut", "there"), [(39, 0), (40, 3), (43, 3), (44, 6), (53, 6), (54, 7)])
def test_what_the_snaplen_left_of_the_inner_headers(cut: int, there: int) -> None:
    packet = ipv4(4, IPV4_TCP)
    assert [bool(v) for v in of(INNER, texts(packet[:cut], wire=len(packet)))] == [n < there for n in range(7)]


QUOTED = "quoted-netsrc quoted-netdst quoted-transsrc quoted-transdst"
UNREACHABLE = hexed("0303 0000 00000000")
UNREACHABLE6 = hexed("0104 0000 00000000")
TEN, PORTS = [{"10.0.0.1"}, {"10.0.0.2"}], [{"40000"}, {"80"}]
DB8 = [{"2001:db8::1"}, {"2001:db8::2"}]
NONE: list[set[str | int]] = [set(), set()]


@pytest.mark.parametrize("kind", range(256))
def test_types_of_icmp_that_quote(kind: int) -> None:
    found = of(QUOTED, texts(ipv4(1, bytes([kind]) + UNREACHABLE[1:] + IPV4_TCP)))
    assert found == (TEN + PORTS if kind in (3, 4, 5, 11, 12) else NONE + NONE)


@pytest.mark.parametrize("kind", range(256))
def test_types_of_icmpv6_that_quote(kind: int) -> None:
    found = of(QUOTED, texts(ipv6(58, bytes([kind]) + UNREACHABLE6[1:] + IPV6_UDP)))
    assert found == (DB8 + PORTS if kind in (1, 2, 3, 4) else NONE + NONE)


@pytest.mark.parametrize(
    ("quote", "ports"),
    [
        (ipv4(6, TCP, options=hexed("94040000")), True),
        (ipv4(17, UDP), True),
        (ipv4(132, UDP), True),
        (ipv4(136, UDP), True),
        (ipv4(17, UDP, flags=0x2000), True),
        (ipv4(17, UDP, flags=0x2001), False),
        (ipv4(1, hexed("0800 0000 00010001")), False),
        (ipv4(4, IPV4_TCP), False),
        (ipv4(50, TCP), False),
        (ipv4(6, TCP, total=1500), True),  # cut by whoever quoted it
        (ipv4(6, TCP, total=19), True),  # nothing in a quote is an error
    ],
)
def test_quotes_of_ipv4(quote: bytes, ports: bool) -> None:
    found = texts(ipv4(1, UNREACHABLE + quote))
    assert of(QUOTED, found) == TEN + (PORTS if ports else NONE) and "error" not in found


AH = hexed("1101 0000 00000001 00000001")


@pytest.mark.parametrize(
    ("quote", "ports"),
    [
        (ipv6(0, hexed("2b00 010400000000") + hexed("3c01") + b"\0" * 14 + hexed("1100 010400000000") + UDP), True),
        (ipv6(51, AH + UDP), True),
        (ipv6(44, hexed("1100 0001 00000001") + UDP), True),
        (ipv6(44, hexed("1100 0008 00000001") + UDP), False),
        (ipv6(0, hexed("1180 010400000000") + UDP), False),
        (ipv6(58, hexed("0104 0000 00000000")), False),
    ],
)
def test_quotes_of_ipv6(quote: bytes, ports: bool) -> None:
    assert of(QUOTED, texts(ipv6(58, UNREACHABLE6 + quote))) == DB8 + (PORTS if ports else NONE)


@pytest.mark.parametrize(("size", "there"), [(19, 0), (20, 2), (23, 2), (24, 4)])
def test_a_quote_is_read_as_far_as_it_reaches(size: int, there: int) -> None:
    whole = ipv4(1, UNREACHABLE + IPV4_TCP)
    for packet in (
        ipv4(1, UNREACHABLE + IPV4_TCP[:size]),
        whole[: 28 + size],
        ipv4(1, UNREACHABLE + IPV4_TCP[:size]) + b"\1" * 9,
    ):
        assert [bool(v) for v in of(QUOTED, texts(packet, wire=len(whole)))] == [n < there for n in range(4)]


@pytest.mark.parametrize("quote", [b"", b"\x44" + IPV4_TCP[1:], b"\x55" + IPV4_TCP[1:], IPV6_UDP[:39]])
def test_what_is_no_ip_header_is_no_quote(quote: bytes) -> None:
    found = texts(ipv4(1, UNREACHABLE + quote))
    assert of(QUOTED, found) == NONE + NONE and "error" not in found


def test_a_quote_sets_nothing_else() -> None:
    quoting, plain = texts(ipv4(1, UNREACHABLE + ipv4(6, TCP + HTTP))), texts(ipv4(1, UNREACHABLE))
    ignored = ("length", "captured-length")
    assert {k: v for k, v in quoting.items() if not k.startswith("quoted-") and k not in ignored} == {
        k: v for k, v in plain.items() if k not in ignored
    }


def test_a_quote_at_any_level() -> None:
    assert of(QUOTED, texts(ipv4(4, ipv4(1, UNREACHABLE + IPV4_TCP)))) == TEN + PORTS


@pytest.mark.parametrize("name", WRAPPERS)
def test_the_first_ip_header_is_never_an_inner_one(name: str) -> None:
    linktype, head = WRAPPERS[name]
    assert not any(
        field.startswith(("inner-", "quoted-")) or field == "tunnel" for field, _ in dissected(head + IPV4_TCP, linktype).values
    )
