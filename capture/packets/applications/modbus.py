"""Modbus over TCP (MODBUS Messaging on TCP/IP Implementation Guide 1.0b, 3.1.3; Application Protocol 1.1b3, 4.1 and 7).

Each message: transaction, protocol 0, length of what follows (unit, function, data: 2 to 254), unit, function code, data. One
whose end is not in the segment counts if its function code is there.
"""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field
from capture.packets.labels.modbus import FUNCTIONS

FIELDS = (
    Field(
        "modbus-function",
        "number",
        "Function codes of the segment's messages; of an exception response without its high bit.",
        'Row(modbus-function="Read Holding Registers")',
        level="any",
        protocol="modbus",
        wireshark="modbus.func_code",
        labels=FUNCTIONS,
        maximum=127,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    at = 0
    while at + 8 <= len(payload):
        length = int.from_bytes(payload[at + 4 : at + 6], "big")
        if payload[at + 2 : at + 4] != b"\0\0" or not 2 <= length <= 254:
            return
        yield "modbus-function", payload[at + 7] & 0x7F
        at += 6 + length
