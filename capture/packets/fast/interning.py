"""Interning: from one value a packet (or an event) to distinct values and codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.columns import SetValues
from capture.packets.compiling import borrowing, compiled, inlined

NONE = np.uint32(0xFFFFFFFF)

_U8, _U32, _U64, _I64 = types.uint8[::1], types.uint32[::1], types.uint64[::1], types.int64[::1]
_PAIRS = types.UniTuple(_U32, 2)


@compiled(types.Tuple((_U32, _U32, _U64))(_U32, types.int64))
def small(cells, domain):  # type: ignore[no-untyped-def]
    """Codes of one small number a packet. cells: uint32 (n,), each below `domain`, or NONE: no value.

    Answers (packet, code, values): values uint64 in order of first use.
    """
    codes = np.full(domain, NONE, np.uint32)
    packet, code = np.empty(len(cells), np.uint32), np.empty(len(cells), np.uint32)
    values = np.empty(min(domain, len(cells)), np.uint64)
    k = known = 0
    for i in range(len(cells)):
        value = cells[i]
        if value == NONE:
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


@inlined()
def mixed(value):  # type: ignore[no-untyped-def]
    """A hash of a 64-bit number: splitmix64's finisher (Steele, Lea, Flood 2014)."""
    value ^= value >> np.uint64(30)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(27)
    value *= np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled(types.Tuple((_U32, _U64))(_U64))
def wide(numbers):  # type: ignore[no-untyped-def]
    """Codes of any 64-bit numbers: (code uint32 (n,), values uint64 in order of first use)."""
    capacity = 1024
    table = np.full(capacity, NONE, np.uint32)
    values = np.empty(capacity // 2, np.uint64)
    code = np.empty(len(numbers), np.uint32)
    known = 0
    last, last_code = np.uint64(0), NONE
    for i in range(len(numbers)):
        value = numbers[i]
        if value == last and last_code != NONE:
            code[i] = last_code
            continue
        at = np.int64(mixed(value) & np.uint64(capacity - 1))
        while table[at] != NONE and values[table[at]] != value:
            at = (at + 1) & (capacity - 1)
        if table[at] == NONE:
            if known == len(values):
                grown = np.empty(capacity, np.uint64)
                grown[:known] = values[:known]
                values = grown
                capacity *= 2
                table = np.full(capacity, NONE, np.uint32)
                for j in range(known):
                    at = np.int64(mixed(values[j]) & np.uint64(capacity - 1))
                    while table[at] != NONE:
                        at = (at + 1) & (capacity - 1)
                    table[at] = j
                at = np.int64(mixed(value) & np.uint64(capacity - 1))
                while table[at] != NONE:
                    at = (at + 1) & (capacity - 1)
            table[at] = known
            values[known] = value
            known += 1
        last, last_code = value, table[at]
        code[i] = last_code
    return code, values[:known]


@inlined()
def _of_triple(a, b, c):  # type: ignore[no-untyped-def]
    return mixed(a ^ b * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(c) << np.uint64(32))


@compiled(types.Tuple((_U32, _I64))(_U64, _U64, _U32))
def triples(a, b, c):  # type: ignore[no-untyped-def]
    """Codes of triples (a[i], b[i], c[i]), of which there are few: (code uint32 (n,), first: int64, i of each code)."""
    capacity = 1024
    table = np.full(capacity, NONE, np.uint32)
    first = np.empty(capacity // 2, np.int64)
    code = np.empty(len(a), np.uint32)
    known = 0
    for i in range(len(a)):
        if known == len(first):
            capacity *= 2
            grown = np.empty(capacity // 2, np.int64)
            grown[:known] = first
            first = grown
            table = np.full(capacity, NONE, np.uint32)
            for j in range(known):
                k = first[j]
                at = np.int64(
                    _of_triple(a[k], b[k], c[k])
                    & np.uint64(capacity - 1)
                )
                while table[at] != NONE:
                    at = (at + 1) & (capacity - 1)
                table[at] = j
        at = np.int64(
            _of_triple(a[i], b[i], c[i]) & np.uint64(capacity - 1)
        )
        while table[at] != NONE:
            k = first[table[at]]
            if a[k] == a[i] and b[k] == b[i] and c[k] == c[i]:
                break
            at = (at + 1) & (capacity - 1)
        if table[at] == NONE:
            table[at] = known
            first[known] = i
            known += 1
        code[i] = table[at]
    return code, first[:known]


@borrowing()
def _hash(data, at, length):  # type: ignore[no-untyped-def]
    value = np.uint64(length) * np.uint64(0x9E3779B97F4A7C15)
    i = np.int64(0)
    while i + 8 <= length:
        word = np.uint64(0)
        for j in range(8):
            word |= np.uint64(data[at + i + j]) << np.uint64(8 * j)
        value = mixed(value ^ word)
        i += 8
    word = np.uint64(0)
    j = 0
    while i < length:
        word |= np.uint64(data[at + i]) << np.uint64(8 * j)
        i += 1
        j += 1
    return mixed(value ^ word)


@borrowing()
def _same(data, a, b, length):  # type: ignore[no-untyped-def]
    for i in range(length):
        if data[a + i] != data[b + i]:
            return False
    return True


@compiled(types.Tuple((_U32, _I64))(_U8, _U64, _U64))
def spans(data, starts, lengths):  # type: ignore[no-untyped-def]
    """Codes of byte strings data[starts[k] : starts[k] + lengths[k]]: (code uint32 (n,), first: int64, k of each code)."""
    capacity = 64
    while capacity < 2 * len(starts):
        capacity *= 2
    table = np.full(capacity, NONE, np.uint32)
    code, first = np.empty(len(starts), np.uint32), np.empty(len(starts), np.int64)
    hashes = np.empty(len(starts), np.uint64)
    known = 0
    for k in range(len(starts)):
        start, length = np.int64(starts[k]), np.int64(lengths[k])
        h = _hash(data, start, length)
        at = np.int64(h & np.uint64(capacity - 1))
        while True:
            c = table[at]
            if c == NONE:
                table[at] = known
                first[known] = k
                hashes[known] = h
                c = np.uint32(known)
                known += 1
                break
            other = first[c]
            if hashes[c] == h and np.int64(lengths[other]) == length and _same(data, np.int64(starts[other]), start, length):
                break
            at = (at + 1) & (capacity - 1)
        code[k] = c
    return code, first[:known]


@compiled(types.UniTuple(_U32, 2)(_U32, _U32))
def distinct_pairs(packet, code):  # type: ignore[no-untyped-def]
    """(packet, code) pairs, each once and in order of packets. packet must be ascending."""
    out_packet, out_code = np.empty(len(packet), np.uint32), np.empty(len(packet), np.uint32)
    codes = np.int64(0)
    for i in range(len(code)):
        codes = max(codes, np.int64(code[i]) + 1)
    last = np.full(codes, NONE, np.uint32)  # the packet that had this code last: a packet may have thousands of values
    k = 0
    for i in range(len(packet)):
        if last[code[i]] != packet[i]:
            last[code[i]] = packet[i]
            out_packet[k] = packet[i]
            out_code[k] = code[i]
            k += 1
    return out_packet[:k], out_code[:k]


def distinct(
    data: NDArray[np.uint8], starts: NDArray[np.uint64], lengths: NDArray[np.uint64]
) -> tuple[NDArray[np.uint32], list[bytes]]:
    """Codes of byte strings (see `spans`), and the distinct ones."""
    code, first = spans(data, starts, lengths)
    begins, sizes = starts[first].tolist(), lengths[first].tolist()
    return code, [data[begin : begin + size].tobytes() for begin, size in zip(begins, sizes, strict=True)]


def texts(
    data: NDArray[np.uint8],
    packet: NDArray[np.uint32],
    starts: NDArray[np.uint64],
    lengths: NDArray[np.uint64],
    finish: Callable[[bytes], bytes | int | None] | None,
) -> SetValues:
    """A set column of byte strings (see `spans`), `finish` applied to each distinct one (see Slot)."""
    code, raw = distinct(data, starts, lengths)
    if finish is None:  # distinct already, and no loop emits empty texts
        packet, code = distinct_pairs(packet, code)
        return SetValues(packet, code, raw)
    return finished(packet, code, [finish(value) for value in raw])


def finished(packet: NDArray[np.uint32], code: NDArray[np.uint32], made: list[bytes | int | None] | list[bytes]) -> SetValues:
    """A set column from codes whose values may be None (left out) or the same for several codes. packet: ascending."""
    values: list[Any] = made
    kept = set(made) - {None, b""}
    if len(kept) < len(made):  # values to join, or to leave out
        new: dict[bytes | int, int] = {}
        translate = np.array([NONE if v is None or v == b"" else new.setdefault(v, len(new)) for v in made], np.uint32)
        code = translate[code]
        packet, code = packet[code != NONE], code[code != NONE]
        values = list(new)
    packets, codes = distinct_pairs(packet, code)
    if values and isinstance(values[0], bytes):
        return SetValues(packets, codes, values)
    return SetValues(packets, codes, np.array(values, np.uint64))


def several_fields(
    data: NDArray[np.uint8],
    packet: NDArray[np.uint32],
    starts: NDArray[np.uint64],
    lengths: NDArray[np.uint64],
    many: Callable[[bytes], Iterable[tuple[str, bytes | int]]],
) -> list[tuple[str, SetValues]]:
    """Set columns of the (field, value) pairs that `many` makes of each distinct one of byte strings (see `spans`)."""
    code, known_bytes = distinct(data, starts, lengths)
    values: dict[str, dict[bytes | int, int]] = {}
    codes: dict[str, list[list[int]]] = {}  # field -> of each distinct byte string, its values' codes
    for k, raw in enumerate(known_bytes):
        for field, value in many(raw):
            if field not in codes:
                values[field], codes[field] = {}, [[] for _ in known_bytes]
            known = values[field]
            codes[field][k].append(known.setdefault(value, len(known)))
    return [(field, _expanded(packet, code, codes[field], list(known))) for field, known in values.items()]


def _expanded(
    packet: NDArray[np.uint32], code: NDArray[np.uint32], codes: list[list[int]], values: list[bytes | int]
) -> SetValues:
    """A set column from codes that each stand for any number of values: code c for those numbered codes[c]."""
    counts = np.array([len(of) for of in codes], np.int64)
    flat = np.array([value for of in codes for value in of], np.uint32)
    begin = np.cumsum(counts) - counts
    times = counts[code]
    place = np.arange(int(times.sum()), dtype=np.int64) - np.repeat(np.cumsum(times) - times, times)
    packets, made = distinct_pairs(np.repeat(packet, times), flat[np.repeat(begin[code], times) + place])
    if isinstance(values[0], bytes):
        return SetValues(packets, made, values)  # type: ignore[arg-type]
    return SetValues(packets, made, np.array(values, np.uint64))
