"""SIP (RFC 3261)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "sip-method",
        "text",
        "Method of a request; of a response the method in its CSeq header.",
        'Row(sip-method="INVITE")',
        level="any",
        protocol="sip",
        wireshark="sip.Method sip.CSeq.method",
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
