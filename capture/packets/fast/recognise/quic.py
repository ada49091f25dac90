"""QUIC long headers and Google's QUIC: see capture.packets.recognise.quic."""

from __future__ import annotations

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.octets import three_digits, u32


@borrowing()
def is_quic(data, at, end):  # type: ignore[no-untyped-def]
    if end - at < 14:
        return False
    first = data[at]
    if first & 0x80:
        version = u32(data, at + 1)
        known = version >> 8 == 0xFF0000 or version >> 16 == 0xFACE or version == 1 or version == 0x6B3343CF
        if not known:
            known = (data[at + 1] == 0x51 or data[at + 1] == 0x54) and three_digits(data, at + 2, end)
        return known and data[at + 5] <= 20 and 6 + data[at + 5] < end - at
    return first & 0x09 == 0x09 and data[at + 9] == 0x51 and three_digits(data, at + 10, end)
