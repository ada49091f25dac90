"""Compiled passes over a fragment's bytes: no Python per container, and no array as long as the fragment has bits.

`w` is the whole blob as uint16, `k` its number of containers; that header, descriptors and offsets lie within `w` was checked
(indexing/fragment.py). Where a container's data lies is checked here, container by container: DAMAGED says that it reaches
beyond the blob or is of no known type, and nothing is read outside of the arrays whatever the bytes hold. A bitmap of a shard
(`words`, `mask`) must have 16384 words.
"""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import compiled, inlined

DAMAGED = -1
_ARRAY, _BITMAP, _RUNS = 1, 2, 3
_BITMAP_U16 = 1 << 12
_WORDS_OF_CONTAINER = 1 << 10
_UNKNOWN = -2
_MAGIC = 12348

_BLOB = types.Array(types.uint16, 1, "C", readonly=True)
_U64, _I64, _I32 = types.uint64[::1], types.int64[::1], types.int32[::1]


@inlined()
def _key(w, i):  # type: ignore[no-untyped-def]
    at = 4 + 6 * i
    return (
        np.uint64(w[at])
        | np.uint64(w[at + 1]) << np.uint64(16)
        | np.uint64(w[at + 2]) << np.uint64(32)
        | np.uint64(w[at + 3]) << np.uint64(48)
    )


@inlined()
def _place(w, k, i):  # type: ignore[no-untyped-def]
    """Where in `w` the data of container i begins; DAMAGED if not all of it is there."""
    kind, size = w[8 + 6 * i], np.int64(w[9 + 6 * i]) + 1
    offset = np.int64(w[4 + 6 * k + 2 * i]) | np.int64(w[5 + 6 * k + 2 * i]) << 16
    at = offset >> 1
    if offset & 1 or at < 4 + 8 * k or at >= len(w):
        return DAMAGED
    if kind == _BITMAP:
        size = np.int64(_BITMAP_U16)
    elif kind == _RUNS:
        size = 1 + 2 * np.int64(w[at])
    elif kind != _ARRAY:
        return DAMAGED
    return at if at + size <= len(w) else DAMAGED


@inlined()
def _word(w, at):  # type: ignore[no-untyped-def]
    return (
        np.uint64(w[at])
        | np.uint64(w[at + 1]) << np.uint64(16)
        | np.uint64(w[at + 2]) << np.uint64(32)
        | np.uint64(w[at + 3]) << np.uint64(48)
    )


@inlined()
def _ones(word):  # type: ignore[no-untyped-def]
    """How many bits are set; LLVM makes one instruction of it."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inlined()
def _from(column):  # type: ignore[no-untyped-def]
    """The bits of a word from that of `column` on."""
    return np.uint64(0xFFFFFFFFFFFFFFFF) << np.uint64(column & 63)


@inlined()
def _up_to(column):  # type: ignore[no-untyped-def]
    """The bits of a word up to that of `column`, which is among them."""
    return np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(63 - (column & 63))


@inlined()
def _find(w, k, low, key):  # type: ignore[no-untyped-def]
    """The first container from `low` on whose key is not less than `key`; near ones are found soon."""
    step = 1
    high = low
    while high < k and _key(w, high) < key:
        low = high + 1
        high += step
        step *= 2
    high = min(high, k)
    while low < high:
        middle = (low + high) >> 1
        if _key(w, middle) < key:
            low = middle + 1
        else:
            high = middle
    return low


@inlined()
def _hull(mask, hull, c):  # type: ignore[no-untyped-def]
    """The last column of container c of the mask, -1 if it has none; hull[c, 0] is the first one then (both to the word). Looked
    for when first asked."""
    if hull[c, 1] == _UNKNOWN:
        first, end = c << 10, (c + 1) << 10
        head, tail = first, end - 1
        while head < end and not mask[head]:
            head += 1
        while tail >= head and not mask[tail]:
            tail -= 1
        hull[c, 0] = (head - first) << 6
        hull[c, 1] = ((tail - first) << 6) + 63 if head < end else -1
    return hull[c, 1]


@compiled(types.int64(_BLOB, types.int64, _U64, _U64))
def add_rows(w, k, rows, words):  # type: ignore[no-untyped-def]
    """Sets the columns of `rows` (ascending) in `words`. How many containers they have, or DAMAGED."""
    found = i = 0
    for r in range(len(rows)):
        i = _find(w, k, i, rows[r] << np.uint64(4))
        while i < k and _key(w, i) >> np.uint64(4) == rows[r]:
            at = _place(w, k, i)
            if at < 0:
                return DAMAGED
            first = np.int64(_key(w, i) & np.uint64(15)) << 10
            kind = w[8 + 6 * i]
            if kind == _ARRAY:
                for j in range(at, at + np.int64(w[9 + 6 * i]) + 1):
                    low = np.int64(w[j])
                    words[first + (low >> 6)] |= np.uint64(1) << np.uint64(low & 63)
            elif kind == _BITMAP:
                for j in range(_WORDS_OF_CONTAINER):
                    words[first + j] |= _word(w, at + 4 * j)
            else:
                for j in range(np.int64(w[at])):
                    low, high = np.int64(w[at + 1 + 2 * j]), np.int64(w[at + 2 + 2 * j])
                    head, tail = first + (low >> 6), first + (high >> 6)
                    if head == tail:
                        words[head] |= _from(low) & _up_to(high)
                    elif head < tail:
                        words[head] |= _from(low)
                        for word in range(head + 1, tail):
                            words[word] = np.uint64(0xFFFFFFFFFFFFFFFF)
                        words[tail] |= _up_to(high)
            found += 1
            i += 1
    return found


@compiled(types.int64(_BLOB, types.int64, _U64, _I64))
def count_rows(w, k, rows, counts):  # type: ignore[no-untyped-def]
    """Rows, ascending, and their bits as the descriptors tell them. rows, counts: (k,), filled; how many rows there are."""
    n = 0
    for i in range(k):
        row, card = _key(w, i) >> np.uint64(4), np.int64(w[9 + 6 * i]) + 1
        if n and rows[n - 1] == row:
            counts[n - 1] += card
        else:
            rows[n], counts[n] = row, card
            n += 1
    return n


@compiled(types.int64(_BLOB, types.int64, _U64, _U64, _I64))
def count_rows_within(w, k, mask, rows, counts):  # type: ignore[no-untyped-def]
    """Rows that have a column in the mask, ascending, and how many. rows, counts: (k,), filled; how many rows, or DAMAGED."""
    hull = np.full((16, 2), _UNKNOWN, np.int64)
    n = 0
    for i in range(k):
        key = _key(w, i)
        if _hull(mask, hull, np.int64(key & np.uint64(15))) < 0:
            continue
        at = _place(w, k, i)
        if at < 0:
            return DAMAGED
        first = np.int64(key & np.uint64(15)) << 10
        kind = w[8 + 6 * i]
        count = np.int64(0)
        if kind == _ARRAY:
            for j in range(at, at + np.int64(w[9 + 6 * i]) + 1):
                low = np.int64(w[j])
                count += np.int64(mask[first + (low >> 6)] >> np.uint64(low & 63) & np.uint64(1))
        elif kind == _BITMAP:
            for j in range(_WORDS_OF_CONTAINER):
                count += _ones(mask[first + j] & _word(w, at + 4 * j))
        else:
            for j in range(np.int64(w[at])):
                low, high = np.int64(w[at + 1 + 2 * j]), np.int64(w[at + 2 + 2 * j])
                head, tail = first + (low >> 6), first + (high >> 6)
                if head == tail:
                    count += _ones(mask[head] & _from(low) & _up_to(high))
                elif head < tail:
                    count += _ones(mask[head] & _from(low)) + _ones(mask[tail] & _up_to(high))
                    for word in range(head + 1, tail):
                        count += _ones(mask[word])
        if count:
            row = key >> np.uint64(4)
            if n and rows[n - 1] == row:
                counts[n - 1] += count
            else:
                rows[n], counts[n] = row, count
                n += 1
    return n


@compiled()
def _positions(w, k, mask, hull, out, n):  # type: ignore[no-untyped-def]
    """See positions_within; they are put into `out` from n on. How many are there then."""
    for i in range(k):
        key = _key(w, i)
        c = np.int64(key & np.uint64(15))
        greatest = _hull(mask, hull, c)
        if greatest < 0:
            continue
        least = hull[c, 0]
        at = _place(w, k, i)
        if at < 0:
            return DAMAGED
        first, base = c << 10, key << np.uint64(16)
        kind = w[8 + 6 * i]
        if kind == _ARRAY:
            j, end = at, at + np.int64(w[9 + 6 * i]) + 1
            high = end
            while high - j > 8:  # what lies before the mask is passed over
                middle = (j + high) >> 1
                if w[middle] < least:
                    j = middle
                else:
                    high = middle
            while j < end:
                low = np.int64(w[j])
                if low > greatest:
                    break
                if mask[first + (low >> 6)] >> np.uint64(low & 63) & np.uint64(1):
                    if n == len(out):
                        return DAMAGED
                    out[n] = base | np.uint64(low)
                    n += 1
                j += 1
        elif kind == _BITMAP:
            for j in range(least >> 6, (greatest >> 6) + 1):
                word = mask[first + j] & _word(w, at + 4 * j)
                while word:
                    lowest = word & (~word + np.uint64(1))
                    if n == len(out):
                        return DAMAGED
                    out[n] = base | np.uint64((j << 6) + _ones(lowest - np.uint64(1)))
                    n += 1
                    word ^= lowest
        else:
            for j in range(np.int64(w[at])):
                low, high = np.int64(w[at + 1 + 2 * j]), np.int64(w[at + 2 + 2 * j])
                for column in range(max(low, least), min(high, greatest) + 1):
                    if mask[first + (column >> 6)] >> np.uint64(column & 63) & np.uint64(1):
                        if n == len(out):
                            return DAMAGED
                        out[n] = base | np.uint64(column)
                        n += 1
    return n


@compiled(types.int64(_BLOB, types.int64, _U64, _U64))
def positions_within(w, k, mask, out):  # type: ignore[no-untyped-def]
    """The positions of the bits whose columns are in the mask, ascending. How many are in `out`, or DAMAGED.

    out: as long as the descriptors say that there are bits; DAMAGED also where there are more."""
    return _positions(w, k, mask, np.full((16, 2), _UNKNOWN, np.int64), out, 0)


@compiled(types.int64(_BLOB, _I64, _U64, _U64))
def positions_of_many(w, end, mask, out):  # type: ignore[no-untyped-def]
    """The positions of all bits of many blobs, one behind the other in `w`; end: where each ends. Those of each blob ascend.

    How many there are, or DAMAGED; `out` is filled as far as it reaches only if all of them fit: (0,) counts what the
    descriptors tell. mask: of every column."""
    n, begin = np.int64(0), np.int64(0)
    hull = np.full((16, 2), _UNKNOWN, np.int64)
    for b in range(len(end)):
        blob = w[begin : end[b]]
        begin = end[b]
        if len(blob) < 4 or blob[0] != _MAGIC or blob[1] & 0xFF:
            return DAMAGED
        k = np.int64(blob[2]) | np.int64(blob[3]) << 16
        if len(blob) < 4 + 8 * k:
            return DAMAGED
        if len(out):
            n = _positions(blob, k, mask, hull, out, n)
            if n < 0:
                return DAMAGED
        else:
            for i in range(k):
                n += np.int64(blob[9 + 6 * i]) + 1
    return n


@compiled(types.void(_U64, _I32, _I32))
def order_by_column(position, start, row):  # type: ignore[no-untyped-def]
    """Bits (n,) by column: those of column c are start[c] .. start[c + 1] - 1, each with the number of its row among those
    that occur in `position`, which ascends row by row. start: int32 (2^20 + 1,), zeroes; row: int32 (n,); both are filled."""
    n = len(position)
    for i in range(n):
        start[np.int64(position[i] & np.uint64(0xFFFFF)) + 1] += 1
    for i in range(1, len(start)):
        start[i] += start[i - 1]
    number = np.int32(-1)
    for i in range(n):
        if i == 0 or position[i] >> np.uint64(20) != position[i - 1] >> np.uint64(20):
            number += 1
        c = np.int64(position[i] & np.uint64(0xFFFFF))
        row[start[c]] = number
        start[c] += 1
    for i in range(len(start) - 1, 0, -1):  # each has run on to where the next begins
        start[i] = start[i - 1]
    start[0] = 0


@compiled(types.int64(_I32, _I64, _I32, _I32, types.int64, _I32, _I64))
def cross(start, code, other_start, other, width, out_start, out):  # type: ignore[no-untyped-def]
    """Every pair of a code and an `other` that one column has, as code * width + other, by column. How many pairs there are;
    out is filled as far as it reaches (with none: to count them)."""
    n = 0
    for c in range(len(start) - 1):
        out_start[c] = n
        for i in range(start[c], start[c + 1]):
            for j in range(other_start[c], other_start[c + 1]):
                if n < len(out):
                    out[n] = code[i] * width + other[j]
                n += 1
    out_start[len(start) - 1] = n
    return n


@compiled(types.int64(_U64, types.uint64, _U64))
def columns_of(words, first, out):  # type: ignore[no-untyped-def]
    """The columns of a bitmap, ascending, each plus `first`, as far as `out` reaches; how many."""
    n = 0
    for i in range(len(words)):
        word, base = words[i], first + np.uint64(i << 6)
        if word == np.uint64(0xFFFFFFFFFFFFFFFF) and n + 64 <= len(out):
            for j in range(64):
                out[n + j] = base + np.uint64(j)
            n += 64
            continue
        while word and n < len(out):
            lowest = word & (~word + np.uint64(1))
            out[n] = base + np.uint64(_ones(lowest - np.uint64(1)))
            n += 1
            word ^= lowest
    return n


@compiled(types.void(_U64, types.int64[:, ::1]))
def set_ranges(words, ranges):  # type: ignore[no-untyped-def]
    """Sets columns ranges[i, 0] to ranges[i, 1], both inclusive; ranges that are none of a shard are passed over."""
    for i in range(len(ranges)):
        low, high = ranges[i, 0], ranges[i, 1]
        if low < 0 or high < low or high >> 6 >= len(words):
            continue
        head, tail = low >> 6, high >> 6
        if head == tail:
            words[head] |= _from(low) & _up_to(high)
        else:
            words[head] |= _from(low)
            for word in range(head + 1, tail):
                words[word] = np.uint64(0xFFFFFFFFFFFFFFFF)
            words[tail] |= _up_to(high)
