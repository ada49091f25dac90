"""Reading bytes of a payload. Whoever asks has checked that they lie before the payload's end, unless said otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from capture.packets.compiled_cache import BOUNDS_CHECK
from capture.packets.compiling import borrowing, inlined


def octets(text: bytes) -> NDArray[np.uint8]:
    """A constant for compiled code."""
    return np.frombuffer(text, np.uint8).copy()


@intrinsic  # type: ignore[untyped-decorator]
def _load8(typing: Any, data: Any, at: Any) -> Any:
    """data[at : at + 8] (uint8 array, int64) as one number in the machine's order, unaligned and unchecked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        word = ir.IntType(64)
        return builder.load(builder.gep(array.data, [arguments[1]]), align=1, typ=word)

    return types.uint64(data, at), generate


@borrowing()
def line_end(data, at, end):  # type: ignore[no-untyped-def]
    """Offset of the first line feed or carriage return in data[at:end], `end` if there is none. Eight bytes at a time."""
    ones, highs = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
    while at + 8 <= end:
        if BOUNDS_CHECK and data[at] + data[at + 7] < 0:  # reads both
            break
        word = _load8(data, np.int64(at))
        feed, carriage = word ^ (ones * np.uint64(10)), word ^ (ones * np.uint64(13))
        # whether a byte is zero: Warren, Hacker's Delight, 6-1
        if ((feed - ones) & ~feed | (carriage - ones) & ~carriage) & highs:
            break
        at += 8
    while at < end and data[at] != 10 and data[at] != 13:
        at += 1
    return at


@inlined()
def u16(data, at):  # type: ignore[no-untyped-def]
    """Big-endian 16 bits."""
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])


@inlined()
def u24(data, at):  # type: ignore[no-untyped-def]
    """Big-endian 24 bits."""
    return np.int64(data[at]) << 16 | np.int64(data[at + 1]) << 8 | np.int64(data[at + 2])


@inlined()
def u32(data, at):  # type: ignore[no-untyped-def]
    """Big-endian 32 bits."""
    return u16(data, at) << 16 | u16(data, at + 2)


@borrowing()
def begins(data, at, end, mark):  # type: ignore[no-untyped-def]
    """Whether data[at:end] begins with the bytes `mark`; it may be shorter."""
    if end - at < len(mark):
        return False
    for k in range(len(mark)):
        if data[at + k] != mark[k]:
            return False
    return True


@inlined()
def is_digit(value):  # type: ignore[no-untyped-def]
    """An ASCII digit."""
    return np.uint8(48) <= value <= np.uint8(57)


@inlined()
def is_upper(value):  # type: ignore[no-untyped-def]
    """An ASCII capital letter."""
    return np.uint8(65) <= value <= np.uint8(90)


@inlined()
def is_letter(value):  # type: ignore[no-untyped-def]
    """An ASCII letter."""
    return is_upper(value & np.uint8(0xDF))


@inlined()
def is_word(value):  # type: ignore[no-untyped-def]
    r"""What \w of a regular expression is in bytes."""
    return is_letter(value) or is_digit(value) or value == np.uint8(95)


@inlined()
def is_space(value):  # type: ignore[no-untyped-def]
    r"""What \s of a regular expression is in bytes."""
    return value == np.uint8(32) or np.uint8(9) <= value <= np.uint8(13)


@inlined()
def three_digits(data, at, end):  # type: ignore[no-untyped-def]
    """Whether data[at:end] begins with three digits; it may be shorter."""
    return at + 3 <= end and is_digit(data[at]) and is_digit(data[at + 1]) and is_digit(data[at + 2])
