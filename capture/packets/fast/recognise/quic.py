"""QUIC long headers and Google's QUIC: see capture.packets.recognise.quic."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.octets import three_digits, u32


@borrowing()
def is_quic(data, at, end):  # type: ignore[no-untyped-def]
    if end - at < 14:
        return False
    first = data[at]
    if first & 0x80:
        version = u32(data, at + 1)
        if version == 0:
            return _is_negotiation(data, at, end)
        if not _is_known(data, at + 1, end):
            return False
        if 0xFF000001 <= version < 0xFF000016 or 0x51303434 <= version <= 0x51303439:
            return True
        return data[at + 5] <= 20 and 6 + data[at + 5] < end - at
    return first & 0x09 == 0x09 and data[at + 9] == 0x51 and three_digits(data, at + 10, end)


@borrowing()
def _is_known(data, at, end):  # type: ignore[no-untyped-def]
    version = u32(data, at)
    if version == 1 or version == 0x6B3343CF or 0xFF000001 <= version <= 0xFF000022 or version >> 16 == 0xFACE:
        return True
    return (data[at] == 0x51 or data[at] == 0x54) and three_digits(data, at + 1, end)


@borrowing()
def _is_negotiation(data, begin, end):  # type: ignore[no-untyped-def]
    at = begin + 6 + np.int64(data[begin + 5])
    if data[begin + 5] > 20 or at >= end or data[at] > 20:
        return False
    at += 1 + np.int64(data[at])
    if at >= end or (end - at) % 4:
        return False
    for k in range(at, end, 4):
        if _is_known(data, k, end):
            return True
    return False
