"""SNMP (RFC 1157, RFC 1901, RFC 1910, RFC 3412): the version is the first element of the message, an INTEGER of one byte.

X.690, 8.1.3: a length below 128 is one byte, else its low seven bits say how many bytes of length follow.
"""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

VERSIONS = {0: "SNMPv1", 1: "SNMPv2c", 2: "SNMPv2u", 3: "SNMPv3"}

FIELDS = (
    Field(
        "snmp-version",
        "number",
        "Version as it stands in the message: 0 is SNMPv1, 1 is SNMPv2c, 2 is SNMPv2u, 3 is SNMPv3.",
        'Row(snmp-version="SNMPv2c")',
        level="any",
        protocol="snmp",
        wireshark="snmp.version",
        labels=VERSIONS,
        maximum=255,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    at = 2 + (payload[1] & 0x7F if len(payload) > 1 and payload[1] & 0x80 else 0)  # behind the sequence's tag and length
    if payload[at : at + 2] == b"\x02\x01" and at + 2 < len(payload):
        yield "snmp-version", payload[at + 2]
