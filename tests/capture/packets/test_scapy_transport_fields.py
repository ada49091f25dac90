"""Fields of the transport directly behind the first IP header, and the conversation's id."""

from __future__ import annotations

import communityid
import pytest

from tests.capture.packets.asking import of, texts
from tests.capture.packets.test_scapy_headers import IPV4_TCP, TCP, UDP, hexed, ipv4, ipv6

HEADER = "9c400050 00000001 00000000 {}{} fffe 00000000"


def tcp(options: str = "", payload: bytes = b"", flags: str = "02") -> bytes:
    raw = hexed(options)
    assert not len(raw) % 4
    return ipv4(6, hexed(HEADER.format(f"{5 + len(raw) // 4:x}0", flags)) + raw + payload)


@pytest.mark.parametrize("packet", [ipv4(6, TCP), ipv4(17, UDP), ipv4(136, UDP), ipv4(132, UDP)])
def test_ports_of_either_side(packet: bytes) -> None:
    assert of("port", texts(packet)) == [{"40000", "80"}]


def test_ports_in_tunnels_are_not_the_packet_s() -> None:
    assert "port" not in texts(ipv4(4, IPV4_TCP))


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ("5002", "SYN"),
        ("5012", "SYN,ACK"),
        ("5019", "FIN,PSH,ACK"),
        ("5000", "none"),
        ("51ff", "FIN,SYN,RST,PSH,ACK,URG,ECE,CWR,NS"),
        ("5e04", "RST"),
    ],
)
def test_all_flags_as_one_value(flags: str, text: str) -> None:
    assert of("tcp-flagset", texts(ipv4(6, hexed(f"9c400050 00000001 00000000 {flags} ffff 00000000")))) == [{text}]


@pytest.mark.parametrize("cut", [13, 14, 19, 20])
def test_flags_need_fourteen_bytes_and_the_window_twenty(cut: int) -> None:
    found = texts(tcp()[: 20 + cut], wire=40)
    assert of("tcp-flagset tcp-window", found) == [{"SYN"} if cut >= 14 else set(), {"65534"} if cut >= 20 else set()]


OPTIONS = "tcp-option tcp-mss tcp-wscale"


def test_options_of_a_syn() -> None:
    found = texts(tcp("020405b4 0402 080a 00000001 00000000 01 030307"))
    assert of(OPTIONS, found) == [{"2", "3", "4", "8"}, {"1460"}, {"7"}]


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ("0000 020405b4 0000", set()),  # the end of the list comes first
        ("0101 0101 0402 0000", {"4"}),
        ("0402 0500 020405b4", {"4"}),  # a length of 0
        ("0402 0501 020405b4", {"4"}),  # and one below its own two bytes
        ("0402 0507 020405b4", {"4"}),  # beyond the header
        ("0402 0101 01010105", {"4"}),  # no byte for the length
        ("fd04 0000", {"253"}),
    ],
)
def test_padding_is_no_option_and_a_broken_length_ends_them(options: str, kinds: set[str]) -> None:
    assert of(OPTIONS, texts(tcp(options)))[0] == kinds


def test_options_of_another_length_have_no_value() -> None:
    assert of(OPTIONS, texts(tcp("02030503 04000001"))) == [{"2", "3"}, set(), set()]


@pytest.mark.parametrize(("cut", "kinds"), [(43, set()), (44, {"2"}), (45, {"2"}), (46, {"2", "4"})])
def test_options_up_to_the_captured_end(cut: int, kinds: set[str]) -> None:
    found = texts(tcp("020405b4 0402 0000", b"x" * 10)[:cut], wire=58)
    assert of(OPTIONS, found)[0] == kinds and of("tcp-payload-length", found) == [{10}]


def test_options_beyond_the_segment_are_read_as_far_as_it_goes() -> None:
    packet = ipv4(6, TCP[:12] + b"\x80" + TCP[13:] + hexed("020405b4"))
    assert of(f"error {OPTIONS}", texts(packet)) == [{"tcp: options beyond segment"}, {"2"}, {"1460"}, set()]


@pytest.mark.parametrize(("payload", "wire"), [(0, 0), (9, 0), (9, 49 + 11)])
def test_the_payload_length_is_that_of_the_ip_header(payload: int, wire: int) -> None:
    """Padding behind the IP packet does not count, what the snaplen cut does."""
    found = texts(tcp("", b"x" * payload) + b"\0" * 3, wire=wire)
    assert of("tcp-payload-length", found) == [{payload}]
    assert of("tcp-payload-length", texts(tcp("", b"x" * payload)[:40], wire=wire or 40 + payload)) == [{payload}]


def test_segments_in_a_tunnel_have_none_of_it() -> None:
    found = texts(ipv4(4, tcp("020405b4", b"x")))
    assert not any(of(f"{OPTIONS} tcp-flagset tcp-window tcp-payload-length", found))


def sctp(chunks: str) -> bytes:
    return ipv4(132, hexed("9c400050 00000001 00000000") + hexed(chunks))


@pytest.mark.parametrize(
    ("chunks", "types"),
    [
        ("01000014" + "00" * 16, {"1"}),
        ("0a000005 aa000000 0b000004", {"10", "11"}),  # padded to four bytes
        ("00030011 00000001 00000000 00000000 61000000 03000010" + "00" * 12, {"0", "3"}),  # behind user data, too
        ("0a000004 c0000003 0b000004", {"10", "192"}),  # a broken length ends them
        ("0a000004 0b00", {"10"}),
        ("", set()),
    ],
)
def test_types_of_all_chunks(chunks: str, types: set[str]) -> None:
    assert of("sctp-chunk", texts(sctp(chunks))) == [types]


def test_chunks_count_at_any_level() -> None:
    assert of("sctp-chunk", texts(ipv4(4, sctp("0b000004")))) == [{"11"}]


def identified(packet: bytes, wire: int = 0) -> set[str | int]:
    return of("community-id", texts(packet, wire=wire))[0]


HERE, THERE, HERE6, THERE6 = "10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"
EXTENDED = ipv6(0, hexed("3c00 010400000000") + hexed("1100 010400000000") + UDP)


@pytest.mark.parametrize(
    ("packet", "conversation"),
    [
        (ipv4(6, TCP), (6, HERE, THERE, 40000, 80)),
        (ipv4(17, UDP), (17, HERE, THERE, 40000, 80)),
        (ipv4(132, UDP), (132, HERE, THERE, 40000, 80)),
        (ipv4(136, UDP), (136, HERE, THERE, 40000, 80)),
        (ipv6(17, UDP), (17, HERE6, THERE6, 40000, 80)),
        (EXTENDED, (17, HERE6, THERE6, 40000, 80)),
        (ipv4(51, hexed("0601 0000 00000001 00000001") + TCP), (6, HERE, THERE, 40000, 80)),
        (ipv4(17, UDP, flags=0x2000), (17, HERE, THERE, 40000, 80)),
        (ipv6(44, hexed("1100 0001 00000001") + UDP), (17, HERE6, THERE6, 40000, 80)),
        (ipv4(1, hexed("0800 0000 00010001")), (1, HERE, THERE, 8, 0)),
        (ipv4(1, hexed("0303 0000 00000000")), (1, HERE, THERE, 3, 3)),
        (ipv6(58, hexed("8700 0000 00000000")), (58, HERE6, THERE6, 135, 0)),
        (ipv4(47, hexed("0000 0800") + IPV4_TCP), (47, HERE, THERE)),
        (ipv4(4, IPV4_TCP), (4, HERE, THERE)),
        (ipv4(50, b"\1" * 20), (50, HERE, THERE)),
        (ipv6(59, b""), (59, HERE6, THERE6)),
        (ipv4(253, b""), (253, HERE, THERE)),
    ],
)
def test_the_conversation_is_that_of_the_community_id_package(packet: bytes, conversation: tuple[int, ...]) -> None:
    assert identified(packet) == {communityid.CommunityID().calc(communityid.FlowTuple(*conversation))}


@pytest.mark.parametrize(
    "packet",
    [
        ipv4(17, UDP, flags=1),
        ipv4(17, UDP, flags=0x2001),
        ipv6(44, hexed("1100 0008 00000001") + UDP),
        ipv4(50, b"\1" * 20, flags=1),
        ipv4(6, TCP, total=19),
    ],
)
def test_later_fragments_and_broken_headers_have_none(packet: bytes) -> None:
    assert identified(packet) == set()


@pytest.mark.parametrize(
    ("packet", "least"), [(ipv4(6, TCP), 24), (EXTENDED, 60), (ipv4(1, hexed("0800 0000")), 22), (ipv4(47, b""), 20)]
)
def test_what_was_cut_off_has_none(packet: bytes, least: int) -> None:
    for cut in range(20, len(packet) + 1):
        assert bool(identified(packet[:cut], wire=len(packet))) == (cut >= least), cut
