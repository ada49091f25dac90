"""DHCP's options (RFC 2131, 2132)."""

from __future__ import annotations

import pytest

from tests.capture.packets.applications.both import assert_corpus_same, both
from tests.capture.packets.applications.figures import packets_with

END = b"\xff"


def option(code: int, value: bytes) -> bytes:
    return bytes([code, len(value)]) + value


def message(options: bytes, sname: bytes = b"", file: bytes = b"", cookie: bytes = b"\x63\x82\x53\x63") -> bytes:
    """RFC 2131, figure 1: op, htype, hlen, hops, 24 bytes of ids and addresses, chaddr, sname, file, options."""
    return b"\1\1\6\0" + bytes(24) + bytes(16) + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + cookie + options


DISCOVER = option(53, b"\1")


def found(payload: bytes) -> dict[str, list[bytes | int]]:
    return both("DHCPv4", payload, "udp", 68, 67)


def test_the_message_type_and_the_host_name() -> None:
    assert found(message(DISCOVER + option(61, b"\1abcdef") + option(12, b"laptop") + END)) == {
        "dhcp-type": [1],
        "dhcp-hostname": [b"laptop"],
    }


@pytest.mark.parametrize(
    ("sent", "value"),
    [(b"host\0\0", b"host"), (b"a\0b\0", b"a\0b"), (b"B\xc3\xbcro ", b"B\xc3\xbcro "), (b"x" * 255, b"x" * 255)],
)
def test_a_host_name_is_as_sent_without_trailing_nuls(sent: bytes, value: bytes) -> None:
    assert found(message(option(12, sent) + END)) == {"dhcp-hostname": [value]}


@pytest.mark.parametrize("sent", [b"", b"\0\0"])
def test_an_empty_host_name_is_none(sent: bytes) -> None:
    assert found(message(DISCOVER + option(12, sent) + END)) == {"dhcp-type": [1]}


def test_pads_are_passed_and_nothing_is_read_behind_the_end() -> None:
    assert found(message(bytes(3) + DISCOVER + bytes(2) + option(12, b"a") + END + b"\0" + option(12, b"b"))) == {
        "dhcp-type": [1],
        "dhcp-hostname": [b"a"],
    }


def test_options_end_with_the_payload_too() -> None:
    assert found(message(DISCOVER)) == {"dhcp-type": [1]}


@pytest.mark.parametrize(
    ("overload", "names"),
    [(1, [b"in-file"]), (2, [b"in-sname"]), (3, [b"in-file", b"in-sname"]), (0, None), (4, None), (7, None)],
)
def test_overload_says_which_fields_hold_options_too(overload: int, names: list[bytes] | None) -> None:
    sname, file = option(12, b"in-sname") + END, bytes(5) + option(12, b"in-file") + END
    want = {"dhcp-type": [1], "dhcp-hostname": names} if names else {"dhcp-type": [1]}
    assert found(message(DISCOVER + option(52, bytes([overload])) + END, sname, file)) == want


def test_overloaded_fields_may_be_full() -> None:
    """128 bytes of file, 64 of sname: RFC 2131, table 1."""
    names = [b"f" * 126, b"s" * 62]
    assert found(message(option(52, b"\3") + END, option(12, names[1]), option(12, names[0]))) == {"dhcp-hostname": names}
    cut = message(option(52, b"\3") + END, bytes(60) + b"\x0c\x03ab", bytes(124) + b"\x0c\x03ab")
    assert found(cut) == {}


def test_overload_counts_in_the_options_field_only() -> None:
    sname, file = option(12, b"in-sname") + END, option(52, b"\2") + END
    assert found(message(DISCOVER + option(52, b"\1") + END, sname, file)) == {"dhcp-type": [1]}


def test_an_option_that_would_leave_its_field_is_none() -> None:
    assert found(message(DISCOVER + b"\x0c\x09short")) == {"dhcp-type": [1]}
    assert found(message(DISCOVER + b"\x0c")) == {"dhcp-type": [1]}
    assert found(message(DISCOVER + option(52, b"\2") + END, sname=bytes(60) + b"\x0c\x04ab", file=b"cd")) == {"dhcp-type": [1]}


@pytest.mark.parametrize("value", [b"", b"\1\1"])
def test_a_message_type_is_one_byte(value: bytes) -> None:
    assert found(message(option(53, value) + option(12, b"a") + END)) == {"dhcp-hostname": [b"a"]}


def test_bootp_has_no_options() -> None:
    """RFC 951: 64 bytes of the vendor's; RFC 2131's options begin with a cookie."""
    assert found(message(DISCOVER + END, cookie=bytes(4))) == {}
    assert found(message(b"")[:236]) == {}


def test_types_and_names_are_those_that_tshark_sees() -> None:
    assert packets_with("dhcp-type", "formats/wireshark__dhcp-nanosecond.pcap") == {"1": 1, "2": 1, "3": 1, "5": 1}
    assert packets_with("dhcp-type", "formats/nfstream__dhcp_big_endian.pcapng") == {"1": 1, "2": 1, "3": 1, "5": 1}
    mix = "large/derived__merged-home-and-web-mix.pcap"
    assert packets_with("dhcp-hostname", mix, "udp portrange 67-68") == {
        "Shen": 1, "MacBook-Air": 2, "Joanna-PC": 1, "android-f7ca0f571270c52d": 1, "kevin-PC": 1, "sanji-LIFEBOOK-LH531": 1,
        "Lucas-iMac": 14, "TL-SG116E": 7, "pi3.ntop.org": 1,
    }  # fmt: skip


def test_of_a_packet_that_was_cut_the_whole_options_count() -> None:
    """tshark gives up on two packets here, whose ends were not captured: an offer and an acknowledgement."""
    capture = "formats/pcapngtest__le__basic__test012.pcapng"
    assert packets_with("dhcp-type", capture) == {"1": 1, "3": 1, "2": 1, "5": 1}


def test_both_readers_agree_on_real_and_damaged_messages() -> None:
    assert assert_corpus_same("DHCPv4") > 50
