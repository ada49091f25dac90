"""NTP's mode (RFC 5905, 7.3)."""

from __future__ import annotations

from tests.capture.packets.applications.both import assert_corpus_same, both
from tests.capture.packets.applications.figures import packets_with


def test_the_mode_is_the_low_three_bits_of_the_first_byte() -> None:
    for mode in range(8):
        assert both("NTP", bytes([0b11_100_000 | mode]) + bytes(47), "udp", 123, 123) == {"ntp-mode": [mode]}


def test_a_control_message_is_mode_6() -> None:
    assert both("NTP", bytes.fromhex("160200010000000000000000"), "udp", 50000, 123) == {"ntp-mode": [6]}


def test_modes_are_those_that_tshark_sees() -> None:
    assert packets_with("ntp-mode", "protocols/ipfixprobe__ntp.pcap") == {"3": 28, "4": 28}


def test_both_readers_agree_on_real_and_damaged_messages() -> None:
    assert assert_corpus_same("NTP") > 50
