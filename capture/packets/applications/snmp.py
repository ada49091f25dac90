"""SNMP (RFC 1157, RFC 1901, RFC 3412)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "snmp-version",
        "number",
        "Version as it stands in the message: 0 is SNMPv1, 1 is SNMPv2c, 3 is SNMPv3.",
        'Row(snmp-version="SNMPv2c")',
        level="any",
        protocol="snmp",
        wireshark="snmp.version",
        maximum=255,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
