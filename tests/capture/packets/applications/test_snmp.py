"""SNMP's version: the first element of the message (RFC 1157, 4; RFC 1901, 3; RFC 3412, 6)."""

from __future__ import annotations

import pytest

from tests.capture.packets.applications.both import assert_corpus_same, both
from tests.capture.packets.applications.figures import packets_with, values_in

GET = bytes.fromhex("04067075626c6963 a00b 0201010201000201003000")  # community "public", get request without variables


def message(version: int, length: str = "18") -> bytes:
    return bytes.fromhex("30" + length + "0201") + bytes([version]) + GET


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_the_version_is_that_of_the_message(version: int) -> None:
    assert both("SNMP", message(version), "udp", 40000, 161) == {"snmp-version": [version]}


@pytest.mark.parametrize("length", ["18", "19", "8118", "820018", "8400000018"])
def test_the_length_of_the_sequence_may_be_written_in_several_bytes(length: str) -> None:
    assert both("SNMP", message(1, length), "udp", 40000, 161) == {"snmp-version": [1]}


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\xff\x02\x01\x01", bytes.fromhex("3018020200010406"), b"\x30\x18\x04\x01\x01" * 2]
)
def test_what_has_no_version_of_one_byte_has_none(data: bytes) -> None:
    assert both("SNMP", data, "udp", 40000, 161) == {}


def test_versions_are_those_that_tshark_sees() -> None:
    assert packets_with("snmp-version", "protocols/zeek__snmp__snmpwalk-short.pcap") == {"1": 400}
    assert packets_with("snmp-version", "linktypes/arkime__snmpv3_synthetic.pcap") == {"0": 2, "1": 5, "2": 2, "3": 3}


def test_every_version_is_recognised() -> None:
    """Version 3 has a sequence where the others have the community: RFC 3412, 6."""
    third = bytes.fromhex("301a 020103 3010 020101 020300ffe3 040104 020103 0400 0400")
    messages = [message(0), message(1), message(2), third]
    assert values_in("snmp-version", messages, "udp", 40000, 161) == [{"0"}, {"1"}, {"2"}, {"3"}]


def test_both_readers_agree_on_real_and_damaged_messages() -> None:
    assert assert_corpus_same("SNMP") > 400
