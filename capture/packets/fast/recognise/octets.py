"""Reading bytes of a payload. Whoever asks has checked that they lie before the payload's end, unless said otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture.packets.compiling import borrowing


def octets(text: bytes) -> NDArray[np.uint8]:
    """A constant for compiled code."""
    return np.frombuffer(text, np.uint8).copy()


@borrowing()
def u16(data, at):  # type: ignore[no-untyped-def]
    """Big-endian 16 bits."""
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])


@borrowing()
def u24(data, at):  # type: ignore[no-untyped-def]
    """Big-endian 24 bits."""
    return np.int64(data[at]) << 16 | np.int64(data[at + 1]) << 8 | np.int64(data[at + 2])


@borrowing()
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


@borrowing()
def is_digit(value):  # type: ignore[no-untyped-def]
    """An ASCII digit."""
    return np.uint8(48) <= value <= np.uint8(57)


@borrowing()
def is_upper(value):  # type: ignore[no-untyped-def]
    """An ASCII capital letter."""
    return np.uint8(65) <= value <= np.uint8(90)


@borrowing()
def is_letter(value):  # type: ignore[no-untyped-def]
    """An ASCII letter."""
    return is_upper(value & np.uint8(0xDF))


@borrowing()
def is_word(value):  # type: ignore[no-untyped-def]
    r"""What \w of a regular expression is in bytes."""
    return is_letter(value) or is_digit(value) or value == np.uint8(95)


@borrowing()
def is_space(value):  # type: ignore[no-untyped-def]
    r"""What \s of a regular expression is in bytes."""
    return value == np.uint8(32) or np.uint8(9) <= value <= np.uint8(13)


@borrowing()
def three_digits(data, at, end):  # type: ignore[no-untyped-def]
    """Whether data[at:end] begins with three digits; it may be shorter."""
    return at + 3 <= end and is_digit(data[at]) and is_digit(data[at + 1]) and is_digit(data[at + 2])
