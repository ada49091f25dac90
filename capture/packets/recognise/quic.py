"""QUIC long headers (RFC 9000, 17.2; RFC 9369), and Google's QUIC of before."""

from __future__ import annotations


def is_quic(payload: bytes) -> bool:
    """True if a datagram begins with a long header of a known version, or with Google QUIC's version flag and tag."""
    if len(payload) < 14:
        return False
    if payload[0] & 0x80:
        version = payload[1:5]
        draft = version[:3] in (b"\xff\0\0",) or version[:2] == b"\xfa\xce" or version in (b"\0\0\0\1", b"\x6b\x33\x43\xcf")
        known = draft or (version[:1] in (b"Q", b"T") and version[1:].isdigit())
        return bool(known and payload[5] <= 20 and 6 + payload[5] < len(payload))
    return bool(payload[0] & 0x01 and payload[0] & 0x08 and payload[9:10] == b"Q" and payload[10:13].isdigit())
