"""DNS messages by their structure: see capture.packets.recognise.dns."""

from __future__ import annotations

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.octets import u16
from capture.packets.recognise.dns import MOST_QUESTIONS


@borrowing()
def is_dns(data, at, end):  # type: ignore[no-untyped-def]
    start, size = at, end - at
    if size < 12:
        return False
    opcode = data[at + 2] >> 3 & 15
    if opcode == 3 or 10 <= opcode <= 14:
        return False
    questions = u16(data, at + 4)
    if questions > MOST_QUESTIONS:
        return False
    records = u16(data, at + 6) + u16(data, at + 8) + u16(data, at + 10)
    if questions + records == 0:
        return False
    at += 12
    for _ in range(questions):
        at = _behind_name(data, start, at, end)
        if at < 0 or at + 4 > end:
            return False
        dns_class = u16(data, at + 2) & 0x7FFF
        if not (1 <= dns_class <= 4 or 254 <= dns_class <= 255):
            return False
        at += 4
    if records * 11 > size * 4:
        return False
    for number in range(records):
        at = _behind_name(data, start, at, end)
        if at < 0:
            return questions > 0
        if at + 10 > end:
            return questions > 0 and number > 0
        at += 10 + u16(data, at + 8)
        if at > end:
            return questions > 0 or number > 0
    return True


@borrowing()
def is_dns_over_tcp(data, at, end):  # type: ignore[no-untyped-def]
    if end - at < 14:
        return False
    length = u16(data, at)
    return length >= 12 and is_dns(data, at + 2, min(end, at + 2 + length))


@borrowing()
def _behind_name(data, start, at, end):  # type: ignore[no-untyped-def]
    """Offset behind the name at `at`, -1 if there is none."""
    while at < end:
        size = data[at]
        if size == 0:
            return at + 1
        if size >= 0xC0:
            if at + 2 > end:
                return -1
            pointer = u16(data, at) & 0x3FFF
            return at + 2 if 12 <= pointer < at - start else -1
        if size > 63:
            return -1
        at += 1 + size
    return -1
