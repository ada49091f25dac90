"""NTP (RFC 5905): on its port, with a header that makes sense."""

from __future__ import annotations


def is_ntp(payload: bytes) -> bool:
    """True for versions 1 to 4 with a mode: 48 bytes at least, control (6) and private (7) messages shorter."""
    if len(payload) < 8:
        return False
    version, mode = payload[0] >> 3 & 7, payload[0] & 7
    if not 1 <= version <= 4:
        return False
    return (1 <= mode <= 5 and len(payload) >= 48 and payload[1] <= 16) or (mode == 6 and len(payload) >= 12) or mode == 7
