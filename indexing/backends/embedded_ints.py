"""An int field's values of one batch in one shard, as columns of numbers.

Layout, little endian: magic "INT1", u8 bytes a value (1, 2, 4 or 8), u8 dense, u16 0, u32 n, u32 first column,
i64 smallest value, i64 greatest; unless dense, u32 column (n,), ascending; then u8/u16/u32/u64 value - smallest (n,).
Dense: columns are first .. first + n - 1. A packet's length takes two bytes here, and comparing or summing a million of
them is one pass over two megabytes; the bit-sliced layout would need as many bitmap passes as there are bits.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends import embedded_int_kernels as kernels
from indexing.backends.embedded_cache_kernels import popcount
from indexing.backends.embedded_int_planes import IntPlanes, fits
from indexing.fragment import EVERY
from indexing.roaring import U64

_FEW = 1 << 13  # columns: their numbers are looked at one by one sooner than all planes are
_HEAD = struct.Struct("<4sBBHIIqq")
MAGIC = b"INT1"


def encode(column: NDArray[np.int64], value: NDArray[np.int64]) -> bytes:
    """Bytes of values int64 (n,) at columns (n,) 0..2^20-1 of a shard, in any order, n > 0.

    Raises ValueError if a column comes twice."""
    if not bool((column[1:] > column[:-1]).all()):
        order = np.argsort(column, kind="stable")
        column, value = column[order], value[order]
    twice = np.flatnonzero(column[1:] == column[:-1])
    if twice.size:
        raise ValueError(f"column {int(column[twice[0]])} of the shard has two values")
    low, high = int(value.min()), int(value.max())
    width = next(w for w in (1, 2, 4, 8) if (high - low) >> (8 * w) == 0)
    dense = int(column[-1]) - int(column[0]) + 1 == column.size
    delta = (value.view(np.uint64) - np.uint64(low & 0xFFFFFFFFFFFFFFFF)).astype(f"<u{width}")  # modulo 2^64, right for any pair
    head = _HEAD.pack(MAGIC, width, dense, 0, column.size, int(column[0]), low, high)
    return b"".join((head, b"" if dense else column.astype("<u4").tobytes(), delta.tobytes()))


class IntFragment:
    """A view on the bytes of `encode`; the buffer must outlive it. Raises ValueError if they are damaged."""

    def __init__(self, buffer: bytes | memoryview) -> None:
        if len(buffer) < _HEAD.size:
            raise ValueError(f"not an int fragment: it has {len(buffer)} bytes")
        magic, width, dense, _, self.count, self.first, self.minimum, self.maximum = _HEAD.unpack_from(buffer)
        if magic != MAGIC or width not in (1, 2, 4, 8):
            raise ValueError(f"not an int fragment: it begins with {magic!r}, {width} bytes a value")
        at = _HEAD.size if dense else _HEAD.size + 4 * self.count
        if len(buffer) < at + width * self.count:
            raise ValueError(f"an int fragment of {self.count} values has {len(buffer)} bytes")
        self._columns = _numbers(buffer, "<u4", 0 if dense else self.count, _HEAD.size)
        self._delta = _numbers(buffer, f"<u{width}", self.count, at)
        self._dense = bool(dense)
        self._planes: IntPlanes | None = None

    def make_planes(self) -> None:
        """Makes comparisons and sums faster, and the fragment greater; where numbers are small enough."""
        if self._planes is None and fits(self.maximum - self.minimum):
            self._planes = IntPlanes(self.columns, self._delta, self.maximum - self.minimum)

    @property
    def has_planes(self) -> bool:
        """Whether `make_planes` made any."""
        return self._planes is not None

    @property
    def columns(self) -> NDArray[np.int64]:
        """Columns within the shard (n,), ascending."""
        return np.arange(self.first, self.first + self.count) if self._dense else self._columns.astype(np.int64)

    @property
    def values(self) -> NDArray[np.int64]:
        """The values int64 (n,), in the order of `columns`."""
        low = np.uint64(self.minimum & 0xFFFFFFFFFFFFFFFF)
        return (self._delta.astype(np.uint64) + low).view(np.int64)  # modulo 2^64, as they were encoded

    def at(self, column: int) -> int | None:
        """The value of a column; None if it has none."""
        i = column - self.first if self._dense else int(np.searchsorted(self._columns, column))
        if not 0 <= i < self.count or (not self._dense and self._columns[i] != column):
            return None
        value: int = int(self._delta[i]) + self.minimum
        return value

    def some(self, columns: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(column, value) of those of these columns (n,), ascending, that have one."""
        if self._dense:
            columns = columns[(columns >= self.first) & (columns < self.first + self.count)]
            place = columns - self.first
        else:
            place = np.minimum(np.searchsorted(self._columns, columns), self.count - 1)
            there = self._columns[place] == columns
            columns, place = columns[there], place[there]
        low = np.uint64(self.minimum & 0xFFFFFFFFFFFFFFFF)
        return columns, (self._delta[place].astype(np.uint64) + low).view(np.int64)

    @property
    def size(self) -> int:
        """Bytes of the numbers, and of what was made of them."""
        return self._columns.nbytes + self._delta.nbytes + (0 if self._planes is None else self._planes.size)

    def count_between(self, low: int, high: int, outside: bool) -> int:
        """How many values are in low..high (both inclusive, any size), or with `outside` are not."""
        if low > high or low > self.maximum or high < self.minimum:
            return self.count if outside else 0
        low, high = max(low, self.minimum) - self.minimum, min(high, self.maximum) - self.minimum
        most = (1 << 8 * self._delta.dtype.itemsize) - 1
        kind = self._delta.dtype.type
        inside: int = kernels.count_between(self._delta, kind(low), kind(min(high, most)))
        return self.count - inside if outside else inside

    def compare(self, low: int, high: int, outside: bool, words: U64) -> None:
        """Sets the columns whose value is in low..high (both inclusive, any size), or with `outside` the others, in a bitmap."""
        if low > high or low > self.maximum or high < self.minimum:
            if not outside:
                return
            low, high, outside = self.minimum, self.maximum, False
        low, high = max(low, self.minimum) - self.minimum, min(high, self.maximum) - self.minimum
        if self._planes is not None:
            words |= self._planes.compare(low, high, outside, None)
            return
        most = (1 << 8 * self._delta.dtype.itemsize) - 1
        kind = self._delta.dtype.type
        if self._dense and self.first % 64 == 0 and self.first + self.count <= 64 * words.size:
            # One comparison by the processor's wide instructions: numbers below `low` wrap around and are too great
            chosen = self._delta - kind(low) <= kind(min(high, most) - low)
            packed = np.packbits(~chosen if outside else chosen, bitorder="little")
            words.view(np.uint8)[self.first // 8 : self.first // 8 + packed.size] |= packed
            return
        kernels.compare(self._delta, self._columns, self.first, kind(low), kind(min(high, most)), outside, words)

    @property
    def dense(self) -> bool:
        """Whether every column from the first to the last has a value."""
        return self._dense

    def narrow(self, low: int, high: int, outside: bool, mask: U64, words: U64) -> None:
        """As `compare`, of the columns in the bitmap `mask` alone; for dense ones, and those with planes."""
        if low > high or low > self.maximum or high < self.minimum:
            if not outside:
                return
            low, high, outside = self.minimum, self.maximum, False
        low, high = max(low, self.minimum) - self.minimum, min(high, self.maximum) - self.minimum
        if self._planes is not None and (not self._dense or popcount(mask) > _FEW):
            words |= self._planes.compare(low, high, outside, mask)
            return
        most = (1 << 8 * self._delta.dtype.itemsize) - 1
        kind = self._delta.dtype.type
        kernels.narrow(self._delta, self.first, kind(low), kind(min(high, most)), outside, mask, words)

    def sum(self, mask: U64 | None) -> tuple[int, int]:
        """Sum and count of the values whose columns are in the bitmap (None: all), exact whatever their size."""
        if mask is None and self._delta.dtype.itemsize < 8:
            return int(self._delta.sum(dtype=np.uint64)) + self.minimum * self.count, self.count
        if mask is not None and self._planes is not None and popcount(mask) > _FEW:
            total, some = self._planes.sum(mask)
            return total + self.minimum * some, some
        if mask is not None and self._dense and self._delta.dtype.itemsize < 8:
            some, total = kernels.dense_sum(self._delta, self.first, mask)
            return int(total) + self.minimum * int(some), int(some)
        count, low, high, *_ = self._summary(mask)
        return (int(high) << 32) + int(low) + self.minimum * int(count), int(count)

    def compared_sum(self, low: int, high: int, outside: bool, mask: U64) -> tuple[int, int] | None:
        """`sum` of the columns that `narrow` would leave of the mask, in one pass; None where there is no faster way."""
        if self._planes is None or low > high or low > self.maximum or high < self.minimum or popcount(mask) <= _FEW:
            return None
        low, high = max(low, self.minimum) - self.minimum, min(high, self.maximum) - self.minimum
        total, some = self._planes.compared_sum(low, high, outside, mask)
        return total + self.minimum * some, some

    def extreme(self, mask: U64 | None, greatest: bool) -> tuple[int, int]:
        """The smallest or greatest of these values and how many have it; (0, 0) if there is none."""
        count, _, _, least, least_often, most, most_often = self._summary(mask)
        if count == 0:
            return 0, 0
        return (int(most) + self.minimum, int(most_often)) if greatest else (int(least) + self.minimum, int(least_often))

    def _summary(self, mask: U64 | None) -> tuple[int, int, int, int, int, int, int]:
        found: tuple[int, int, int, int, int, int, int]
        found = kernels.summary(self._delta, self._columns, self.first, EVERY if mask is None else mask)
        return found


def _numbers(buffer: bytes | memoryview, kind: str, count: int, at: int) -> NDArray[Any]:
    """A read-only view, or a copy where the numbers lie unaligned (small blobs in a page of LMDB's)."""
    numbers: NDArray[Any] = np.frombuffer(buffer, kind, count, at) if count else np.zeros(0, kind)
    if not numbers.flags.aligned:
        numbers = numbers.copy()
    numbers.flags.writeable = False
    return numbers
