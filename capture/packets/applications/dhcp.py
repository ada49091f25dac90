"""DHCP for IPv4 (RFC 2131, RFC 2132)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "dhcp-hostname",
        "text",
        "Host name option (12) as sent.",
        "TopN(dhcp-hostname, n=10)",
        level="any",
        protocol="dhcp",
        wireshark="dhcp.option.hostname",
    ),
    Field(
        "dhcp-type",
        "number",
        "Message type option (53).",
        'Row(dhcp-type="Discover")',
        level="any",
        protocol="dhcp",
        wireshark="dhcp.option.dhcp",
        maximum=255,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
