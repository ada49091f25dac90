"""TLS records (RFC 8446, 5.1), SSL 2.0 hellos, and DTLS records (RFC 9147, 4)."""

from __future__ import annotations

_TYPES = (20, 21, 22, 23, 24)  # change cipher spec, alert, handshake, application data, heartbeat
_HANDSHAKES = frozenset((0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 67, 254))


def is_tls(payload: bytes) -> bool:
    """True if a segment begins with a TLS record header (SSL 3.0 to TLS 1.3) or an SSL 2.0 client hello."""
    if len(payload) < 5:
        return False
    kind, major, minor, length = payload[0], payload[1], payload[2], int.from_bytes(payload[3:5], "big")
    if kind in _TYPES and major == 3 and minor <= 4 and 0 < length <= 2**14 + 2048:
        return True if len(payload) < 6 or kind != 20 else length == 1
    return _is_ssl2_hello(payload)


def _is_ssl2_hello(payload: bytes) -> bool:
    """RFC 5246, appendix E.2: a client hello in SSL 2.0 form that offers SSL 3.0 or TLS (or SSL 2.0 itself)."""
    if len(payload) < 11 or not payload[0] & 0x80 or payload[2] != 1:
        return False
    length = int.from_bytes(payload[:2], "big") & 0x7FFF
    ciphers, session, challenge = (int.from_bytes(payload[i : i + 2], "big") for i in (5, 7, 9))
    version_known = payload[3:5] == b"\0\2" or (payload[3] == 3 and payload[4] <= 4)
    return version_known and ciphers % 3 == 0 and length == 9 + ciphers + session + challenge


def is_dtls(payload: bytes) -> bool:
    """True if a datagram begins with a DTLS record of version 1.0, 1.2 or OpenSSL's 0x0100."""
    if len(payload) < 13 or payload[0] not in (20, 21, 22, 23, 24, 25):
        return False
    length = int.from_bytes(payload[11:13], "big")
    return payload[1:3] in (b"\xfe\xff", b"\xfe\xfd", b"\x01\x00") and 0 < length <= len(payload) - 13
