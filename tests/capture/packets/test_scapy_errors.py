"""What is wrong in headers: every reason with the bytes that have it, and what is kept nevertheless."""

from __future__ import annotations

import pytest

from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.scapy_dissector.linktypes import FIRST_HEADERS
from tests.capture.packets.test_scapy_headers import IPV4_TCP, MACS, TCP, WRAPPERS, dissected, hexed, ipv4, ipv6

CASES: dict[str, tuple[int, bytes]] = {
    "linktype: unsupported": (147, b"\0" * 60),
    "packet: too many headers": (1, MACS + hexed("81000001") * 70),
    "ethernet: truncated header": (1, MACS),
    "vlan: truncated header": (1, MACS + hexed("8100 00")),
    "pbb: truncated header": (1, MACS + hexed("88e7 00")),
    "cisco metadata: truncated header": (1, MACS + hexed("8909 00")),
    "llc: truncated header": (1, MACS + hexed("0002 aaaa")),
    "snap: truncated header": (1, MACS + hexed("0006 aaaa03 000000")),
    "arp: truncated header": (1, MACS + hexed("0806 0001 0800 0604 0001 00005e005301")),
    "mpls: truncated header": (1, MACS + hexed("8847 0006")),
    "pppoe: truncated header": (1, MACS + hexed("8864 1100")),
    "pppoe: bad version": (1, MACS + hexed("8864 2100 0001 0002 0021")),
    "pppoe: length beyond packet": (1, MACS + hexed("8864 1100 0001 0802 0021") + IPV4_TCP),
    "ppp: truncated header": (9, hexed("ff03 00")),
    "linux sll: truncated header": (113, b"\0" * 15),
    "linux sll2: truncated header": (276, b"\0" * 19),
    "null: truncated header": (0, b"\2\0"),
    "null: unknown address family": (0, b"\x63\0\0\0"),
    "raw ip: truncated header": (101, b""),
    "raw ip: bad version": (101, b"\x50" + b"\0" * 40),
    "chdlc: truncated header": (104, b"\x0f\0"),
    "frame relay: truncated header": (107, b"\x18"),
    "frame relay: bad address": (107, b"\x19\x41\3\xcc"),
    "fddi: truncated header": (10, b"\x50"),
    "token ring: truncated header": (6, b"\x10\x40"),
    "arcnet: truncated header": (7, b"\1\2"),
    "atm: truncated header": (100, b"\xaa\xaa"),
    "slip: truncated header": (8, b"\0" * 16),
    "ip over fibre channel: truncated header": (122, b"\0" * 15),
    "ipoib: truncated header": (242, b"\0" * 43),
    "ipnet: truncated header": (226, b"\0" * 23),
    "enc: truncated header": (109, b"\0" * 11),
    "pflog: truncated header": (117, b"\x3d\2" + b"\0" * 40),
    "pflog: bad header length": (117, b"\x03\2" + b"\0" * 62),
    "nflog: truncated header": (239, b"\2\0\0"),
    "nflog: bad attribute length": (239, hexed("02000000 0300 0900 00000000")),
    "pktap: truncated header": (258, b"\0" * 8),
    "pktap: bad header length": (258, b"\4\0\0\0" + b"\0" * 8),
    "ppi: truncated header": (192, b"\0" * 7),
    "ppi: bad header length": (192, hexed("00000700 69000000")),
    "prism: truncated header": (119, b"\0" * 143),
    "avs: truncated header": (163, b"\0" * 7),
    "avs: bad header length": (163, b"\0" * 8),
    "radiotap: truncated header": (127, b"\0" * 7),
    "radiotap: bad version": (127, hexed("0100 0800 00000000")),
    "radiotap: bad header length": (127, hexed("0000 0700 00000000")),
    "802.11: truncated header": (105, b"\x08"),
    "802.11: bad version": (105, b"\x09\0" + b"\0" * 30),
    "802.11: bad A-MSDU length": (105, hexed("8802 0000") + MACS + hexed("00005e005303 0000 8000") + MACS + hexed("0030")),
    "ethernet mpacket: truncated header": (274, b"\x55" * 7),
    "dsa: truncated header": (284, MACS + hexed("c020")),
    "ipv4: truncated header": (228, IPV4_TCP[:19]),
    "ipv4: bad version": (228, b"\x65" + IPV4_TCP[1:]),
    "ipv4: bad header length": (228, b"\x44" + IPV4_TCP[1:]),
    "ipv4: total length below header": (228, ipv4(6, TCP, total=19)),
    "ipv6: truncated header": (229, b"\x60" + b"\0" * 38),
    "ipv6: bad version": (229, b"\x40" + b"\0" * 39),
    "ipv6: truncated extension header": (229, ipv6(0, b"\6\0\0\0")),
    "ipv6: extension header beyond payload length": (229, ipv6(60, hexed("0601 0000 00000000"))),
    "ipv6: truncated fragment header": (229, ipv6(44, hexed("1100 0001"))),
    "ah: truncated header": (101, ipv4(51, b"\6\4")),
    "ah: bad header length": (101, ipv4(51, b"\6\0" + b"\0" * 10)),
    "gre: truncated header": (101, ipv4(47, b"\xb0\0\x08\0\0\0")),
    "gre: bad version": (101, ipv4(47, b"\0\2\x08\0")),
    "erspan: truncated header": (101, ipv4(47, hexed("1000 88be 00000001 1000"))),
    "icmp: truncated header": (101, ipv4(1, b"\x08\0")),
    "icmpv6: truncated header": (101, ipv6(58, b"\x80\0")),
    "tcp: truncated header": (101, ipv4(6, TCP[:19])),
    "tcp: bad data offset": (101, ipv4(6, TCP[:12] + b"\x40" + TCP[13:])),
    "tcp: options beyond segment": (101, ipv4(6, TCP[:12] + b"\x60" + TCP[13:])),
    "udp: truncated header": (101, ipv4(17, hexed("9c400050 0008"))),
    "udp: bad length": (101, ipv4(17, hexed("9c400050 0007 0000"))),
    "udplite: truncated header": (101, ipv4(136, hexed("9c400050 0008"))),
    "udplite: bad coverage": (101, ipv4(136, hexed("9c400050 0005 0000"))),
    "sctp: truncated header": (101, ipv4(132, hexed("9c400050 00000001 0000"))),
}


@pytest.mark.parametrize("reason", CASES)
def test_reason(reason: str) -> None:
    linktype, packet = CASES[reason]
    assert dissected(packet, linktype).error == reason


def test_every_reason_of_the_closed_list_has_its_packet() -> None:
    """But one: what scapy raises on is nothing that we know of."""
    assert set(CASES) == set(DECODE_ERRORS) - {"packet: dissector failed"}


# behind IP and IEEE 802.3 headers a length field says that the header is not there, whatever the wire length
CUT = [r for r in CASES if r.endswith("truncated header") and r.split(":")[0] not in (
    "llc", "snap", "ah", "gre", "erspan", "icmp", "icmpv6", "tcp", "udp", "udplite", "sctp")]  # fmt: skip


@pytest.mark.parametrize("reason", CUT)
def test_a_header_that_the_snaplen_cut_is_no_error(reason: str) -> None:
    linktype, packet = CASES[reason]
    assert dissected(packet, linktype, wire=2000).error is None


@pytest.mark.parametrize("reason", [r for r in CASES if r.startswith(("tcp: ", "udp: ", "udplite: ", "sctp: "))])
def test_addresses_and_ports_before_the_error_are_kept(reason: str) -> None:
    found = dissected(CASES[reason][1], 101)
    assert (found.netsrc, found.transsrc, found.transdst) == (b"10.0.0.1", 40000, 80)


def test_a_wire_length_below_the_captured_one_is_not_believed() -> None:
    assert dissected(IPV4_TCP, 101, wire=10).error is None


@pytest.mark.parametrize("cut", range(len(IPV4_TCP)))
def test_fields_wholly_within_the_snaplen_are_kept(cut: int) -> None:
    found = dissected(IPV4_TCP[:cut], 101, wire=len(IPV4_TCP))
    assert found.error is None
    assert (found.netsrc is not None) == (cut >= 20)
    assert (found.transdst == 80) == (cut >= 24)
    assert (found.tcp == 0x12) == (cut >= 34)


def test_every_link_type_that_is_read_has_a_packet_in_these_tests() -> None:
    assert set(FIRST_HEADERS) - {14, 229} == {linktype for linktype, _ in WRAPPERS.values()}
