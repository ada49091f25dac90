"""DNS messages (RFC 1035) by their structure: UDP, TCP (with the length before each message), mDNS, LLMNR, NetBIOS names."""

from __future__ import annotations

MOST_QUESTIONS = 255  # Bonjour browsers ask for dozens at once
_OPCODES = frozenset((0, 1, 2, 4, 5, 6, 7, 8, 9, 15))  # NetBIOS name service (RFC 1002) uses 5 to 9 and 15 as well


def is_dns(message: bytes) -> bool:
    """True if `message` is a whole DNS message, or the beginning of one that was cut after its question."""
    if len(message) < 12:
        return False
    opcode = message[2] >> 3 & 15
    questions, answers, authorities, additionals = (int.from_bytes(message[i : i + 2], "big") for i in (4, 6, 8, 10))
    if opcode not in _OPCODES or questions > MOST_QUESTIONS or not questions + answers + authorities + additionals:
        return False
    at: int | None = 12
    for _ in range(questions):
        at = _name(message, at)
        if at is None or at + 4 > len(message):
            return False
        if int.from_bytes(message[at + 2 : at + 4], "big") & 0x7FFF not in (1, 2, 3, 4, 254, 255):
            return False
        at += 4
    records = answers + authorities + additionals
    if records * 11 > len(message) * 4:
        return False
    for number in range(records):
        at = _name(message, at)
        if at is None or at + 10 > len(message):
            return (questions > 0 and number > 0) or (at is None and questions > 0)
        at += 10 + int.from_bytes(message[at + 8 : at + 10], "big")
        if at > len(message):
            return questions > 0 or number > 0
    return True


def question_count(message: bytes) -> int:
    """Questions that the header of a DNS message announces."""
    return int.from_bytes(message[4:6], "big")


def is_dns_over_tcp(payload: bytes) -> bool:
    """True if a segment begins with a length and a DNS message of that length (or the first part of it)."""
    if len(payload) < 14:
        return False
    length = int.from_bytes(payload[:2], "big")
    return length >= 12 and is_dns(payload[2 : 2 + length])


def _name(message: bytes, at: int | None) -> int | None:
    """Offset behind the name at `at`, or None if there is none. A compression pointer must point back (RFC 1035, 4.1.4)."""
    while at is not None and at < len(message):
        size = message[at]
        if size == 0:
            return at + 1
        if size >= 0xC0:
            pointer = int.from_bytes(message[at : at + 2], "big") & 0x3FFF
            return at + 2 if at + 2 <= len(message) and 12 <= pointer < at else None
        if size > 63:
            return None
        at += 1 + size
    return None
