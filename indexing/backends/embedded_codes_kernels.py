"""Compiled passes over what each column of a shard has of a field (embedded_codes), and sums of an int field row by row.

A *coded field* is code (2^20,), uint16 or int32: the first row of each column as its place among the shard's rows of the field,
NONE_16 or NONE_32 where it has none; and the further rows of columns that have several: more_column int32 (x,), ascending, and
more_code (x,). mask is a bitmap of the shard, uint64 (16384,). weights: (2^20,) a number of each column, or (0,): there are none.
"""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import compiled, inlined
from indexing.backends.embedded_cache_kernels import _U16, _at, _card, _empty_containers, _kind
from indexing.fragment_kernels import _ARRAY, _BITMAP, _I32, _I64, _U64, _WORDS_OF_CONTAINER, _from, _ones, _up_to

NONE_16, NONE_32 = 0xFFFF, -1
_MANY_OF_A_WORD = 12  # bits: then all 64 weights are looked at, without a branch
PACKED = 40  # bits of the sum beside a count: a shard has 2^20 columns of weights below 2^16
_COLUMN = 1 << PACKED
_CODES = ((_U16, types.uint16), (_I32, types.int32))
_WEIGHTS = (_U16, _I64)
_TABLE = types.int64[:, ::1]


@inlined()
def _lowest(word):  # type: ignore[no-untyped-def]
    """Which bit is the lowest of a word that has one."""
    return _ones((word & (~word + np.uint64(1))) - np.uint64(1))


@compiled([types.int64(_U64, code, none, _I32, code) for code, none in _CODES])
def place(position, code, none, more_column, more_code):  # type: ignore[no-untyped-def]
    """Fills code, all `none` before, of positions (row << 20 | column) in order; how many columns have a further row, each time.

    Those are written too, in the order of rows, as far as there is room."""
    more, at = 0, np.int64(-1)
    row = np.uint64(0)
    for i in range(len(position)):
        its, column = position[i] >> np.uint64(20), np.int64(position[i] & np.uint64(0xFFFFF))
        if at < 0 or its != row:
            row = its
            at += 1
        if code[column] == none:
            code[column] = at
        else:
            if more < len(more_column):
                more_column[more], more_code[more] = column, at
            more += 1
    return more


@compiled([types.void(code, none, _I32, code, _U64, weight, _I64, _I64) for code, none in _CODES for weight in _WEIGHTS])
def tally(code, none, more_column, more_code, mask, weights, counts, sums):  # type: ignore[no-untyped-def]
    """Adds to counts (r,) how many columns of the mask each row has, and to sums (r,) their weights."""
    weighed = len(weights) > 0
    for w in range(len(mask)):
        word = mask[w]
        while word:
            column = (w << 6) + _lowest(word)
            word &= word - np.uint64(1)
            its = code[column]
            if its != none:
                counts[its] += 1
                if weighed:
                    sums[its] += np.int64(weights[column])
    for i in range(len(more_column)):
        column = np.int64(more_column[i])
        if mask[column >> 6] >> np.uint64(column & 63) & np.uint64(1):
            counts[more_code[i]] += 1
            if weighed:
                sums[more_code[i]] += np.int64(weights[column])


@compiled(types.void(_U16, _I32, _U16, _U64, _U16, _I64))
def tally_packed(code, more_column, more_code, mask, weights, out):  # type: ignore[no-untyped-def]
    """The same of codes and weights of two bytes, with one addition a column: out (65536,), of every code, also of none, is
    columns << 40 | sum of the weights, of which a shard has not so many that one reaches into the other."""
    weighed = len(weights) > 0
    for w in range(len(mask)):
        word = mask[w]
        if word == np.uint64(0xFFFFFFFFFFFFFFFF):
            if weighed:
                for i in range(w << 6, (w + 1) << 6):
                    out[code[i]] += _COLUMN + np.int64(weights[i])
            else:
                for i in range(w << 6, (w + 1) << 6):
                    out[code[i]] += _COLUMN
            continue
        while word:
            column = (w << 6) + _lowest(word)
            word &= word - np.uint64(1)
            out[code[column]] += _COLUMN + (np.int64(weights[column]) if weighed else 0)
    for i in range(len(more_column)):
        column = np.int64(more_column[i])
        if mask[column >> 6] >> np.uint64(column & 63) & np.uint64(1):
            out[more_code[i]] += _COLUMN + (np.int64(weights[column]) if weighed else 0)


@compiled(types.int64(_I64, _U64, _U64, _I64, _I64))
def unpack(packed, rows, out_rows, counts, sums):  # type: ignore[no-untyped-def]
    """Of what tally_packed left: the rows that have a column, how many and their weights, (r,), filled; how many rows. packed
    is zeroes again."""
    n = 0
    for i in range(len(rows)):
        if packed[i]:
            out_rows[n], counts[n], sums[n] = rows[i], packed[i] >> PACKED, packed[i] & (_COLUMN - 1)
            packed[i] = 0
            n += 1
    packed[NONE_16] = 0
    return n


@inlined()
def _next(more_column, at, column):  # type: ignore[no-untyped-def]
    """The first place from `at` on that is not before a column."""
    while at < len(more_column) and more_column[at] < column:
        at += 1
    return at


@compiled(
    [
        types.void(code, none, _I32, code, _I32, code, none, _I32, code, _I32, _U64, weight, _TABLE, _TABLE)
        for code, none in _CODES
        for weight in _WEIGHTS
    ]
)
def cross(a, a_none, a_column, a_more, a_place, b, b_none, b_column, b_more, b_place, mask, weights, counts, sums):  # type: ignore[no-untyped-def]
    """Adds to counts (n, m) how many columns of the mask have a row of each place of both fields, and to sums their weights.

    a_place, b_place: int32, of each code: its place in the table, or -1."""
    weighed = len(weights) > 0
    a_at, b_at = 0, 0
    for w in range(len(mask)):
        word = mask[w]
        while word:
            column = (w << 6) + _lowest(word)
            word &= word - np.uint64(1)
            a_at, b_at = _next(a_column, a_at, column), _next(b_column, b_at, column)
            i, its = a_at - 1, a[column]
            while its != a_none:
                row = a_place[its]
                if row >= 0:
                    j, other = b_at - 1, b[column]
                    while other != b_none:
                        to = b_place[other]
                        if to >= 0:
                            counts[row, to] += 1
                            if weighed:
                                sums[row, to] += np.int64(weights[column])
                        j += 1
                        if j >= len(b_column) or b_column[j] != column:
                            break
                        other = b_more[j]
                i += 1
                if i >= len(a_column) or a_column[i] != column:
                    break
                its = a_more[i]


@compiled(types.void(_U16, _U16, _U16, _U16, types.int64, _U64, _U16, types.int64[:, ::1]))
def cross_packed(a, a_place, b, b_place, columns, mask, weights, out):  # type: ignore[no-untyped-def]
    """The same of two fields of which no column has several rows, codes and weights of two bytes, without a branch for a column.

    a_place, b_place: (65536,), of each code, also of none: its place in the table, of which the last row and column take what is
    not wanted. columns: of the table. out: (4, cells) as tally_packed has it, added up afterwards: neighbours, which often are of
    one cell, need not wait for each other."""
    weighed = len(weights) > 0
    for w in range(len(mask)):
        word = mask[w]
        if word == np.uint64(0xFFFFFFFFFFFFFFFF):
            for i in range(w << 6, (w + 1) << 6):
                cell = np.int64(a_place[a[i]]) * columns + np.int64(b_place[b[i]])
                out[i & 3, cell] += _COLUMN + (np.int64(weights[i]) if weighed else 0)
            continue
        while word:
            column = (w << 6) + _lowest(word)
            word &= word - np.uint64(1)
            cell = np.int64(a_place[a[column]]) * columns + np.int64(b_place[b[column]])
            out[column & 3, cell] += _COLUMN + (np.int64(weights[column]) if weighed else 0)


@compiled([types.int64(code, none, _I32, code, code, none, _I32, code, types.int64, _U64, _I64) for code, none in _CODES])
def pairs(a, a_none, a_column, a_more, b, b_none, b_column, b_more, b_rows, mask, out):  # type: ignore[no-untyped-def]
    """What the columns of the mask have of both fields, as code of one * b_rows + code of the other, also what comes twice: how
    many; they are written as far as there is room."""
    found = 0
    a_at, b_at = 0, 0
    for w in range(len(mask)):
        word = mask[w]
        while word:
            column = (w << 6) + _lowest(word)
            word &= word - np.uint64(1)
            a_at, b_at = _next(a_column, a_at, column), _next(b_column, b_at, column)
            i, its = a_at - 1, a[column]
            while its != a_none:
                j, other = b_at - 1, b[column]
                while other != b_none:
                    if found < len(out):
                        out[found] = np.int64(its) * b_rows + np.int64(other)
                    found += 1
                    j += 1
                    if j >= len(b_column) or b_column[j] != column:
                        break
                    other = b_more[j]
                i += 1
                if i >= len(a_column) or a_column[i] != column:
                    break
                its = a_more[i]
    return found


@inlined()
def _weigh(word, column, weights):  # type: ignore[no-untyped-def]
    """The weights of the columns of a word whose first one is `column`."""
    total = np.int64(0)
    if _ones(word) >= _MANY_OF_A_WORD:
        for i in range(64):
            total += np.int64(weights[column + i]) & -np.int64(word >> np.uint64(i) & np.uint64(1))
        return total
    while word:
        total += np.int64(weights[column + _lowest(word)])
        word &= word - np.uint64(1)
    return total


@compiled([types.int64(_I64, _U64, _I64, _U16, _U64, _U64, weight, _U64, _U64, _I64, _I64) for weight in _WEIGHTS])
def sums_within(start, key, meta, data, data64, mask, weights, rows, out_rows, counts, sums):  # type: ignore[no-untyped-def]
    """Of a field in one piece (embedded_cache_kernels): the rows that have a column in the mask, how many and what these weigh;
    out_rows, counts, sums: (r,), filled; how many rows."""
    some = np.empty(16, np.bool_)
    _empty_containers(mask, some)
    n = 0
    for i in range(len(rows)):
        count, total = np.int64(0), np.int64(0)
        for c in range(start[i], start[i + 1]):
            container = np.int64(key[c] & np.uint64(15))
            if not some[container]:
                continue
            word, at, kind = container << 10, _at(meta[c]), _kind(meta[c])
            if kind == _ARRAY:
                for j in range(at, at + _card(meta[c])):
                    low = np.int64(data[j])
                    if mask[word + (low >> 6)] >> np.uint64(low & 63) & np.uint64(1):
                        count += 1
                        total += np.int64(weights[(word << 6) + low])
            elif kind == _BITMAP:
                for j in range(_WORDS_OF_CONTAINER):
                    both = mask[word + j] & data64[(at >> 2) + j]
                    if both:
                        count += _ones(both)
                        total += _weigh(both, (word + j) << 6, weights)
            else:
                for j in range(np.int64(data[at])):
                    low, high = np.int64(data[at + 1 + 2 * j]), np.int64(data[at + 2 + 2 * j])
                    for k in range(low >> 6, (high >> 6) + 1):
                        both = mask[word + k]
                        if k == low >> 6:
                            both &= _from(low)
                        if k == high >> 6:
                            both &= _up_to(high)
                        if both:
                            count += _ones(both)
                            total += _weigh(both, (word + k) << 6, weights)
        if count:
            out_rows[n], counts[n], sums[n] = rows[i], count, total
            n += 1
    return n
