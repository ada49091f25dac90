"""The client's hello in a datagram of QUIC: TLS's in CRYPTO frames (RFC 9001, 4), Google's CHLO of before."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.applications.quic_google import server_name
from capture.packets.applications.quic_initial import client_stream
from capture.packets.applications.quic_packets import public_header_version
from capture.packets.applications.tls_hello import handshake


def hello_values(datagram: bytes) -> Iterator[tuple[str, bytes | int]]:
    """What the client's hello in `datagram` has of TLS's fields."""
    stream = client_stream(datagram)
    if stream:
        name = server_name(stream, 4)
        if name:
            yield "tls-sni", name
        else:
            yield from handshake(stream, "q")
    else:
        name = google_name(datagram)
        if name:
            yield "tls-sni", name


def google_name(datagram: bytes) -> bytes:
    """The server name in a datagram of Google's QUIC whose hello is not encrypted; empty if there is none."""
    return server_name(datagram) if _is_google(datagram) else b""


def _is_google(datagram: bytes) -> bool:
    """Whether a datagram of Google's QUIC says its version: in the public header, or from Q044 on in a long header."""
    return public_header_version(datagram) is not None or (datagram[:1] >= b"\x80" and datagram[1:2] == b"Q")
