"""Reading protobuf's wire format in compiled passes: where the fields of a message are, and many varints at once."""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import compiled

_BYTES = types.Array(types.uint8, 1, "C", readonly=True)

TRUNCATED, OVERFLOW, BAD_TAG, BAD_TYPE, END_GROUP = 1, 2, 3, 4, 5  # what is wrong, behind what was found


@compiled(types.Tuple((types.uint64, types.int64))(_BYTES, types.int64, types.int64))
def varint(data, at, end):  # type: ignore[no-untyped-def]
    """The number at `at`, and where it ends; instead of that -1 if it does not end before `end`, -2 if it is too long."""
    value = np.uint64(0)
    for i in range(10):
        if at + i >= end:
            return value, -1
        byte = data[at + i]
        if i == 9 and byte > 1:
            return value, -2
        value |= np.uint64(byte & np.uint8(127)) << np.uint64(7 * i)
        if byte < 128:
            return value, at + i + 1
    return value, -2


@compiled(types.Tuple((types.int64[:, ::1], types.uint64[::1], types.int64))(_BYTES))
def scan(data):  # type: ignore[no-untyped-def]
    """The fields of a message: place int64 (n, 4): number, wire type, start and end of the content; value uint64 (n,) of numbers;
    and 0 or what is wrong behind them."""
    room = 16
    place = np.empty((room, 4), np.int64)
    value = np.empty(room, np.uint64)
    n, at, end = 0, 0, len(data)
    wrong = 0
    while at < end:
        tag, after = varint(data, at, end)
        if after < 0:
            wrong = TRUNCATED if after == -1 else OVERFLOW
            break
        number, kind = np.int64(tag >> np.uint64(3)), np.int64(tag & np.uint64(7))
        if kind == 4:
            wrong = END_GROUP
            break
        if number <= 0 or number >= 1 << 29:
            wrong = BAD_TAG
            break
        start, stop, content = after, after, np.uint64(0)
        if kind == 0:
            content, stop = varint(data, after, end)
            if stop < 0:
                wrong = TRUNCATED if stop == -1 else OVERFLOW
                break
        elif kind == 1:
            stop = after + 8
        elif kind == 2:
            content, start = varint(data, after, end)
            if start < 0:
                wrong = TRUNCATED if start == -1 else OVERFLOW
                break
            if content > np.uint64(end - start):
                wrong = TRUNCATED
                break
            stop = start + np.int64(content)
        elif kind == 5:
            stop = after + 4
        else:
            wrong = BAD_TYPE
            break
        if stop > end:
            wrong = TRUNCATED
            break
        if n == room:
            room *= 2
            more_place, more_value = np.empty((room, 4), np.int64), np.empty(room, np.uint64)
            more_place[:n], more_value[:n] = place[:n], value[:n]
            place, value = more_place, more_value
        place[n, 0], place[n, 1], place[n, 2], place[n, 3] = number, kind, start, stop
        value[n] = content
        n += 1
        at = stop
    return place[:n], value[:n], wrong


@compiled(types.Tuple((types.uint64[::1], types.int64))(_BYTES, types.int64, types.int64))
def unpacked(data, start, end):  # type: ignore[no-untyped-def]
    """The varints between two places, uint64 (n,), and 0 or what is wrong behind them."""
    count = 0
    for i in range(start, end):
        if data[i] < 128:
            count += 1
    out = np.empty(count, np.uint64)
    at = start
    for i in range(count):
        byte = data[at]
        if byte < 128:  # most numbers of some messages
            out[i] = byte
            at += 1
            continue
        value, after = varint(data, at, end)
        if after < 0:
            return out[:i], OVERFLOW
        out[i] = value
        at = after
    return out, TRUNCATED if at < end else 0
