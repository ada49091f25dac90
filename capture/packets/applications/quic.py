"""QUIC long headers (RFC 9000, RFC 9369) and the ClientHello in Initial packets (RFC 9001)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field
from capture.packets.labels.quic import VERSIONS

FIELDS = (
    Field(
        "quic-version",
        "number",
        "Versions of the QUIC packets with a long header; Google's QUIC of before by its tag (`Q046` is 0x51303436).",
        'Row(quic-version="1")',
        level="any",
        protocol="quic",
        wireshark="quic.version",
        labels=VERSIONS,
        maximum=2**32 - 1,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
