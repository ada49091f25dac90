"""Fields of the link layer: Ethernet, VLAN tags, MPLS, ARP, and the direction that Linux's cooked header tells."""

from __future__ import annotations

import pytest

from tests.capture.packets.asking import of, texts
from tests.capture.packets.test_scapy_headers import IPV4_TCP, MACS, hexed, ipv4, udp

ETH = "eth-src eth-dst ethertype"
FIRST, SECOND = "00:00:5e:00:53:02", "00:00:5e:00:53:01"  # source and destination in MACS
OTHERS = hexed("0200000000aa 0200000000bb")


def test_ethernet_addresses_and_ethertype() -> None:
    assert of(ETH, texts(MACS + hexed("0800") + IPV4_TCP, 1)) == [{FIRST}, {SECOND}, {"2048"}]


def test_the_ethertype_is_that_of_the_header_not_of_the_tag() -> None:
    assert of(ETH, texts(MACS + hexed("8100 0064 0800") + IPV4_TCP, 1))[2] == {"33024"}


def test_a_length_is_no_ethertype() -> None:
    assert of(ETH, texts(MACS + hexed("0030 aaaa03 000000 0800") + IPV4_TCP, 1)) == [{FIRST}, {SECOND}, set()]


@pytest.mark.parametrize(("number", "row"), [("05dc", set()), ("05dd", {"1501"})])
def test_above_1500_it_is_an_ethertype(number: str, row: set[str]) -> None:
    assert of(ETH, texts(MACS + hexed(number) + b"\0" * 60, 1))[2] == row


@pytest.mark.parametrize(("cut", "there"), [(11, 0), (12, 2), (13, 2), (14, 3)])
def test_addresses_need_twelve_bytes_and_the_ethertype_fourteen(cut: int, there: int) -> None:
    found = of(ETH, texts((MACS + hexed("0800"))[:cut], 1, wire=60))
    assert [bool(values) for values in found] == [there >= 2, there >= 2, there == 3]


def test_the_first_ethernet_header_counts_wherever_it_is() -> None:
    inner = MACS + hexed("0800") + IPV4_TCP
    assert of(ETH, texts(ipv4(97, hexed("3000") + inner))) == [{FIRST}, {SECOND}, {"2048"}]
    assert of(ETH, texts(OTHERS + hexed("0800") + ipv4(97, hexed("3000") + inner), 1)) == [
        {"02:00:00:00:00:bb"},
        {"02:00:00:00:00:aa"},
        {"2048"},
    ]


def test_802_11_has_no_ethernet_header() -> None:
    assert (
        of(ETH, texts(hexed("0802 0000") + MACS + hexed("00005e005303 0000 aaaa03 000000 0800") + IPV4_TCP, 105)) == [set()] * 3
    )


@pytest.mark.parametrize(("tag", "ethertype"), [("c0200000 0800", "2048"), ("dada0000 c0200000 0800", "56026")])
def test_marvells_tags_stand_behind_the_addresses(tag: str, ethertype: str) -> None:
    found = texts(MACS + hexed(tag) + IPV4_TCP, 285 if "dada" in tag else 284)
    assert of(f"{ETH} vlan", found) == [{FIRST}, {SECOND}, {ethertype}, set()]


VLAN = "vlan vlan-svc vlan-outer vlan-prio"


@pytest.mark.parametrize("ethertype", ["8100", "9100", "9200", "9300"])
def test_a_customer_tag(ethertype: str) -> None:
    found = texts(MACS + hexed(f"{ethertype} a064 0800") + IPV4_TCP, 1)
    assert of(VLAN, found) == [{"100"}, set(), {"100"}, {"5"}]


def test_a_service_tag_with_a_customer_tag_in_it() -> None:
    found = texts(MACS + hexed("88a8 2fff 8100 e001 0800") + IPV4_TCP, 1)
    assert of(VLAN, found) == [{"1"}, {"4095"}, {"4095"}, {"1", "7"}]


def test_tags_at_every_level_and_the_outermost_of_them() -> None:
    inner = MACS + hexed("8100 0002 88a8 0003 0800") + IPV4_TCP
    found = texts(MACS + hexed("8100 0001 0800") + ipv4(97, hexed("3000") + inner), 1)
    assert of(VLAN, found) == [{"1", "2"}, {"3"}, {"1"}, {"0"}]


@pytest.mark.parametrize(("cut", "there"), [(17, set()), (18, {"100"})])
def test_a_tag_needs_its_four_bytes(cut: int, there: set[str]) -> None:
    found = texts((MACS + hexed("8100 0064 0800"))[:cut], 1, wire=60)
    assert of("vlan vlan-outer", found) == [there, there]


def test_all_labels_of_all_stacks() -> None:
    inner = hexed("00010100 00000000") + MACS + hexed("8847 fffff140") + IPV4_TCP
    found = texts(MACS + hexed("8847 00064040 000c8140") + ipv4(137, inner), 1)
    assert of("mpls-label", found) == [{"100", "200", "16", str(2**20 - 1)}]


def test_a_label_needs_its_four_bytes() -> None:
    assert of("mpls-label", texts(hexed("00064040 000c81"), 219, wire=60)) == [{"100"}]


ARP = "arp-op arp-sender arp-target"
REQUEST = hexed("0001 0800 0604 0001 00005e005302 0a000001 000000000000 0a000002")


@pytest.mark.parametrize("ethertype", ["0806", "8035"])
def test_arp_and_rarp(ethertype: str) -> None:
    assert of(ARP, texts(MACS + hexed(ethertype) + REQUEST, 1)) == [{"1"}, {"10.0.0.1"}, {"10.0.0.2"}]


@pytest.mark.parametrize("hardware", [0, 8, 20])
def test_arp_with_hardware_addresses_of_other_lengths(hardware: int) -> None:
    packet = hexed("0020 0800") + bytes([hardware, 4]) + b"\0\2" + b"\1" * hardware + b"\n\0\0\1" + b"\2" * hardware + b"\n\0\0\2"
    assert of(ARP, texts(MACS + hexed("0806") + packet, 1)) == [{"2"}, {"10.0.0.1"}, {"10.0.0.2"}]


@pytest.mark.parametrize("head", ["0001 86dd 0604 0001", "0001 0800 0610 0001"])
def test_addresses_that_are_not_ipv4_are_left_out(head: str) -> None:
    assert of(ARP, texts(MACS + hexed("0806") + hexed(head) + b"\1" * 60, 1)) == [{"1"}, set(), set()]


@pytest.mark.parametrize(("cut", "there"), [(7, 0), (8, 1), (17, 1), (18, 2), (27, 2), (28, 3)])
def test_what_the_snaplen_left_of_arp(cut: int, there: int) -> None:
    found = of(ARP, texts(MACS + hexed("0806") + REQUEST[:cut], 1, wire=60))
    assert [bool(values) for values in found] == [there >= 1, there >= 2, there >= 3]


SLL = "{:04x} 0001 0006 00005e005301 0000 0800"
SLL2 = "0800 0000 00000001 0001 {:02x} 06 00005e005301 0000"


@pytest.mark.parametrize(("linktype", "head"), [(113, SLL), (276, SLL2)])
@pytest.mark.parametrize(
    ("kind", "direction"), [(0, {"inbound"}), (1, {"inbound"}), (2, {"inbound"}), (3, set()), (4, {"outbound"}), (5, set())]
)
def test_direction_of_cooked_packets(linktype: int, head: str, kind: int, direction: set[str]) -> None:
    assert of("direction", texts(hexed(head.format(kind)) + IPV4_TCP, linktype)) == [direction]


def test_ethernet_says_no_direction() -> None:
    assert "direction" not in texts(MACS + hexed("0800") + IPV4_TCP, 1)


def test_the_vxlan_frame_is_an_ethernet_header_too() -> None:
    assert of(ETH, texts(udp(4789, hexed("08000000 00000100") + MACS + hexed("0806") + REQUEST)))[2] == {"2054"}
