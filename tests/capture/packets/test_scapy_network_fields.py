"""Fields of the first IP header, its extension headers and fragments, and of the first ICMP header."""

from __future__ import annotations

import pytest

from tests.capture.packets.asking import of, texts
from tests.capture.packets.test_scapy_headers import IPV4_TCP, IPV6_UDP, TCP, UDP, hexed, ipv4, ipv6

HEADER = "ip-version ttl dscp ip-proto netaddr"


def test_ipv4() -> None:
    packet = bytearray(IPV4_TCP)
    packet[1], packet[8] = 0xB9, 63  # EF, congestion bits; time to live
    assert of(HEADER, texts(bytes(packet))) == [{"4"}, {"63"}, {"46"}, {"6"}, {"10.0.0.1", "10.0.0.2"}]


def test_ipv6() -> None:
    packet = bytearray(IPV6_UDP)
    packet[0], packet[1], packet[7] = 0x6B, 0x9A, 255  # traffic class b9, then the flow label
    assert of(HEADER, texts(bytes(packet))) == [{"6"}, {"255"}, {"46"}, {"17"}, {"2001:db8::1", "2001:db8::2"}]


def test_of_several_ip_headers_it_is_the_first() -> None:
    assert of(HEADER, texts(ipv6(4, IPV4_TCP)))[:4] == [{"6"}, {"64"}, {"0"}, {"4"}]


def test_a_host_that_talks_to_itself_is_one_address() -> None:
    assert of("netaddr", texts(IPV4_TCP[:16] + IPV4_TCP[12:16] + IPV4_TCP[20:])) == [{"10.0.0.1"}]


@pytest.mark.parametrize(("packet", "fixed"), [(IPV4_TCP, 20), (IPV6_UDP, 40)])
def test_all_or_nothing_of_a_cut_header(packet: bytes, fixed: int) -> None:
    for cut in range(fixed + 1):
        found = of(HEADER, texts(packet[:cut], wire=len(packet)))
        assert all(found) == (cut == fixed) and any(found) == (cut == fixed)


def test_a_broken_header_length_leaves_nothing() -> None:
    assert not any(of(HEADER, texts(b"\x44" + IPV4_TCP[1:])))


def test_the_header_before_an_error_is_kept() -> None:
    found = texts(ipv4(6, TCP, total=19))
    assert of("error ttl", found) == [{"ipv4: total length below header"}, {"64"}]


@pytest.mark.parametrize(
    ("word", "flags", "fragment"),
    [
        (0x0000, set(), set()),
        (0x4000, {"DF"}, set()),
        (0x8000, {"RB"}, set()),
        (0x2000, {"MF"}, {"first"}),
        (0x2001, {"MF"}, {"middle"}),
        (0x0001, set(), {"last"}),
        (0xFFFF, {"DF", "MF", "RB"}, {"middle"}),
    ],
)
def test_flags_and_fragments_of_ipv4(word: int, flags: set[str], fragment: set[str]) -> None:
    assert of("ip-flags fragment", texts(ipv4(17, UDP, flags=word))) == [flags, fragment]


@pytest.mark.parametrize(("word", "fragment"), [("0000", "atomic"), ("0001", "first"), ("0009", "middle"), ("0008", "last")])
def test_fragments_of_ipv6(word: str, fragment: str) -> None:
    found = texts(ipv6(44, hexed(f"1100 {word} 00000001") + UDP))
    assert of("ip-flags fragment ipv6-extension", found) == [set(), {fragment}, {"44"}]


def test_fragments_inside_a_tunnel_are_not_the_first_header_s() -> None:
    assert of("ip-flags fragment", texts(ipv4(4, ipv4(17, UDP, flags=0x2000)))) == [set(), set()]
    assert of("fragment ipv6-extension", texts(ipv4(41, ipv6(44, hexed("1100 0001 00000001") + UDP)))) == [set(), set()]


@pytest.mark.parametrize("number", [0, 43, 60, 135, 139, 140])
def test_extension_headers(number: int) -> None:
    packet = ipv6(number, hexed("3c00 010400000000") + hexed("3300 010400000000") + hexed("0601 0000 00000001 00000001") + TCP)
    assert of("ipv6-extension ip-proto", texts(packet)) == [{str(number), "60", "51"}, {str(number)}]


@pytest.mark.parametrize(("size", "there"), [(7, set()), (8, {"0"})])
def test_an_extension_header_counts_when_its_fixed_part_is_there(size: int, there: set[str]) -> None:
    packet = ipv6(0, hexed("0601 010400000000") + b"\0" * 8 + TCP)
    assert of("ipv6-extension", texts(packet[: 40 + size], wire=len(packet))) == [there]


def test_ah_behind_ipv4_is_no_extension_header() -> None:
    assert "ipv6-extension" not in texts(ipv4(51, hexed("0601 0000 00000001 00000001") + TCP))


ICMP = "icmp-type icmp-code icmpv6-type icmpv6-code"


def test_icmp() -> None:
    assert of(ICMP, texts(ipv4(1, hexed("0800 0000 00010001")))) == [{"8"}, {"0"}, set(), set()]
    assert of(ICMP, texts(ipv6(58, hexed("0104 0000 00000000")))) == [set(), set(), {"1"}, {"4"}]


def test_icmp_inside_a_tunnel_is_the_packet_s_first() -> None:
    assert of(ICMP, texts(ipv4(4, ipv4(1, hexed("0303 0000 00000000") + IPV4_TCP))))[:2] == [{"3"}, {"3"}]


@pytest.mark.parametrize("cut", range(4))
def test_type_and_code_each_need_their_byte(cut: int) -> None:
    packet = ipv4(1, hexed("0303 0000 00000000"))
    found = of(ICMP, texts(packet[: 20 + cut], wire=len(packet)))
    assert found[:2] == [{"3"} if cut >= 1 else set(), {"3"} if cut >= 2 else set()]
