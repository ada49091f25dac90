"""Compiled passes over a field's bits of a shard in one piece (embedded_cache_rows).

A *set* is six arrays: rows uint64 (r,), ascending; start int64 (r + 1,): row i has containers start[i] .. start[i + 1] - 1; key
uint64 (k,): row << 4 | container; meta int64 (k,): where its data begins << 18 | kind << 16 | bits - 1; data uint16 (n,), where
bitmaps begin at multiples of four, and data64, the same bytes as uint64. A key may come several times, with other columns each
time. All was checked when it was packed, so that nothing is read outside of it. A bitmap of a shard has 16384 words.
"""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import compiled, inlined
from indexing.fragment_kernels import (
    _ARRAY,
    _BITMAP,
    _BITMAP_U16,
    _BLOB,
    _I64,
    _U64,
    _WORDS_OF_CONTAINER,
    DAMAGED,
    _from,
    _key,
    _ones,
    _place,
    _up_to,
)

_U16 = types.uint16[::1]
_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_SKEWED = 16  # an array so many times as long as the other is searched, not read


@inlined()
def _at(meta):  # type: ignore[no-untyped-def]
    return meta >> 18


@inlined()
def _kind(meta):  # type: ignore[no-untyped-def]
    return (meta >> 16) & 3


@inlined()
def _card(meta):  # type: ignore[no-untyped-def]
    return (meta & 0xFFFF) + 1


@inlined()
def _size(w, at, kind, card):  # type: ignore[no-untyped-def]
    """How many numbers a container's data has."""
    if kind == _ARRAY:
        return card
    return np.int64(_BITMAP_U16) if kind == _BITMAP else 1 + 2 * np.int64(w[at])


@compiled(types.int64(_BLOB, types.int64, types.int64))
def packed_size(w, k, begin):  # type: ignore[no-untyped-def]
    """Where the data of a blob's containers ends when it is packed from `begin` on; DAMAGED if some is not there."""
    to = begin
    for i in range(k):
        at = _place(w, k, i)
        if at < 0:
            return DAMAGED
        kind = np.int64(w[8 + 6 * i])
        if kind == _BITMAP:
            to = (to + 3) & ~3
        to += _size(w, at, kind, np.int64(w[9 + 6 * i]) + 1)
    return to


@compiled(types.void(_BLOB, types.int64, types.int64, _U64, _I64, _U16))
def pack(w, k, begin, key, meta, data):  # type: ignore[no-untyped-def]
    """Copies a blob's containers; key, meta: (k,), filled."""
    to = begin
    for i in range(k):
        at = _place(w, k, i)
        kind, card = np.int64(w[8 + 6 * i]), np.int64(w[9 + 6 * i]) + 1
        if kind == _BITMAP:
            to = (to + 3) & ~3
        size = _size(w, at, kind, card)
        for j in range(size):
            data[to + j] = w[at + j]
        key[i] = _key(w, i)
        meta[i] = to << 18 | kind << 16 | (card - 1)
        to += size


@compiled(types.int64(_U64, _I64, _U64, _I64, _I64))
def rows_of(key, meta, rows, counts, start):  # type: ignore[no-untyped-def]
    """Rows, their bits and where their containers begin; rows, counts: (k,), start: (k + 1,), filled; how many rows."""
    n = 0
    for i in range(len(key)):
        row, card = key[i] >> np.uint64(4), _card(meta[i])
        if n and rows[n - 1] == row:
            counts[n - 1] += card
        else:
            rows[n], counts[n], start[n] = row, card, i
            n += 1
    start[n] = len(key)
    return n


@inlined()
def _row(rows, row):  # type: ignore[no-untyped-def]
    """Which of the rows it is, -1 if none."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) >> 1
        if rows[middle] < row:
            low = middle + 1
        else:
            high = middle
    return low if low < len(rows) and rows[low] == row else -1


@compiled(types.int64(_U64, types.uint64))
def find_row(rows, row):  # type: ignore[no-untyped-def]
    """Which of the rows it is, -1 if none."""
    return _row(rows, row)


@inlined()
def _set_container(word, meta, data, data64, words):  # type: ignore[no-untyped-def]
    """Sets a container's bits in words[word : word + 1024]."""
    at, kind = _at(meta), _kind(meta)
    if kind == _ARRAY:
        for j in range(at, at + _card(meta)):
            low = np.int64(data[j])
            words[word + (low >> 6)] |= np.uint64(1) << np.uint64(low & 63)
    elif kind == _BITMAP:
        at >>= 2
        for j in range(_WORDS_OF_CONTAINER):
            words[word + j] |= data64[at + j]
    else:
        for j in range(np.int64(data[at])):
            low, high = np.int64(data[at + 1 + 2 * j]), np.int64(data[at + 2 + 2 * j])
            head, tail = word + (low >> 6), word + (high >> 6)
            if head == tail:
                words[head] |= _from(low) & _up_to(high)
            elif head < tail:
                words[head] |= _from(low)
                for i in range(head + 1, tail):
                    words[i] = _FULL
                words[tail] |= _up_to(high)


@compiled(types.int64(_U64, _I64, _U64, _I64, _U16, _U64, _U64, _U64))
def add_rows(rows, start, key, meta, data, data64, wanted, words):  # type: ignore[no-untyped-def]
    """Sets the columns of the wanted rows in `words`; how many containers they have."""
    found = 0
    for r in range(len(wanted)):
        i = _row(rows, wanted[r])
        if i >= 0:
            for c in range(start[i], start[i + 1]):
                _set_container(np.int64(key[c] & np.uint64(15)) << 10, meta[c], data, data64, words)
                found += 1
    return found


@inlined()
def _count_container(word, meta, data, data64, mask):  # type: ignore[no-untyped-def]
    """How many of a container's bits are in mask[word : word + 1024]."""
    at, kind = _at(meta), _kind(meta)
    count = np.int64(0)
    if kind == _ARRAY:
        for j in range(at, at + _card(meta)):
            low = np.int64(data[j])
            count += np.int64(mask[word + (low >> 6)] >> np.uint64(low & 63) & np.uint64(1))
    elif kind == _BITMAP:
        at >>= 2
        for j in range(_WORDS_OF_CONTAINER):
            count += _ones(mask[word + j] & data64[at + j])
    else:
        for j in range(np.int64(data[at])):
            low, high = np.int64(data[at + 1 + 2 * j]), np.int64(data[at + 2 + 2 * j])
            head, tail = word + (low >> 6), word + (high >> 6)
            if head == tail:
                count += _ones(mask[head] & _from(low) & _up_to(high))
            elif head < tail:
                count += _ones(mask[head] & _from(low)) + _ones(mask[tail] & _up_to(high))
                for i in range(head + 1, tail):
                    count += _ones(mask[i])
    return count


@inlined()
def _empty_containers(mask, some):  # type: ignore[no-untyped-def]
    """some: (16,); whether a container of the mask has a bit."""
    for c in range(16):
        some[c] = False
        for j in range(c << 10, (c + 1) << 10):
            if mask[j]:
                some[c] = True
                break


@compiled(types.int64(_I64, _U64, _I64, _U16, _U64, _U64, _U64, _U64, _I64))
def count_within(start, key, meta, data, data64, mask, rows, out_rows, out):  # type: ignore[no-untyped-def]
    """Rows that have a column in the mask, and how many; out_rows, out: (r,), filled; how many rows."""
    some = np.empty(16, np.bool_)
    _empty_containers(mask, some)
    n = 0
    for i in range(len(rows)):
        count = np.int64(0)
        for c in range(start[i], start[i + 1]):
            container = np.int64(key[c] & np.uint64(15))
            if some[container]:
                count += _count_container(container << 10, meta[c], data, data64, mask)
        if count:
            out_rows[n], out[n] = rows[i], count
            n += 1
    return n


@compiled(types.void(_U64, _I64, _U64, _I64, _U16, _U64, _U64, _U64, _I64))
def add_counts(rows, start, key, meta, data, data64, mask, wanted, out):  # type: ignore[no-untyped-def]
    """Adds to out (w,) how many columns of each wanted row (w,) are in the mask."""
    for r in range(len(wanted)):
        i = _row(rows, wanted[r])
        if i >= 0:
            for c in range(start[i], start[i + 1]):
                out[r] += _count_container(np.int64(key[c] & np.uint64(15)) << 10, meta[c], data, data64, mask)


@inlined()
def _search(data, low, high, value):  # type: ignore[no-untyped-def]
    """The first place from low on, before high, that is not less; looked for near low first."""
    step = 1
    end = low
    while end < high and data[end] < value:
        low = end + 1
        end += step
        step *= 2
    end = min(end, high)
    while low < end:
        middle = (low + end) >> 1
        if data[middle] < value:
            low = middle + 1
        else:
            end = middle
    return low


@inlined()
def _arrays(a, a_at, a_end, b, b_at, b_end):  # type: ignore[no-untyped-def]
    """How many values two arrays have both; the first one is not longer."""
    count = np.int64(0)
    if (a_end - a_at) * _SKEWED < b_end - b_at:
        for i in range(a_at, a_end):
            b_at = _search(b, b_at, b_end, a[i])
            if b_at == b_end:
                break
            count += b[b_at] == a[i]
        return count
    while a_at < a_end and b_at < b_end:
        x, y = a[a_at], b[b_at]
        count += x == y
        a_at += x <= y
        b_at += y <= x
    return count


@inlined()
def _array_runs(a, a_at, a_end, b, b_at):  # type: ignore[no-untyped-def]
    count = np.int64(0)
    i = a_at
    for j in range(np.int64(b[b_at])):
        low, high = b[b_at + 1 + 2 * j], b[b_at + 2 + 2 * j]
        i = _search(a, i, a_end, low)
        while i < a_end and a[i] <= high:
            count += 1
            i += 1
    return count


@inlined()
def _runs_runs(a, a_at, b, b_at):  # type: ignore[no-untyped-def]
    count = np.int64(0)
    i, j, a_n, b_n = np.int64(0), np.int64(0), np.int64(a[a_at]), np.int64(b[b_at])
    while i < a_n and j < b_n:
        a_high, b_high = np.int64(a[a_at + 2 + 2 * i]), np.int64(b[b_at + 2 + 2 * j])
        low = max(np.int64(a[a_at + 1 + 2 * i]), np.int64(b[b_at + 1 + 2 * j]))
        count += max(np.int64(0), min(a_high, b_high) - low + 1)
        i += a_high <= b_high
        j += b_high <= a_high
    return count


@inlined()
def _both(a_meta, a, a64, b_meta, b, b64):  # type: ignore[no-untyped-def]
    """How many bits two containers have both."""
    a_kind, b_kind, a_at, b_at = _kind(a_meta), _kind(b_meta), _at(a_meta), _at(b_meta)
    if a_kind == _BITMAP:
        if b_kind == _BITMAP:
            count = np.int64(0)
            for j in range(_WORDS_OF_CONTAINER):
                count += _ones(a64[(a_at >> 2) + j] & b64[(b_at >> 2) + j])
            return count
        return _count_container(a_at >> 2, b_meta, b, b64, a64)
    if b_kind == _BITMAP:
        return _count_container(b_at >> 2, a_meta, a, a64, b64)
    if a_kind == _ARRAY:
        if b_kind == _ARRAY:
            a_end, b_end = a_at + _card(a_meta), b_at + _card(b_meta)
            if a_end - a_at <= b_end - b_at:
                return _arrays(a, a_at, a_end, b, b_at, b_end)
            return _arrays(b, b_at, b_end, a, a_at, a_end)
        return _array_runs(a, a_at, a_at + _card(a_meta), b, b_at)
    if b_kind == _ARRAY:
        return _array_runs(b, b_at, b_at + _card(b_meta), a, a_at)
    return _runs_runs(a, a_at, b, b_at)


@compiled()
def _rows_both(a_from, a_to, a_key, a_meta, a, a64, b_from, b_to, b_key, b_meta, b, b64):  # type: ignore[no-untyped-def]
    """How many columns two rows have both. Where a container comes several times, its pieces have no column in common."""
    count = np.int64(0)
    low = np.uint64(15)
    j = b_from
    for i in range(a_from, a_to):
        container = a_key[i] & low
        while j < b_to and b_key[j] & low < container:
            j += 1
        n = j
        while n < b_to and b_key[n] & low == container:
            count += _both(a_meta[i], a, a64, b_meta[n], b, b64)
            n += 1
    return count


@compiled(types.void(_I64, _U64, _I64, _U16, _U64, _I64, _U64, _I64, _U16, _U64, _I64, _I64, types.int64[:, ::1]))
def count_both(a_start, a_key, a_meta, a, a64, b_start, b_key, b_meta, b, b64, a_wanted, b_wanted, out):  # type: ignore[no-untyped-def]
    """out[i, j]: how many columns the row a_wanted[i] (which of the rows) of one set and b_wanted[j] of another have both."""
    for i in range(len(a_wanted)):
        r = a_wanted[i]
        for j in range(len(b_wanted)):
            s = b_wanted[j]
            out[i, j] = _rows_both(
                a_start[r], a_start[r + 1], a_key, a_meta, a, a64, b_start[s], b_start[s + 1], b_key, b_meta, b, b64
            )


@compiled(types.int64(types.int64, types.int64, _U64, _I64, _U16, _U64, types.uint64, _U64))
def columns(begin, end, key, meta, data, data64, first, out):  # type: ignore[no-untyped-def]
    """The columns of containers begin .. end - 1, each plus `first`; how many. DAMAGED if they are more than fit in `out`.

    The lowest bit of what is returned says whether they are out of order; the number is in those above."""
    n = 0
    unordered = 0
    for c in range(begin, end):
        base = first + ((key[c] & np.uint64(15)) << np.uint64(16))
        at, kind = _at(meta[c]), _kind(meta[c])
        if c > begin and key[c] == key[c - 1]:
            unordered = 1
        if kind == _ARRAY:
            size = _card(meta[c])
            if n + size > len(out):
                return DAMAGED
            for j in range(size):
                out[n + j] = base + np.uint64(data[at + j])
            n += size
        elif kind == _BITMAP:
            at >>= 2
            for j in range(_WORDS_OF_CONTAINER):
                word, from_ = data64[at + j], base + np.uint64(j << 6)
                size = _ones(word)
                if n + size > len(out):
                    return DAMAGED
                while word:
                    lowest = word & (~word + np.uint64(1))
                    out[n] = from_ + np.uint64(_ones(lowest - np.uint64(1)))
                    n += 1
                    word ^= lowest
        else:
            for j in range(np.int64(data[at])):
                low, high = np.int64(data[at + 1 + 2 * j]), np.int64(data[at + 2 + 2 * j])
                if high >= low and n + high - low + 1 > len(out):
                    return DAMAGED
                for column in range(low, high + 1):
                    out[n] = base + np.uint64(column)
                    n += 1
    return n << 1 | unordered


@compiled(types.int64(_U64, _I64, _U16, _U64, _U64, _U64))
def positions(key, meta, data, data64, mask, out):  # type: ignore[no-untyped-def]
    """The positions of the bits whose columns are in the mask; what is returned is as of `columns`."""
    some = np.empty(16, np.bool_)
    _empty_containers(mask, some)
    n = 0
    unordered = 0
    for c in range(len(key)):
        if c and key[c] == key[c - 1]:
            unordered = 1
        container = np.int64(key[c] & np.uint64(15))
        if not some[container]:
            continue
        base, first = key[c] << np.uint64(16), container << 10
        at, kind = _at(meta[c]), _kind(meta[c])
        if kind == _ARRAY:
            for j in range(at, at + _card(meta[c])):
                low = np.int64(data[j])
                if mask[first + (low >> 6)] >> np.uint64(low & 63) & np.uint64(1):
                    if n == len(out):
                        return DAMAGED
                    out[n] = base | np.uint64(low)
                    n += 1
        elif kind == _BITMAP:
            at >>= 2
            for j in range(_WORDS_OF_CONTAINER):
                word = mask[first + j] & data64[at + j]
                while word:
                    lowest = word & (~word + np.uint64(1))
                    if n == len(out):
                        return DAMAGED
                    out[n] = base | np.uint64((j << 6) + _ones(lowest - np.uint64(1)))
                    n += 1
                    word ^= lowest
        else:
            for j in range(np.int64(data[at])):
                for column in range(np.int64(data[at + 1 + 2 * j]), np.int64(data[at + 2 + 2 * j]) + 1):
                    if mask[first + (column >> 6)] >> np.uint64(column & 63) & np.uint64(1):
                        if n == len(out):
                            return DAMAGED
                        out[n] = base | np.uint64(column)
                        n += 1
    return n << 1 | unordered


@compiled(types.int64(_U64))
def popcount(words):  # type: ignore[no-untyped-def]
    """How many bits of a bitmap are set."""
    count = np.int64(0)
    for i in range(len(words)):
        count += _ones(words[i])
    return count
