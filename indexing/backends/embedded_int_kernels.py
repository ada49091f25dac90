"""Compiled passes over the numbers of an int fragment (embedded_ints), one for each width of a number.

delta: (n,) value - smallest. columns: uint32 (n,), or (0,) when they are first .. first + n - 1; a bitmap is uint64 (16384,).
Columns beyond the shard (a damaged blob) are passed over, so nothing is read or written outside of the bitmap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from capture.packets.compiling import compiled

_WIDTHS = (types.uint8, types.uint16, types.uint32, types.uint64)
_COLUMNS = types.Array(types.uint32, 1, "C", readonly=True)
_WORDS = types.uint64[::1]
_SUMMARY = types.Tuple((types.int64, types.uint64, types.uint64, types.uint64, types.int64, types.uint64, types.int64))


def _numbers(width: Any) -> Any:
    return types.Array(width, 1, "C", readonly=True)


@compiled([_SUMMARY(_numbers(width), _COLUMNS, types.int64, _WORDS) for width in _WIDTHS])
def summary(delta, columns, first, mask):  # type: ignore[no-untyped-def]
    """Of the numbers whose column is in the mask: how many, the sums of their low and of their high 32 bits, the least one and
    how often it comes, the greatest one and how often."""
    count, least_often, greatest_often = np.int64(0), np.int64(0), np.int64(0)
    low, high, least, greatest = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
    sparse = len(columns) > 0
    for i in range(len(delta)):
        column = np.int64(columns[i]) if sparse else first + i
        if column < 0 or column >> 6 >= len(mask) or not mask[column >> 6] >> np.uint64(column & 63) & np.uint64(1):
            continue
        number = np.uint64(delta[i])
        low += number & np.uint64(0xFFFFFFFF)
        high += number >> np.uint64(32)
        if count == 0 or number < least:
            least, least_often = number, np.int64(0)
        if count == 0 or number > greatest:
            greatest, greatest_often = number, np.int64(0)
        least_often += number == least
        greatest_often += number == greatest
        count += 1
    return count, low, high, least, least_often, greatest, greatest_often


@compiled([types.void(_numbers(width), _COLUMNS, types.int64, width, width, types.boolean, _WORDS) for width in _WIDTHS])
def compare(delta, columns, first, low, high, outside, words):  # type: ignore[no-untyped-def]
    """Sets the columns of the numbers in low..high (both inclusive), or of the others, in `words`."""
    sparse = len(columns) > 0
    for i in range(len(delta)):
        column = np.int64(columns[i]) if sparse else first + i
        if column >= 0 and column >> 6 < len(words):
            chosen = (delta[i] >= low) & (delta[i] <= high)
            words[column >> 6] |= np.uint64(chosen != outside) << np.uint64(column & 63)


@compiled([types.int64(_numbers(width), width, width) for width in _WIDTHS])
def count_between(delta, low, high):  # type: ignore[no-untyped-def]
    """How many numbers are in low..high, both inclusive."""
    count = np.int64(0)
    for i in range(len(delta)):
        count += (delta[i] >= low) & (delta[i] <= high)
    return count
