"""NTP (RFC 5905)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "ntp-mode",
        "number",
        "Mode.",
        'Row(ntp-mode="client")',
        level="any",
        protocol="ntp",
        wireshark="ntp.flags.mode",
        maximum=7,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
