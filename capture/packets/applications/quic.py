"""QUIC: versions of long headers (RFC 9000, RFC 9369), the ClientHello in Initial packets (RFC 9001), Google's QUIC of before."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.applications.quic_hello import hello_values
from capture.packets.applications.quic_packets import long_headers, public_header_version
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
    """(field, value) of all that `payload` has of FIELDS, and of TLS's fields, in the order of the wire."""
    google = public_header_version(payload)
    for version in (packet.version for packet in long_headers(payload)) if google is None else (google,):
        yield "quic-version", version
    yield from hello_values(payload)
