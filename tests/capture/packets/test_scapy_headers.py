"""Raw packets, one per header and link type: what the scapy dissector gives for each."""

from __future__ import annotations

import pytest

from capture.packets.scapy_dissector.packet import dissect_packet
from capture.packets.scapy_dissector.walk import Found

MACS = bytes.fromhex("00005e00530100005e005302")
# 10.0.0.1 -> 10.0.0.2, TTL 64; TCP 40000 -> 80 SYN,ACK
TCP = bytes.fromhex("9c400050 00000001 00000000 5012ffff 00000000")
UDP = bytes.fromhex("9c400050 000c0000 61626364")
SOURCE, DESTINATION = bytes.fromhex("0a000001"), bytes.fromhex("0a000002")
SOURCE6, DESTINATION6 = bytes.fromhex("20010db8" + "0" * 23 + "1"), bytes.fromhex("20010db8" + "0" * 23 + "2")


def ipv4(protocol: int, payload: bytes, *, flags: int = 0, options: bytes = b"", total: int | None = None) -> bytes:
    size = 20 + len(options)
    length = size + len(payload) if total is None else total
    head = bytes([0x40 | size // 4, 0]) + length.to_bytes(2, "big") + b"\0\1" + flags.to_bytes(2, "big")
    return head + bytes([64, protocol, 0, 0]) + SOURCE + DESTINATION + options + payload


def ipv6(following: int, payload: bytes, *, length: int | None = None) -> bytes:
    size = len(payload) if length is None else length
    return b"\x60\0\0\0" + size.to_bytes(2, "big") + bytes([following, 64]) + SOURCE6 + DESTINATION6 + payload


IPV4_TCP = ipv4(6, TCP)
IPV6_UDP = ipv6(17, UDP)


def dissected(packet: bytes, linktype: int = 1, wire: int = 0) -> Found:
    return dissect_packet(packet, linktype, wire or len(packet))


def is_tcp_of_ten(found: Found) -> None:
    assert (found.netproto, found.netsrc, found.netdst) == (b"IPv4", b"10.0.0.1", b"10.0.0.2")
    assert (found.transproto, found.transsrc, found.transdst, found.tcp) == (b"TCP", 40000, 80, 0x12)
    assert found.error is None and found.appproto is None


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


LLC_IPV4 = hexed("aaaa03 000000 0800")

WRAPPERS = {
    "ethernet": (1, MACS + hexed("0800")),
    "vlan": (1, MACS + hexed("8100 0064 0800")),
    "stacked vlans": (1, MACS + hexed("88a8 0064 8100 6065 9100 0001 0800")),
    "pbb": (1, MACS + hexed("88e7 00000001") + MACS + hexed("0800")),
    "pppoe": (1, MACS + hexed("8864 1100 0001 002a 0021")),
    "mpls": (1, MACS + hexed("8847 00064040 000c8140")),
    "mpls pseudowire with control word": (1, MACS + hexed("8847 00064140 00000000") + MACS + hexed("0800")),
    "cisco metadata": (1, MACS + hexed("8909 0101 0001 0007 0800")),
    "802.3 with snap": (1, MACS + hexed("0030") + LLC_IPV4),
    "802.3 with ip in llc": (1, MACS + hexed("002b 060603")),
    "bsd null little-endian": (0, hexed("02000000")),
    "bsd null big-endian": (0, hexed("00000002")),
    "openbsd loop": (108, hexed("00000002")),
    "token ring": (6, hexed("1040") + MACS + LLC_IPV4),
    "token ring with source routing": (6, hexed("1040 00005e005301 80005e005302 0630 0011 0020") + LLC_IPV4),
    "arcnet": (7, hexed("0102 f0")),
    "arcnet linux": (129, hexed("0102 0000 d4 00 0001")),
    "slip": (8, hexed("00") + b"\0" * 15),
    "ppp": (9, hexed("0021")),
    "ppp with hdlc": (9, hexed("ff03 0021")),
    "ppp with compressed protocol": (9, hexed("21")),
    "ppp hdlc": (50, hexed("ff03 0021")),
    "cisco hdlc under ppp hdlc": (50, hexed("0f00 0800")),
    "pppoe link type": (51, hexed("1100 0001 002a 0021")),
    "fddi": (10, hexed("50") + MACS + LLC_IPV4),
    "raw": (101, b""),
    "raw of old": (12, b""),
    "atm": (100, LLC_IPV4),
    "cisco hdlc": (104, hexed("0f00 0800")),
    "802.11": (105, hexed("0802 0000") + MACS + hexed("00005e005303 0000") + LLC_IPV4),
    "802.11 qos": (105, hexed("8802 0000") + MACS + hexed("00005e005303 0000 0000") + LLC_IPV4),
    "802.11 four addresses": (105, hexed("0803 0000") + MACS + hexed("00005e005303 0000 00005e005304") + LLC_IPV4),
    "802.11 a-msdu": (105, hexed("8802 0000") + MACS + hexed("00005e005303 0000 8000") + MACS + hexed("0030") + LLC_IPV4),
    "radiotap": (127, hexed("0000 0800 00000000 0802 0000") + MACS + hexed("00005e005303 0000") + LLC_IPV4),
    "prism": (119, b"\0" * 144 + hexed("0802 0000") + MACS + hexed("00005e005303 0000") + LLC_IPV4),
    "avs": (163, hexed("80211001 00000040") + b"\0" * 56 + hexed("0802 0000") + MACS + hexed("00005e005303 0000") + LLC_IPV4),
    "ppi": (192, hexed("00000800 69000000 0802 0000") + MACS + hexed("00005e005303 0000") + LLC_IPV4),
    "frame relay": (107, hexed("1841 03cc")),
    "frame relay with snap": (107, hexed("1841 0300 80 000000 0800")),
    "frame relay of cisco": (107, hexed("1841 0800")),
    "enc": (109, b"\2\0\0\0" + b"\0" * 8),
    "linux sll": (113, hexed("0000 0001 0006 00005e005301 0000 0800")),
    "linux sll2": (276, hexed("0800 0000 00000001 0001 00 06 00005e005301 0000")),
    "pflog": (117, hexed("3d02") + b"\0" * 62),
    "ip over fibre channel": (122, b"\0" * 16 + LLC_IPV4),
    "ppp with direction": (204, hexed("00 ff03 0021")),
    "pppd": (166, hexed("01 03 0021")),
    "mpls link type": (219, hexed("000c8140")),
    "ipnet": (226, b"\0" * 24),
    "ipv4": (228, b""),
    "nflog": (239, hexed("02000000 0800 0100 08000000 2c00 0900")),
    "netanalyzer": (240, b"\0" * 4 + MACS + hexed("0800")),
    "netanalyzer transparent": (241, b"\0" * 12 + MACS + hexed("0800")),
    "ipoib": (242, b"\0" * 40 + hexed("0800 0000")),
    "pktap": (258, hexed("10000000 01000000 01000000 00000000") + MACS + hexed("0800")),
    "mpacket": (274, hexed("555555555555 55d5") + MACS + hexed("0800")),
    "dsa": (284, MACS + hexed("c0200000 0800")),
    "edsa": (285, MACS + hexed("dada0000 c0200000 0800")),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_behind_every_link_layer_is_the_first_ip_header(name: str) -> None:
    linktype, head = WRAPPERS[name]
    is_tcp_of_ten(dissected(head + IPV4_TCP, linktype))


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_snaplen_cut_anywhere_in_a_link_layer_is_no_error(name: str) -> None:
    linktype, head = WRAPPERS[name]
    whole = len(head + IPV4_TCP)
    for cut in range(len(head)):
        found = dissect_packet(head[:cut], linktype, whole)
        assert found.error is None and found.netsrc is None, cut


def test_padding_behind_the_ip_packet_is_no_payload() -> None:
    is_tcp_of_ten(dissected(MACS + hexed("0800") + IPV4_TCP + b"\0" * 6))


def test_ipv4_options_are_skipped() -> None:
    is_tcp_of_ten(dissected(ipv4(6, TCP, options=hexed("94040000")), 101))


def test_a_total_length_of_zero_means_the_rest_of_the_packet() -> None:
    """As network cards leave it in captures of segmentation offload."""
    is_tcp_of_ten(dissected(ipv4(6, TCP, total=0), 101))


def test_ipv6() -> None:
    found = dissected(IPV6_UDP, 229)
    assert (found.netproto, found.netsrc, found.netdst) == (b"IPv6", b"2001:db8::1", b"2001:db8::2")
    assert (found.transproto, found.transsrc, found.transdst, found.tcp) == (b"UDP", 40000, 80, 0)
    assert found.appproto == b"Payload"


@pytest.mark.parametrize("number", [0, 43, 60, 135, 139, 140])
def test_ipv6_extension_headers_are_walked(number: int) -> None:
    found = dissected(ipv6(number, hexed("3c00 010400000000") + hexed("0601") + b"\0" * 14 + TCP), 229)
    assert (found.transproto, found.transsrc, found.transdst) == (b"TCP", 40000, 80)


@pytest.mark.parametrize("version", [4, 6])
def test_an_authentication_header_is_walked(version: int) -> None:
    ah = hexed("0604 0000 00000001 00000001") + b"\0" * 12
    found = dissected(ipv4(51, ah + TCP) if version == 4 else ipv6(51, ah + TCP), 101)
    assert (found.transproto, found.transdst) == (b"TCP", 80)


@pytest.mark.parametrize(
    ("packet", "ports"),
    [
        (ipv4(17, UDP, flags=0x2000), 40000),
        (ipv4(17, UDP, flags=0x2003), None),
        (ipv4(17, UDP, flags=0x0003), None),
        (ipv6(44, hexed("1100 0001 00000001") + UDP), 40000),
        (ipv6(44, hexed("1100 0009 00000001") + UDP), None),
    ],
)
def test_only_a_first_fragment_has_ports(packet: bytes, ports: int | None) -> None:
    found = dissected(packet, 101)
    assert found.netsrc is not None and found.error is None
    assert found.transsrc == ports
    assert found.transproto == (None if ports is None else b"UDP")


@pytest.mark.parametrize(
    "packet",
    [
        ipv4(1, hexed("0303 0000 00000000") + IPV4_TCP),
        ipv4(4, IPV4_TCP),
        ipv4(41, IPV6_UDP),
        ipv4(47, hexed("0000 0800") + IPV4_TCP),
        ipv4(47, hexed("b000 0800 00000000 00000001 00000002") + IPV4_TCP),
        ipv4(47, hexed("3081 880b 0004 0001 00000001 00000001 0021") + IPV4_TCP),
        ipv4(47, hexed("1000 88be 00000001 1000 0000 00000000") + MACS + hexed("0800") + IPV4_TCP),
        ipv4(47, hexed("0000 6558") + MACS + hexed("0800") + IPV4_TCP),
        ipv4(97, hexed("3000") + MACS + hexed("0800") + IPV4_TCP),
        ipv4(137, hexed("000c8140") + IPV4_TCP),
        ipv4(50, TCP),
        ipv4(2, TCP),
        ipv6(58, hexed("0100 0000 00000000") + IPV6_UDP),
    ],
)
def test_behind_tunnels_and_in_quotes_there_are_no_ports(packet: bytes) -> None:
    found = dissected(packet, 101)
    assert found.netproto is not None and found.error is None
    assert (found.transproto, found.transsrc, found.transdst, found.tcp) == (None, None, None, 0)


def test_net_fields_are_of_the_first_ip_header() -> None:
    assert dissected(ipv4(41, IPV6_UDP), 101).netsrc == b"10.0.0.1"


@pytest.mark.parametrize(
    ("flags", "bits"), [("01", 1), ("02", 2), ("04", 4), ("08", 8), ("10", 16), ("20", 32), ("40", 64), ("80", 128), ("00", 0)]
)
def test_tcp_flags(flags: str, bits: int) -> None:
    assert dissected(ipv4(6, hexed(f"9c400050 00000001 00000000 50{flags}ffff 00000000")), 101).tcp == bits


def test_ns_is_the_ninth_flag() -> None:
    assert dissected(ipv4(6, hexed("9c400050 00000001 00000000 5100ffff 00000000")), 101).tcp == 256


@pytest.mark.parametrize(
    ("number", "name", "payload"),
    [
        (17, b"UDP", UDP),
        (136, b"UDPLite", hexed("9c400050 00080000 61626364")),
        (132, b"SCTP", hexed("9c400050 00000001 00000000 00030014 00000001 0000 0000 00000000 61626364")),
    ],
)
def test_other_transports(number: int, name: bytes, payload: bytes) -> None:
    found = dissected(ipv4(number, payload), 101)
    assert (found.transproto, found.transsrc, found.transdst) == (name, 40000, 80)
    assert found.appproto == b"Payload"


VXLAN = hexed("08000000 00000100")
HTTP = b"GET / HTTP/1.1\r\nHost: inner\r\n\r\n"
INNER_HTTP = ipv4(6, TCP + HTTP)


def udp(port: int, payload: bytes) -> bytes:
    return ipv4(17, hexed("9c40") + port.to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload)


@pytest.mark.parametrize(
    ("packet", "port"),
    [
        (udp(4789, VXLAN + MACS + hexed("0800") + INNER_HTTP), 4789),
        (udp(6081, hexed("0000 6558 00000100") + MACS + hexed("0800") + INNER_HTTP), 6081),
        (udp(2152, hexed("30ff 0000 00000001") + INNER_HTTP), 2152),
        (udp(2152, hexed("34ff 0000 00000001 0000 00 85 01 000000") + INNER_HTTP), 2152),
        (udp(3544, ipv6(6, TCP + HTTP)), 3544),
        (udp(1701, hexed("0002 0001 0001 ff03 0021") + INNER_HTTP), 1701),
        (udp(6635, hexed("000c8140") + INNER_HTTP), 6635),
        (ipv4(47, hexed("0000 0800") + INNER_HTTP), None),
    ],
)
def test_applications_count_at_any_level(packet: bytes, port: int | None) -> None:
    found = dissected(packet, 101)
    assert (found.appproto, found.of("http-hostname"), found.of("http-method")) == (b"HTTP", [b"inner"], [b"GET"])
    assert found.transdst == port


def test_a_tunnel_is_the_application_where_nothing_deeper_is_recognised() -> None:
    assert dissected(udp(4789, VXLAN + MACS + hexed("0806")), 101).appproto == b"VXLAN"


def test_what_does_not_look_like_the_tunnel_of_its_port_is_payload() -> None:
    found = dissected(udp(4789, b"\0" * 30), 101)
    assert (found.appproto, found.appproto_port) == (b"Payload", b"VXLAN")
