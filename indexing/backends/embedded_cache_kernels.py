"""Compiled passes over a field's bits of a shard in one piece (embedded_cache_rows).

A *set* is six arrays: rows uint64 (r,), ascending; start int64 (r + 1,): row i has containers start[i] .. start[i + 1] - 1; key
uint64 (k,): row << 4 | container; meta int64 (k,): where its data begins << 18 | kind << 16 | bits - 1; data uint16 (n,), where
bitmaps begin at multiples of four, and data64, the same bytes as uint64. A key comes once. All was checked when it was packed, so
that nothing is read outside of it. A bitmap of a shard has 16384 words.
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
    _RUNS,
    _U64,
    _WORDS_OF_CONTAINER,
    DAMAGED,
    _from,
    _key,
    _ones,
    _place,
    _up_to,
)
from indexing.roaring import ARRAY_MAX

_U16 = types.uint16[::1]
_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_MANY_RUNS = 64
_SHORT = 32  # values of an array that are looked for in another one
_SKEWED = 6  # an array so many times as long as the other is searched, not read


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
def _kept_as(w, at, kind, card):  # type: ignore[no-untyped-def]
    """As what a container is kept: of many runs it is made an array or a bitmap, which is sooner held against others."""
    if kind != _RUNS or w[at] <= _MANY_RUNS:
        return kind
    bits = np.int64(0)
    for j in range(np.int64(w[at])):
        low, high = np.int64(w[at + 1 + 2 * j]), np.int64(w[at + 2 + 2 * j])
        bits += high - low + 1
        if high < low or (j and low <= np.int64(w[at + 2 * j])):
            return kind  # damaged: it stays what it is
    if bits != card:
        return kind
    return np.int64(_ARRAY) if card < ARRAY_MAX else np.int64(_BITMAP)


@inlined()
def _size(w, at, kind, card):  # type: ignore[no-untyped-def]
    """How many numbers the data of a container has that is kept as this kind."""
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
        card = np.int64(w[9 + 6 * i]) + 1
        kind = _kept_as(w, at, np.int64(w[8 + 6 * i]), card)
        if kind == _BITMAP:
            to = (to + 3) & ~3
        to += _size(w, at, kind, card)
    return to


@compiled(types.void(_BLOB, types.int64, types.int64, _U64, _I64, _U16))
def pack(w, k, begin, key, meta, data):  # type: ignore[no-untyped-def]
    """Copies a blob's containers into `data`, zeroes; key, meta: (k,), filled."""
    to = begin
    for i in range(k):
        at = _place(w, k, i)
        card = np.int64(w[9 + 6 * i]) + 1
        kind = _kept_as(w, at, np.int64(w[8 + 6 * i]), card)
        if kind == _BITMAP:
            to = (to + 3) & ~3
        size = _size(w, at, kind, card)
        if kind == np.int64(w[8 + 6 * i]):
            for j in range(size):
                data[to + j] = w[at + j]
        else:
            n = to
            for j in range(np.int64(w[at])):
                for column in range(np.int64(w[at + 1 + 2 * j]), np.int64(w[at + 2 + 2 * j]) + 1):
                    if kind == _ARRAY:
                        data[n] = column
                        n += 1
                    else:
                        data[to + (column >> 4)] |= np.uint16(1 << (column & 15))
        key[i] = _key(w, i)
        meta[i] = to << 18 | kind << 16 | (card - 1)
        to += size


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


@inlined()
def _group_end(key, i):  # type: ignore[no-untyped-def]
    """Where the containers of the key of container i end."""
    end = i + 1
    while end < len(key) and key[end] == key[i]:
        end += 1
    return end


@inlined()
def _runs_of(meta, data, i, end):  # type: ignore[no-untyped-def]
    """How many runs containers i .. end - 1 have together, if they are runs, few and in order; else 0."""
    runs, last = np.int64(0), np.int64(-1)
    for c in range(i, end):
        at = _at(meta[c])
        if _kind(meta[c]) != _RUNS or not data[at] or np.int64(data[at + 1]) <= last:
            return np.int64(0)
        runs += np.int64(data[at])
        last = np.int64(data[at + 2 * np.int64(data[at])])
    return runs if runs <= _MANY_RUNS else np.int64(0)


@compiled(types.int64(_U64, _I64, _U16))
def merged_size(key, meta, data):  # type: ignore[no-untyped-def]
    """At most so many numbers has the data when containers of one key are made one."""
    size = np.int64(0)
    i = 0
    while i < len(key):
        end = _group_end(key, i)
        runs = _runs_of(meta, data, i, end)
        if end == i + 1:
            size += _size(data, _at(meta[i]), _kind(meta[i]), _card(meta[i])) + 3
        elif runs:
            size += 1 + 2 * runs
        else:
            card = np.int64(0)
            for c in range(i, end):
                card += _card(meta[c])
            size += card if card < ARRAY_MAX else _BITMAP_U16 + 3
        i = end
    return size


@compiled(types.UniTuple(types.int64, 2)(_U64, _I64, _U16, _U64, _U64, _I64, _U16, _U64))
def merge(key, meta, data, data64, out_key, out_meta, out, out64):  # type: ignore[no-untyped-def]
    """Containers (k,) in the order of their keys, those of one key made one: how many there are then, and numbers of data.

    out_key, out_meta: (k,); out: as long as merged_size says, and to a multiple of four."""
    words = np.empty(_WORDS_OF_CONTAINER, np.uint64)
    n, to = np.int64(0), np.int64(0)
    i = 0
    while i < len(key):
        end = _group_end(key, i)
        runs = _runs_of(meta, data, i, end)
        kind, card = _kind(meta[i]), np.int64(0)
        if end == i + 1:
            at, card = _at(meta[i]), _card(meta[i])
            if kind == _BITMAP:
                to = (to + 3) & ~3
            size = _size(data, at, kind, card)
            for j in range(size):
                out[to + j] = data[at + j]
        elif runs:
            size = np.int64(1)
            for c in range(i, end):
                at = _at(meta[c])
                for j in range(2 * np.int64(data[at])):
                    out[to + size + j] = data[at + 1 + j]
                size += 2 * np.int64(data[at])
                card += _card(meta[c])
            out[to] = runs
        else:
            words[:] = np.uint64(0)
            for c in range(i, end):
                _set_container(0, meta[c], data, data64, words)
            for j in range(_WORDS_OF_CONTAINER):
                card += _ones(words[j])
            if card < ARRAY_MAX:
                kind, size = np.int64(_ARRAY), card
                at = to
                for j in range(_WORDS_OF_CONTAINER):
                    word = words[j]
                    while word:
                        lowest = word & (~word + np.uint64(1))
                        out[at] = (j << 6) + _ones(lowest - np.uint64(1))
                        at += 1
                        word ^= lowest
            else:
                kind, size = np.int64(_BITMAP), np.int64(_BITMAP_U16)
                to = (to + 3) & ~3
                for j in range(_WORDS_OF_CONTAINER):
                    out64[(to >> 2) + j] = words[j]
        if card:
            out_key[n] = key[i]
            out_meta[n] = to << 18 | kind << 16 | (card - 1)
            n += 1
            to += size
        i = end
    return n, to


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


@compiled(types.int64(_U64, _I64, _U64, _I64, _U16, _U64, _U64, _U64))
def add_rows(rows, start, key, meta, data, data64, wanted, words):  # type: ignore[no-untyped-def]
    """Sets the columns of the wanted rows in `words`; how many containers they have."""
    found = 0
    if len(wanted) > len(rows):  # a predicate may mean a million rows, of which a shard has a thousand
        for i in range(len(rows)):
            if _row(wanted, rows[i]) >= 0:
                for c in range(start[i], start[i + 1]):
                    _set_container(np.int64(key[c] & np.uint64(15)) << 10, meta[c], data, data64, words)
                    found += 1
        return found
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


_ROW_OF_SET = (_I64, _U64, _I64, _U16, _U64)


@compiled(types.int64(*_ROW_OF_SET, types.int64, *_ROW_OF_SET, types.int64))
def count_both(a_start, a_key, a_meta, a, a64, r, b_start, b_key, b_meta, b, b64, s):  # type: ignore[no-untyped-def]
    """How many columns row r (which of the rows) of one set and row s of another have both."""
    count = np.int64(0)
    low = np.uint64(15)
    i, j, i_end, j_end = a_start[r], b_start[s], a_start[r + 1], b_start[s + 1]
    while i < i_end and j < j_end:
        mine, its = a_key[i] & low, b_key[j] & low
        if mine == its:
            count += _both(a_meta[i], a, a64, b_meta[j], b, b64)
        i += mine <= its
        j += its <= mine
    return count


@inlined()
def _containers(start, key, rows, container, found):  # type: ignore[no-untyped-def]
    """found (r,): the container of this number that each row has, -1 if it has none."""
    for i in range(len(rows)):
        found[i] = -1
        for c in range(start[rows[i]], start[rows[i] + 1]):
            if key[c] & np.uint64(15) == container:
                found[i] = c


@inlined()
def _spread(meta, data, data64, words, done):  # type: ignore[no-untyped-def]
    """words (1024,): an array's bits, unless that was done."""
    if not done:
        words[:] = np.uint64(0)
        _set_container(0, meta, data, data64, words)
    return True


@compiled(types.void(*_ROW_OF_SET, _I64, *_ROW_OF_SET, _I64, types.int64[:, ::1]))
def count_pairs(a_start, a_key, a_meta, a, a64, a_rows, b_start, b_key, b_meta, b, b64, b_rows, out):  # type: ignore[no-untyped-def]
    """out[i, j], zeroes: how many columns row a_rows[i] (which of the rows) of one set and b_rows[j] of another have both.

    The longer one of two arrays is spread as a bitmap, once for all pairs that it is in."""
    n, m = len(a_rows), len(b_rows)
    a_found, b_found = np.empty(n, np.int64), np.empty(m, np.int64)
    a_words, b_words = np.empty((n, _WORDS_OF_CONTAINER), np.uint64), np.empty((m, _WORDS_OF_CONTAINER), np.uint64)
    a_done, b_done = np.empty(n, np.bool_), np.empty(m, np.bool_)
    for container in range(16):
        _containers(a_start, a_key, a_rows, np.uint64(container), a_found)
        _containers(b_start, b_key, b_rows, np.uint64(container), b_found)
        a_done[:] = False
        b_done[:] = False
        for i in range(n):
            if a_found[i] < 0:
                continue
            its = a_meta[a_found[i]]
            for j in range(m):
                if b_found[j] < 0:
                    continue
                other = b_meta[b_found[j]]
                if _kind(its) != _ARRAY or _kind(other) != _ARRAY or min(_card(its), _card(other)) < _SHORT:
                    out[i, j] += _both(its, a, a64, other, b, b64)
                elif _card(its) <= _card(other):
                    b_done[j] = _spread(other, b, b64, b_words[j], b_done[j])
                    out[i, j] += _count_container(0, its, a, a64, b_words[j])
                else:
                    a_done[i] = _spread(its, a, a64, a_words[i], a_done[i])
                    out[i, j] += _count_container(0, other, b, b64, a_words[i])


@compiled(types.int64(types.int64, types.int64, _U64, _I64, _U16, _U64, types.uint64, _U64))
def columns(begin, end, key, meta, data, data64, first, out):  # type: ignore[no-untyped-def]
    """The columns of containers begin .. end - 1, each plus `first`; how many. DAMAGED if they are more than fit in `out`."""
    n = 0
    for c in range(begin, end):
        base = first + ((key[c] & np.uint64(15)) << np.uint64(16))
        at, kind = _at(meta[c]), _kind(meta[c])
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
    return n


@compiled(types.int64(_U64, _I64, _U16, _U64, _U64, _U64))
def positions(key, meta, data, data64, mask, out):  # type: ignore[no-untyped-def]
    """The positions of the bits whose columns are in the mask; how many. DAMAGED if they are more than fit in `out`."""
    some = np.empty(16, np.bool_)
    _empty_containers(mask, some)
    n = 0
    for c in range(len(key)):
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
    return n


@compiled(types.int64(_U64))
def popcount(words):  # type: ignore[no-untyped-def]
    """How many bits of a bitmap are set."""
    count = np.int64(0)
    for i in range(len(words)):
        count += _ones(words[i])
    return count
