"""SSH (RFC 4253): the identification string that opens each direction, and the plain packets of the key exchange."""

from __future__ import annotations


def is_ssh(payload: bytes) -> bool:
    """True if a segment begins with `SSH-`, or is a key exchange packet (message numbers 20, 21, 30 to 34)."""
    if payload.startswith(b"SSH-"):
        return True
    if len(payload) < 8:
        return False
    length, padding, message = int.from_bytes(payload[:4], "big"), payload[4], payload[5]
    if not 4 <= padding < length <= 35000 or (length + 4) % 8:
        return False
    if message == 20:
        return b"-sha" in payload
    return message in (21, 30, 31, 32, 33, 34) and length + 4 <= len(payload) and length - padding < 4096
