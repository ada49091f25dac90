"""Columns of several parts: two cells as one field, sets of bits as rows, columns of several loops or dissectors as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.columns import IntValues, SetValues
from capture.packets.compiling import compiled
from capture.packets.fast.interning import NONE, distinct_pairs

_U32, _U64, _I64 = types.uint32[::1], types.uint64[::1], types.int64[::1]


@compiled(types.Tuple((_U32, _U32, _U64))(_U32, _U32, types.int64))
def either(a, b, domain):  # type: ignore[no-untyped-def]
    """Codes of two small numbers a packet (uint32 (n,), below `domain` or NONE), each once: (packet, code, values)."""
    codes = np.full(domain, NONE, np.uint32)
    packet, code = np.empty(2 * len(a), np.uint32), np.empty(2 * len(a), np.uint32)
    values = np.empty(min(domain, 2 * len(a)), np.uint64)
    k = known = 0
    for i in range(len(a)):
        for side in range(2):
            value = b[i] if side else a[i]
            if value == NONE or (side and value == a[i]):
                continue
            c = codes[value]
            if c == NONE:
                c = np.uint32(known)
                codes[value] = c
                values[known] = value
                known += 1
            packet[k] = i
            code[k] = c
            k += 1
    return packet[:k], code[:k], values[:known]


@compiled(types.UniTuple(_U32, 2)(_U32, _U32, _I64, _U32))
def expand(packet, code, begin, members):  # type: ignore[no-untyped-def]
    """Sets to their members: the set `code` of a packet stands for members[begin[code] : begin[code + 1]]."""
    total = 0
    for i in range(len(code)):
        total += begin[code[i] + 1] - begin[code[i]]
    out_packet, out_code = np.empty(total, np.uint32), np.empty(total, np.uint32)
    k = 0
    for i in range(len(code)):
        for j in range(begin[code[i]], begin[code[i] + 1]):
            out_packet[k] = packet[i]
            out_code[k] = members[j]
            k += 1
    return out_packet, out_code


def bits_as_rows(packet: NDArray[np.uint32], code: NDArray[np.uint32], sets: Sequence[Sequence[int]]) -> SetValues:
    """A set column from distinct sets of small numbers: sets[code] are the rows of a packet."""
    rows = sorted({row for one in sets for row in one})
    position = {row: k for k, row in enumerate(rows)}
    begin = np.zeros(len(sets) + 1, np.int64)
    begin[1:] = np.cumsum([len(one) for one in sets])
    members = np.array([position[row] for one in sets for row in one], np.uint32)
    packets, codes = expand(packet, code, begin, members)
    return SetValues(packets, codes, np.array(rows, np.uint64))


def spread(packet: NDArray[np.uint32], code: NDArray[np.uint32], column: SetValues, count: int) -> SetValues:
    """The column of packets that have one of `count` things each, from the column of those things (its `packet` is their number).

    packet: ascending; code: the number of each one's thing. Every thing is some packet's.
    """
    begin = np.searchsorted(column.packet, np.arange(count + 1)).astype(np.int64)
    packets, codes = distinct_pairs(*expand(packet, code, begin, column.code))
    return SetValues(packets, codes, column.values)


def merged(parts: Sequence[SetValues]) -> SetValues:
    """One column of several of the same field, each ascending by packet."""
    parts = [part for part in parts if len(part.packet)] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    new: dict[bytes | int, int] = {}
    packets, codes = [], []
    for part in parts:
        values = part.values if isinstance(part.values, list) else part.values.tolist()
        translate = np.array([new.setdefault(value, len(new)) for value in values], np.uint32)
        packets.append(part.packet)
        codes.append(translate[part.code] if len(values) else part.code)
    packet, code = np.concatenate(packets), np.concatenate(codes)
    order = np.argsort(packet, kind="stable")
    packet, code = distinct_pairs(np.ascontiguousarray(packet[order]), np.ascontiguousarray(code[order]))
    values = list(new)
    if isinstance(parts[0].values, list):
        return SetValues(packet, code, values)
    return SetValues(packet, code, np.array(values, np.uint64))


def merged_ints(parts: Sequence[IntValues]) -> IntValues:
    """One column of several of the same field; no packet has two values."""
    packet = np.concatenate([part.packet for part in parts])
    value = np.concatenate([part.value for part in parts])
    order = np.argsort(packet, kind="stable")
    return IntValues(packet[order], value[order])
