"""What each column of a shard has of a set field, the other way round from its rows: for counts under a filter that leaves few
columns, and for what two fields have together.

Two bytes a column (four where a field has more than 65,534 rows in the shard), made out of the rows when a field is asked for
again, and kept as they are (embedded_cache).
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends import embedded_codes_kernels as kernels
from indexing.backends.embedded_shard import Shard
from indexing.roaring import SHARD_EXPONENT, SHARD_WIDTH, U64

I64 = NDArray[np.int64]
_EXPONENT = np.uint64(SHARD_EXPONENT)
_NO_COLUMNS = np.zeros(0, np.int32)


class Codes:
    """See embedded_codes_kernels: a coded field. rows: uint64 (r,), ascending; what a code stands for. Changed by nobody."""

    def __init__(self, position: U64) -> None:
        """position: row << 20 | column, ascending, each once."""
        row = position >> _EXPONENT
        self.rows: U64 = row[np.flatnonzero(np.append(True, row[1:] != row[:-1]))] if row.size else row
        none = kernels.NONE_16 if self.rows.size < kernels.NONE_16 else kernels.NONE_32
        kind: Any = np.uint16 if none == kernels.NONE_16 else np.int32
        self._fill(position, kind, none)

    def _fill(self, position: U64, kind: Any, none: int) -> None:
        code, column, more = np.full(SHARD_WIDTH, none, kind), _NO_COLUMNS, np.zeros(0, kind)
        further = kernels.place(position, code, kind(none), column, more)
        if further:
            code[:] = none
            column, more = np.empty(further, np.int32), np.empty(further, kind)
            kernels.place(position, code, kind(none), column, more)
            order = np.argsort(column, kind="stable")
            column, more = column[order], more[order]
        self.code, self.none, self.more_column, self.more_code = code, kind(none), column, more

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(one.nbytes for one in (self.rows, self.code, self.more_column, self.more_code))

    @property
    def bits(self) -> int:
        """How many further rows columns have."""
        return self.more_column.size

    def wide(self) -> Codes:
        """The same with codes of four bytes."""
        if self.code.dtype == np.int32:
            return self
        wide = object.__new__(Codes)
        wide.rows, wide.none, wide.more_column = self.rows, np.int32(kernels.NONE_32), self.more_column
        wide.code = np.where(self.code == self.none, kernels.NONE_32, self.code.astype(np.int32)).astype(np.int32)
        wide.more_code = self.more_code.astype(np.int32)
        return wide

    def tally(self, mask: U64, weights: NDArray[Any]) -> tuple[U64, I64, I64]:
        """Rows that have a column of the mask, how many, and their weights' sum (weights (0,): 0)."""
        if self.code.dtype == np.uint16 and weights.dtype == np.uint16:
            out = np.empty_like(self.rows), np.empty(self.rows.size, np.int64), np.empty(self.rows.size, np.int64)
            packed = _scratch.packed
            kernels.tally_packed(self.code, self.more_column, self.more_code, mask, weights, packed)
            found = kernels.unpack(packed, self.rows, *out)
            return out[0][:found], out[1][:found], out[2][:found]
        counts, sums = np.zeros(self.rows.size, np.int64), np.zeros(self.rows.size, np.int64)
        kernels.tally(self.code, self.none, self.more_column, self.more_code, mask, weights, counts, sums)
        some = counts > 0
        return self.rows[some], counts[some], sums[some]

    def places(self, rows: U64) -> NDArray[np.int32]:
        """Of every code (r,): its place among `rows` (distinct, in any order), or -1."""
        out = np.full(self.rows.size, -1, np.int32)
        if self.rows.size and rows.size:
            at = np.minimum(np.searchsorted(self.rows, rows), self.rows.size - 1)
            here = self.rows[at] == rows
            out[at[here]] = np.flatnonzero(here)
        return out

    def cross(self, places: Any, other: Codes, its: Any, mask: U64, weights: NDArray[Any], counts: Any, sums: Any) -> None:
        """Adds to tables int64 (n, m): see embedded_codes_kernels.cross."""
        if self._single and other._single and weights.dtype == np.uint16 and counts.size < _MOST_CELLS:
            self._cross_packed(places, other, its, mask, weights, counts, sums)
            return
        a, b = _alike(self, other)
        kernels.cross(
            *(a.code, a.none, a.more_column, a.more_code, places),
            *(b.code, b.none, b.more_column, b.more_code, its),
            *(mask, weights, counts, sums),
        )

    @property
    def _single(self) -> bool:
        return self.code.dtype == np.uint16 and not self.more_column.size

    def _cross_packed(self, places: Any, other: Codes, its: Any, mask: U64, weights: Any, counts: Any, sums: Any) -> None:
        rows, columns = counts.shape[0] + 1, counts.shape[1] + 1
        cells = np.zeros((4, rows * columns), np.int64)
        tables = _wanted(places, rows - 1), _wanted(its, columns - 1)
        kernels.cross_packed(self.code, tables[0], other.code, tables[1], columns, mask, weights, cells)
        some, weighed = _unpacked(cells.sum(axis=0).reshape(rows, columns)[:-1, :-1])
        counts += some
        if weights.size:
            sums += weighed

    def pairs(self, other: Codes, mask: U64) -> tuple[U64, U64]:
        """Rows (p,) of this field and (p,) of the other that a column of the mask has both: each pair once."""
        a, b = _alike(self, other)
        arrays = (a.code, a.none, a.more_column, a.more_code, b.code, b.none, b.more_column, b.more_code)
        found = kernels.pairs(*arrays, b.rows.size, mask, np.zeros(0, np.int64))
        out = np.empty(found, np.int64)
        kernels.pairs(*arrays, b.rows.size, mask, out)
        distinct = _distinct(out, a.rows.size * b.rows.size)
        return a.rows[distinct // max(1, b.rows.size)], b.rows[distinct % max(1, b.rows.size)]


_MOST_CELLS = 1 << 16


class _Scratch(threading.local):
    """Zeroes between uses; of a thread."""

    def __init__(self) -> None:
        self.packed = np.zeros(1 << 16, np.int64)


_scratch = _Scratch()


def _unpacked(packed: I64) -> tuple[I64, I64]:
    """Counts and sums."""
    return packed >> kernels.PACKED, packed & ((1 << kernels.PACKED) - 1)


def _wanted(places: NDArray[np.int32], otherwise: int) -> NDArray[np.uint16]:
    """Of each code of two bytes its place, or `otherwise`."""
    out = np.full(1 << 16, otherwise, np.uint16)
    out[: places.size] = np.where(places < 0, otherwise, places)
    return out


_FEW = 1 << 24  # pairs that may be, one byte each


def _distinct(code: I64, most: int) -> I64:
    if most > _FEW:
        return np.unique(code)
    seen = np.zeros(most, np.bool_)
    seen[code] = True
    return np.flatnonzero(seen)


def _alike(a: Codes, b: Codes) -> tuple[Codes, Codes]:
    return (a, b) if a.code.dtype == b.code.dtype else (a.wide(), b.wide())


def codes_of(shard: Shard, field: str, *, make: bool) -> Codes | None:
    """A field's codes in a shard; where they are not kept: made (`make`), or None. What is asked for again is kept."""
    key = (Codes, field)
    found: Codes | None = shard.recall(key)
    if found is not None or not make:
        return found
    parts = [part.positions(None) for part in shard.sets(field)]
    position: U64 = np.concatenate([np.zeros(0, np.uint64), *parts])
    if len(parts) > 1:
        position.sort(kind="stable")
    found = Codes(position)
    shard.keep(key, found, found.size)
    return found


def weights_of(shard: Shard, field: str) -> NDArray[Any]:
    """The numbers of an int field by column (2^20,), uint16 or int64; 0 where there is none. Kept."""
    key = ("weights", field)
    found: NDArray[Any] | None = shard.recall(key)
    if found is None:
        parts = shard.ints(field)
        small = all(fragment.minimum >= 0 and fragment.maximum <= 0xFFFF for fragment, _ in parts)
        found = np.zeros(SHARD_WIDTH, np.uint16 if small else np.int64)
        for fragment, alive in parts:
            column, value = fragment.columns, fragment.values
            if alive is not None:
                holds = (alive[column >> 6] >> (column & 63).astype(np.uint64) & np.uint64(1)).astype(np.bool_)
                column, value = column[holds], value[holds]
            found[column] = value
        shard.keep(key, found, found.nbytes)
    return found
