"""TLS records and hellos (RFC 8446, RFC 5246), and what QUIC's Initial packets carry of them."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.applications.tls_hello import handshake
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


_HANDSHAKE, _CHANGE_CIPHER_SPEC = 22, 20
_TYPES = (20, 21, 22, 23, 24)  # change cipher spec, alert, handshake, application data, heartbeat
_LONGEST = 2**14 + 2048  # bytes of a record (RFC 5246, 6.2.3)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    if len(payload) >= 5 and payload[0] & 0x80 and payload[2] == 1:  # an SSL 2.0 hello: its version only
        yield "tls-version", int.from_bytes(payload[3:5], "big")
        return
    at = 0
    changed = False
    fragments: list[bytes] = []  # of handshake records one behind the other
    while (size := _record(payload, at)) is not None:
        kind = payload[at]
        yield "tls-type", kind
        if kind == _HANDSHAKE:
            fragments.append(payload[at + 5 : at + size])
        else:
            yield from handshake(b"".join(fragments), "t", True, changed)
            fragments = []
            changed = changed or kind == _CHANGE_CIPHER_SPEC
        at += size
    yield from handshake(b"".join(fragments), "t", False, changed)


def _record(payload: bytes, at: int) -> int | None:
    """Bytes of the record at `at`, its header included (RFC 8446, 5.1). None if there is no record's header."""
    if at + 5 > len(payload) or payload[at] not in _TYPES or payload[at + 1] != 3 or payload[at + 2] > 4:
        return None
    length = int.from_bytes(payload[at + 3 : at + 5], "big")
    if not 0 < length <= _LONGEST or (payload[at] == _CHANGE_CIPHER_SPEC and length != 1):
        return None
    return 5 + length
