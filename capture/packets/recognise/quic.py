"""QUIC long headers (RFC 9000, 17.2; RFC 9369), and Google's QUIC of before."""

from __future__ import annotations

_VERSION_1, _VERSION_2 = 1, 0x6B3343CF
_DRAFT_1, _DRAFT_22, _DRAFT_34 = 0xFF000001, 0xFF000016, 0xFF000022
_LONGEST_ID = 20


def is_quic(payload: bytes) -> bool:
    """True if a datagram begins with a long header of a known version, or with Google QUIC's version flag and tag."""
    if len(payload) < 14:
        return False
    if payload[0] & 0x80:
        version = int.from_bytes(payload[1:5], "big")
        if version == 0:
            return _is_negotiation(payload)
        if not _is_known(version):
            return False
        if _has_nibbles(version):
            return True
        return payload[5] <= _LONGEST_ID and 6 + payload[5] < len(payload)
    return bool(payload[0] & 0x01 and payload[0] & 0x08 and payload[9:10] == b"Q" and payload[10:13].isdigit())


def _is_known(version: int) -> bool:
    if version in (_VERSION_1, _VERSION_2) or _DRAFT_1 <= version <= _DRAFT_34 or version >> 16 == 0xFACE:
        return True
    text = version.to_bytes(4, "big")
    return text[:1] in (b"Q", b"T") and text[1:].isdigit()


def _has_nibbles(version: int) -> bool:
    """Drafts up to 21 and Google's Q044 to Q049 have both lengths of connection ids in one byte."""
    return _DRAFT_1 <= version < _DRAFT_22 or 0x51303434 <= version <= 0x51303439


def _is_negotiation(payload: bytes) -> bool:
    """RFC 9000, 17.2.1: version 0, two connection ids, the versions that the server has: at least one, and one that is known."""
    at = 6 + payload[5]
    if payload[5] > _LONGEST_ID or at >= len(payload) or payload[at] > _LONGEST_ID:
        return False
    at += 1 + payload[at]
    if at >= len(payload) or (len(payload) - at) % 4:
        return False
    return any(_is_known(int.from_bytes(payload[k : k + 4], "big")) for k in range(at, len(payload), 4))
