"""Modbus over TCP (MODBUS Messaging on TCP/IP Implementation Guide 1.0b, 3.1; Application Protocol 1.1b3, section 6)."""

from __future__ import annotations

import pytest

from tests.capture.packets.applications.both import assert_corpus_same, both
from tests.capture.packets.applications.figures import packets_with


def adu(pdu: str, transaction: int = 1) -> bytes:
    body = bytes.fromhex("11" + pdu)
    return transaction.to_bytes(2, "big") + b"\0\0" + len(body).to_bytes(2, "big") + body


READ_HOLDING = adu("03 006b 0003")
WRITE_COIL = adu("05 00ac ff00", 2)


def test_every_message_of_a_segment_counts() -> None:
    assert both("ModbusTCP", READ_HOLDING + WRITE_COIL, destination=502) == {"modbus-function": [3, 5]}


@pytest.mark.parametrize("size", [1, 2, 253])
def test_a_message_is_of_one_to_253_bytes_behind_its_unit(size: int) -> None:
    assert both("ModbusTCP", adu("07" + "aa" * (size - 1)) + WRITE_COIL, source=502) == {"modbus-function": [7, 5]}


def test_an_exception_response_counts_without_its_high_bit() -> None:
    assert both("ModbusTCP", adu("83 02"), source=502) == {"modbus-function": [3]}


def test_a_cut_message_counts_if_its_function_code_is_there() -> None:
    assert both("ModbusTCP", READ_HOLDING + WRITE_COIL[:8], destination=502) == {"modbus-function": [3, 5]}
    assert both("ModbusTCP", READ_HOLDING + WRITE_COIL[:7], destination=502) == {"modbus-function": [3]}


@pytest.mark.parametrize(
    "header",
    ["0002 0001 0006 11 05", "0002 0100 0006 11 05", "0002 0000 0001 11 05", "0002 0000 00ff 11 05", "0002 0000 0106 11 05"],
)
def test_what_is_no_header_ends_the_messages(header: str) -> None:
    """The protocol is 0; unit and function are two bytes, an application data unit has 260 at most (1.1b3, 4.1)."""
    assert both("ModbusTCP", READ_HOLDING + bytes.fromhex(header) + WRITE_COIL, destination=502) == {"modbus-function": [3]}


def test_functions_are_those_that_tshark_sees() -> None:
    """The capture holds a request and an exception response of every function code; the server echoes the first one."""
    want = {str(function): 2 for function in range(128)}
    want["1"] = 27
    assert packets_with("modbus-function", "protocols/ics__MODBUS-TestDataPart2.pcap") == want


def test_both_readers_agree_on_real_and_damaged_segments() -> None:
    assert assert_corpus_same("ModbusTCP") > 3000
