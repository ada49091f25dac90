"""TLS records and hellos (RFC 8446, RFC 5246), and what QUIC's Initial packets carry of them."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field
from capture.packets.labels.tls import HANDSHAKES, TYPES, VERSIONS

FIELDS = (
    Field(
        "tls-sni",
        "text",
        "Server names that a ClientHello asks for (RFC 6066), over TCP and in QUIC's Initial packets.",
        'Row(tls-sni="example.com")',
        level="any",
        protocol="tls",
        wireshark="tls.handshake.extensions_server_name",
    ),
    Field(
        "tls-version",
        "number",
        "Versions that hellos name: of a ClientHello those of its supported_versions extension, else its legacy version; "
        "of a ServerHello the chosen one. GREASE is left out.",
        'Row(tls-version="TLS 1.3")',
        level="any",
        protocol="tls",
        wireshark="tls.handshake.version tls.handshake.extensions.supported_version",
        labels=VERSIONS,
        maximum=65535,
    ),
    Field(
        "tls-alpn",
        "text",
        "Application protocols that hellos offer or choose (RFC 7301). GREASE is left out.",
        'Row(tls-alpn="h2")',
        level="any",
        protocol="tls",
        wireshark="tls.handshake.extensions_alpn_str",
    ),
    Field(
        "tls-ja3",
        "text",
        "JA3 fingerprint of a ClientHello: the MD5 of its versions, ciphers, extensions, curves and point formats, in "
        "hexadecimal.",
        'Row(tls-ja3="e7d705a3286e19ea42f587b344ee6865")',
        level="any",
        protocol="tls",
        wireshark="tls.handshake.ja3",
    ),
    Field(
        "tls-ja4",
        "text",
        "JA4 fingerprint of a ClientHello, over TCP (`t...`) and QUIC (`q...`).",
        'Row(tls-ja4="t13d1516h2_8daaf6152771_b186095e22b6")',
        level="any",
        protocol="tls",
        wireshark="tls.handshake.ja4",
    ),
    Field(
        "tls-type",
        "number",
        "Content types of the TLS records that begin in the packet.",
        'Row(tls-type="Handshake")',
        level="any",
        protocol="tls",
        wireshark="tls.record.content_type",
        labels=TYPES,
        maximum=255,
    ),
    Field(
        "tls-handshake",
        "number",
        "Types of the handshake messages that begin in the packet, as far as they are not encrypted.",
        'Row(tls-handshake="Client Hello")',
        level="any",
        protocol="tls",
        wireshark="tls.handshake.type",
        labels=HANDSHAKES,
        maximum=255,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
