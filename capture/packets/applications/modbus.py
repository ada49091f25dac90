"""Modbus over TCP."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "modbus-function",
        "number",
        "Function codes of the segment's messages; of an exception response without its high bit.",
        'Row(modbus-function="Read Holding Registers")',
        level="any",
        protocol="modbus",
        wireshark="modbus.func_code",
        maximum=127,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
