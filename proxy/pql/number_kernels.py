"""Numbers as decimal text, many at once, in one compiled pass: a row with most of the packets is megabytes of it."""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import compiled

_VALUES = types.Array(types.uint64, 1, "C", readonly=True)
ROOM = 8  # bytes of `out` behind what is asked for: eight are written at once
_ZEROS, _COMMA = 0x3030303030303030, 44


@compiled(types.uint64(types.uint64))
def _eight_digits(value):  # type: ignore[no-untyped-def]
    """The digits of a number below 10^8, the first one in the lowest byte: halves, then pairs, then digits, each all at once.

    n * 10486 >> 20 is n // 100 up to 9999, n * 103 >> 10 is n // 10 up to 99. Source: P. Khuong, "How to print integers really
    fast" (pvk.ca, 2017)."""
    upper = value // np.uint64(10000)
    halves = upper | (value - upper * np.uint64(10000)) << np.uint64(32)
    upper = (halves * np.uint64(10486)) >> np.uint64(20) & np.uint64(0x7F0000007F)
    pairs = upper + ((halves - upper * np.uint64(100)) << np.uint64(16))
    upper = (pairs * np.uint64(103)) >> np.uint64(10) & np.uint64(0x000F000F000F000F)
    return upper + ((pairs - upper * np.uint64(10)) << np.uint64(8))


@compiled(types.uint64(_VALUES, types.uint8[::1]))
def write_decimals(values, out):  # type: ignore[no-untyped-def]
    """Writes each number with a comma behind it; how many bytes that were. out: room for that and ROOM more."""
    at, length = np.uint64(0), np.uint64(1)
    least, next_length = np.uint64(0), np.uint64(10)  # numbers of `length` digits
    for i in range(len(values)):
        value = values[i]
        if value < np.uint64(100000000):
            if value < least or value >= next_length:
                length, least, next_length = np.uint64(1), np.uint64(0), np.uint64(10)
                while value >= next_length:
                    least = next_length
                    next_length *= np.uint64(10)
                    length += np.uint64(1)
            text = (_eight_digits(value) + np.uint64(_ZEROS)) >> (np.uint64(64) - np.uint64(8) * length)
            if length < np.uint64(8):
                text |= np.uint64(_COMMA) << (np.uint64(8) * length)
            # These become one store.
            out[at] = np.uint8(text)
            out[at + np.uint64(1)] = np.uint8(text >> np.uint64(8))
            out[at + np.uint64(2)] = np.uint8(text >> np.uint64(16))
            out[at + np.uint64(3)] = np.uint8(text >> np.uint64(24))
            out[at + np.uint64(4)] = np.uint8(text >> np.uint64(32))
            out[at + np.uint64(5)] = np.uint8(text >> np.uint64(40))
            out[at + np.uint64(6)] = np.uint8(text >> np.uint64(48))
            out[at + np.uint64(7)] = np.uint8(text >> np.uint64(56))
            at += length
            out[at] = np.uint8(_COMMA)
            at += np.uint64(1)
            continue
        digits, rest = np.uint64(0), value
        while rest > 0:
            rest //= np.uint64(10)
            digits += np.uint64(1)
        rest = value
        for j in range(digits):
            upper = rest // np.uint64(10)
            out[at + digits - np.uint64(1) - np.uint64(j)] = np.uint8(np.uint64(48) + rest - upper * np.uint64(10))
            rest = upper
        at += digits
        out[at] = np.uint8(_COMMA)
        at += np.uint64(1)
    return at
