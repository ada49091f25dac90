"""Compiled passes over the numbers of an int fragment (embedded_ints), one for each width of a number.

delta: (n,) value - smallest. columns: uint32 (n,), or (0,) when they are first .. first + n - 1; a bitmap is uint64 (16384,).
Columns beyond the shard (a damaged blob) are passed over, so nothing is read or written outside of the bitmap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from capture.packets.compiling import compiled, inlined
from indexing.fragment_kernels import _ones

_WIDTHS = (types.uint8, types.uint16, types.uint32, types.uint64)
_COLUMNS = types.Array(types.uint32, 1, "C", readonly=True)
_WORDS = types.uint64[::1]
_MANY_OF_A_WORD = 12  # bits: then all 64 numbers are looked at, without a branch
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


@compiled([types.Tuple((types.int64, types.uint64))(_numbers(width), types.int64, _WORDS) for width in _WIDTHS[:3]])
def dense_sum(delta, first, mask):  # type: ignore[no-untyped-def]
    """Of numbers of columns first .. first + n - 1 whose column is in the mask: how many, and their sum. They are below 2^32."""
    count, total = np.int64(0), np.uint64(0)
    for w in range(first >> 6, min(len(mask), (first + len(delta) + 63) >> 6)):
        word = mask[w]
        if not word:
            continue
        low, high = (w << 6) - first, (w << 6) - first + 64
        if low >= 0 and high <= len(delta) and word == np.uint64(0xFFFFFFFFFFFFFFFF):
            count += 64
            for i in range(low, high):
                total += np.uint64(delta[i])
            continue
        if low >= 0 and high <= len(delta) and _ones(word) >= _MANY_OF_A_WORD:
            count += _ones(word)
            for i in range(64):
                total += np.uint64(delta[low + i]) & (np.uint64(0) - (word >> np.uint64(i) & np.uint64(1)))
            continue
        while word:
            lowest = word & (~word + np.uint64(1))
            word ^= lowest
            i = low + _ones(lowest - np.uint64(1))
            if 0 <= i < len(delta):
                count += 1
                total += np.uint64(delta[i])
    return count, total


@compiled([types.void(_numbers(width), _COLUMNS, types.int64, width, width, types.boolean, _WORDS) for width in _WIDTHS])
def compare(delta, columns, first, low, high, outside, words):  # type: ignore[no-untyped-def]
    """Sets the columns of the numbers in low..high (both inclusive), or of the others, in `words`."""
    sparse = len(columns) > 0
    for i in range(len(delta)):
        column = np.int64(columns[i]) if sparse else first + i
        if column >= 0 and column >> 6 < len(words):
            chosen = (delta[i] >= low) & (delta[i] <= high)
            words[column >> 6] |= np.uint64(chosen != outside) << np.uint64(column & 63)


@compiled([types.void(_numbers(width), types.int64, width, width, types.boolean, _WORDS, _WORDS) for width in _WIDTHS])
def narrow(delta, first, low, high, outside, mask, words):  # type: ignore[no-untyped-def]
    """As compare, of numbers of columns first .. first + n - 1, those in the mask alone."""
    for w in range(first >> 6, min(len(mask), (first + len(delta) + 63) >> 6)):
        word = mask[w]
        while word:
            lowest = word & (~word + np.uint64(1))
            word ^= lowest
            i = (w << 6) - first + _ones(lowest - np.uint64(1))
            if 0 <= i < len(delta) and ((delta[i] >= low) & (delta[i] <= high)) != outside:
                words[w] |= lowest


@compiled([types.int64(_numbers(width), width, width) for width in _WIDTHS])
def count_between(delta, low, high):  # type: ignore[no-untyped-def]
    """How many numbers are in low..high, both inclusive."""
    count = np.int64(0)
    for i in range(len(delta)):
        count += (delta[i] >= low) & (delta[i] <= high)
    return count


# Bit planes (embedded_int_planes): the same numbers, bit by bit

_PLANES = types.uint64[:, ::1]
_CHUNK = 256  # words that a step goes through: what it holds of them stays in the nearest cache


@compiled([types.void(_numbers(width), types.Array(types.int64, 1, "C", readonly=True), _PLANES) for width in _WIDTHS])
def fill_planes(delta, columns, planes):  # type: ignore[no-untyped-def]
    """Sets in planes (depth, 16384) the bits of numbers (n,) at columns (n,); bits from `depth` on are 0."""
    for p in range(planes.shape[0]):
        plane = planes[p]
        for i in range(len(delta)):
            column = columns[i]
            if column >= 0 and column >> 6 < len(plane):
                plane[column >> 6] |= (np.uint64(delta[i]) >> np.uint64(p) & np.uint64(1)) << np.uint64(column & 63)


@inlined()
def _both(plane, mask):  # type: ignore[no-untyped-def]
    """How many bits both have."""
    ones = np.int64(0)
    for j in range(len(mask)):
        ones += _ones(plane[j] & mask[j])
    return np.uint64(ones)


@compiled(
    types.Tuple((types.int64, types.uint64))(
        _PLANES, types.uint64, types.uint64, types.boolean, _WORDS, types.boolean, types.uint64[::1], _WORDS
    )
)
def compare_planes(planes, low, high, outside, mask, weigh, held, out):  # type: ignore[no-untyped-def]
    """Out of the columns in the mask (16384,), those whose number is in low..high (both inclusive), or is not, into out (16384,).

    How many they are, and with `weigh` the sum of their numbers. held: (4 * 256,), for the time of the call. Bit by bit from the
    highest on, after O'Neil and Quass, "Improved Query Performance with Variant Indexes" (1997), section 4."""
    below, above = held[:_CHUNK], held[_CHUNK : 2 * _CHUNK]
    like_low, like_high = held[2 * _CHUNK : 3 * _CHUNK], held[3 * _CHUNK : 4 * _CHUNK]
    count, total = np.int64(0), np.uint64(0)
    # Slices, and places in them from 0 on: what else a processor's wide instructions are not used for
    for begin in range(0, len(mask), _CHUNK):
        wanted, chosen = mask[begin : begin + _CHUNK], out[begin : begin + _CHUNK]
        some = np.uint64(0)
        for j in range(_CHUNK):
            some |= wanted[j]
        if not some:
            for j in range(_CHUNK):
                chosen[j] = np.uint64(0)
            continue
        for j in range(_CHUNK):
            below[j] = np.uint64(0)
            above[j] = np.uint64(0)
            like_low[j] = np.uint64(0xFFFFFFFFFFFFFFFF)
            like_high[j] = np.uint64(0xFFFFFFFFFFFFFFFF)
        for p in range(planes.shape[0] - 1, -1, -1):
            plane = planes[p, begin : begin + _CHUNK]
            if low >> np.uint64(p) & np.uint64(1):
                for j in range(_CHUNK):
                    below[j] |= like_low[j] & ~plane[j]
                    like_low[j] &= plane[j]
            elif low:
                for j in range(_CHUNK):
                    like_low[j] &= ~plane[j]
            if high >> np.uint64(p) & np.uint64(1):
                for j in range(_CHUNK):
                    like_high[j] &= plane[j]
            else:
                for j in range(_CHUNK):
                    above[j] |= like_high[j] & plane[j]
                    like_high[j] &= ~plane[j]
        flip = np.uint64(0) if outside else np.uint64(0xFFFFFFFFFFFFFFFF)
        here = np.int64(0)
        for j in range(_CHUNK):
            chosen[j] = wanted[j] & ((below[j] | above[j]) ^ flip)
            here += _ones(chosen[j])
        count += here
        if weigh and here:
            for p in range(planes.shape[0]):
                total += _both(planes[p, begin : begin + _CHUNK], chosen) << np.uint64(p)
    return count, total


@compiled(types.uint64(_PLANES, _WORDS))
def sum_planes(planes, mask):  # type: ignore[no-untyped-def]
    """The sum of the numbers whose column is in the mask; it must be below 2^64."""
    total = np.uint64(0)
    for p in range(planes.shape[0]):
        total += _both(planes[p], mask) << np.uint64(p)
    return total
