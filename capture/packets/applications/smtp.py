"""SMTP commands (RFC 5321)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "smtp-command",
        "text",
        "Commands of the client, in upper case; several in a segment are all counted.",
        'Row(smtp-command="MAIL")',
        level="any",
        protocol="smtp",
        wireshark="smtp.req.command",
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
