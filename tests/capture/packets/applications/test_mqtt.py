"""MQTT's control packets (OASIS MQTT 3.1.1, sections 2 and 3)."""

from __future__ import annotations

import pytest

from tests.capture.packets.applications.both import assert_corpus_same, both
from tests.capture.packets.applications.figures import packets_with

CONNECT = bytes.fromhex("10 0d 0004 4d515454 04 02 003c 0001 61")
PUBLISH = bytes.fromhex("30 05 0001 61") + b"on"
PINGREQ = bytes.fromhex("c000")
DISCONNECT = bytes.fromhex("e000")


def test_every_control_packet_of_a_segment_counts() -> None:
    assert both("MQTT", CONNECT + PUBLISH + PINGREQ + PUBLISH + DISCONNECT, destination=1883) == {"mqtt-type": [1, 3, 12, 14]}


@pytest.mark.parametrize(
    ("length", "size"), [("00", 0), ("7f", 127), ("8001", 128), ("ff7f", 16383), ("808001", 16384), ("80808000", 0)]
)
def test_the_next_packet_begins_behind_the_remaining_length(length: str, size: int) -> None:
    """Section 2.2.3: seven bits a byte, the least significant first; a set high bit says that more follow."""
    assert both("MQTT", b"\x30" + bytes.fromhex(length) + bytes(size) + PINGREQ, destination=1883) == {"mqtt-type": [3, 12]}


def test_a_cut_packet_counts_by_its_fixed_header() -> None:
    assert both("MQTT", CONNECT[:2], destination=1883) == {"mqtt-type": [1]}
    assert both("MQTT", PINGREQ + b"\x32\xff\xff\x03" + b"half", destination=1883) == {"mqtt-type": [12, 3]}


@pytest.mark.parametrize("tail", [b"\x32", b"\x32\xff", b"\x32\xff\xff\xff", b"\x32\xff\xff\xff\xff\x00", b"\x00\x00" + PUBLISH])
def test_a_cut_or_forbidden_fixed_header_does_not(tail: bytes) -> None:
    assert both("MQTT", PINGREQ + tail, destination=1883) == {"mqtt-type": [12]}


def test_types_are_those_that_tshark_sees() -> None:
    assert packets_with("mqtt-type", "protocols/zeek__mqtt.pcap") == {
        "1": 2, "2": 2, "8": 1, "9": 1, "3": 3, "12": 5, "13": 5, "14": 1
    }  # fmt: skip
    assert packets_with("mqtt-type", "linktypes/ipfixprobe__mqtt.pcap") == {
        "1": 5, "2": 5, "3": 5, "14": 4, "5": 1, "6": 1, "7": 1, "8": 1, "9": 1
    }  # fmt: skip


def test_both_readers_agree_on_real_and_damaged_segments() -> None:
    assert assert_corpus_same("MQTT") > 30
