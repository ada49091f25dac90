"""A dissector's columns -> one fragment's bytes, in two compiled passes over the pairs and none of them sorted.

Packets come in ascending order, so the columns of every row do, too: it is enough to count first how many bits and runs each
row has in each container, to lay the containers out by row, and to write every pair to where its container stands then.
The layout and the rule by which a container is an array, a bitmap or runs are those of indexing/roaring.py.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.compiling import compiled, inlined
from indexing.roaring import ARRAY_MAX, MAGIC, RUNS_MAX, U64

_HEADER, _DESCRIPTOR, _OFFSET = 4, 6, 2  # in u16: the header, and of each container
_BITMAP_WORDS = 1 << 12  # u16 of a bitmap container
_NONE, _ARRAY, _BITMAP, _RUNS = 0, 1, 2, 3
_U16, _U32, _U64, _I64 = types.uint16[::1], types.uint32[::1], types.uint64[::1], types.int64[::1]
_TOO_LARGE = "a fragment of more than 4 GiB: container offsets are 32 bits"


def encode_codes(packet: NDArray[np.uint32], code: NDArray[np.uint32], rows: U64, shift: int) -> NDArray[np.uint8]:
    """Bytes of the bits (rows[code[i]], packet[i] + shift), all of one shard.

    packet: uint32 (n,), ascending; code: uint32 (n,), each below k; rows: uint64 (k,), each once; a pair of both comes once.
    shift: what makes a packet's number its column within the shard (0..2^20-1); may be negative.
    Raises ValueError where packets do not ascend, a code is no row's or a column no shard's: nothing is read or written outside
    of the arrays whatever they hold. Raises ValueError for more than 4 GiB."""
    order = np.argsort(rows, kind="stable") if rows.size > 1 else np.zeros(rows.size, np.int64)
    packet, code, rows = (
        np.ascontiguousarray(packet, np.uint32),
        np.ascontiguousarray(code, np.uint32),
        np.ascontiguousarray(rows, np.uint64),
    )
    encoded: NDArray[np.uint8] = _encode(packet, code, rows, order, shift).view(np.uint8)
    return encoded


@inlined()
def _stretch(packet, code, i, column):  # type: ignore[no-untyped-def]
    """How many pairs from i on are of one code and of packets that follow one another within one container: at least 1."""
    j, room = i + 1, i + (1 << 16) - (column & 0xFFFF)
    end = min(len(packet), room)
    while j < end and code[j] == code[i] and packet[j] == packet[j - 1] + 1:
        j += 1
    return np.int32(j - i)


@compiled(_U16(_U32, _U32, _U64, _I64, types.int64))
def _encode(packet, code, rows, order, shift):  # type: ignore[no-untyped-def]
    n, k = len(packet), len(rows)
    if len(code) != n:
        raise ValueError("as many packets as codes are needed")
    low_segment = high_segment = 0
    if n:
        if packet[0] + shift < 0 or packet[n - 1] + shift >= 1 << 20:
            raise ValueError("a column outside of the shard")
        low_segment, high_segment = (packet[0] + shift) >> 16, (packet[n - 1] + shift) >> 16
    segments = high_segment - low_segment + 1

    # Bits and runs of each container, (segment, code).
    bits, runs = np.zeros(segments * k, np.int32), np.zeros(segments * k, np.int32)
    last = np.full(k, -2, np.int32)  # the column that had this code last
    before = np.uint32(0)
    i = 0
    while i < n:
        c = code[i]
        # Not above the last one either: what lies between would be counted outside of the arrays before it is seen to descend.
        if packet[i] < before or packet[i] > packet[n - 1]:
            raise ValueError("packets that do not ascend")
        if c >= k:
            raise ValueError("a code without a row")
        column = np.int32(np.int64(packet[i]) + shift)
        length = _stretch(packet, code, i, column)
        at = ((column >> 16) - low_segment) * k + c
        bits[at] += length
        if last[c] != column - 1 or column & 0xFFFF == 0:
            runs[at] += 1
        last[c] = column + length - 1
        i += length
        before = packet[i - 1]

    containers = 0
    size = np.int64(0)
    kind = np.zeros(segments * k, np.uint8)
    for at in range(segments * k):
        if bits[at] == 0:
            continue
        containers += 1
        if runs[at] <= RUNS_MAX and runs[at] <= bits[at] // 2:
            kind[at] = _RUNS
            size += 1 + 2 * runs[at]
        elif bits[at] < ARRAY_MAX:
            kind[at] = _ARRAY
            size += bits[at]
        else:
            kind[at] = _BITMAP
            size += _BITMAP_WORDS
    base = _HEADER + (_DESCRIPTOR + _OFFSET) * containers
    if 2 * (base + size) > 0xFFFFFFFF:
        raise ValueError(_TOO_LARGE)
    out = np.empty(base + size, np.uint16)
    out[0], out[1] = MAGIC, 0
    out[2], out[3] = containers & 0xFFFF, containers >> 16

    # Where each container is written next; by ascending key, which is by row and then by segment.
    place = np.empty(segments * k, np.int64)
    descriptor, offset, data = _HEADER, _HEADER + _DESCRIPTOR * containers, np.int64(base)
    for which in range(k):
        c = order[which]
        for segment in range(segments):
            at = segment * k + c
            if kind[at] == _NONE:
                continue
            key = rows[c] << np.uint64(4) | np.uint64(low_segment + segment)
            for word in range(4):
                out[descriptor + word] = np.uint16(key >> np.uint64(16 * word) & np.uint64(0xFFFF))
            out[descriptor + 4] = kind[at]
            out[descriptor + 5] = np.uint16(bits[at] - 1)
            out[offset], out[offset + 1] = np.uint16((2 * data) & 0xFFFF), np.uint16((2 * data) >> 16)
            descriptor += _DESCRIPTOR
            offset += _OFFSET
            place[at] = data
            if kind[at] == _RUNS:
                out[data] = runs[at]
                place[at] = data - 1  # the first run begins two further on
                data += 1 + 2 * runs[at]
            elif kind[at] == _ARRAY:
                data += bits[at]
            else:
                out[data : data + _BITMAP_WORDS] = 0
                data += _BITMAP_WORDS

    last[:] = -2
    i = 0
    while i < n:
        c = code[i]
        column = np.int32(np.int64(packet[i]) + shift)
        length = _stretch(packet, code, i, column)
        at = ((column >> 16) - low_segment) * k + c
        low = column & 0xFFFF
        if kind[at] == _ARRAY:
            begin = place[at]
            for more in range(length):
                out[begin + more] = low + more
            place[at] = begin + length
        elif kind[at] == _RUNS:
            if last[c] != column - 1 or low == 0:
                place[at] += 2
                out[place[at]] = low
            out[place[at] + 1] = low + length - 1
            last[c] = column + length - 1
        else:
            begin = place[at]
            for value in range(low, low + length):
                out[begin + (value >> 4)] |= np.uint16(1 << (value & 15))
        i += length
    return out
