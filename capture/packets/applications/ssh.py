"""SSH identification strings (RFC 4253, 4.2)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "ssh-banner",
        "text",
        "Identification string as sent, without the line end.",
        "TopN(ssh-banner, n=10)",
        level="any",
        protocol="ssh",
        wireshark="ssh.protocol",
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    if payload.startswith(b"SSH-"):
        end = payload.find(b"\n")
        if end >= 0:  # else it is cut, and would be another software's
            yield "ssh-banner", payload[:end].removesuffix(b"\r")
