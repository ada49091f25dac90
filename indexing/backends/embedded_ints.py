"""An int field's values of one batch in one shard, as columns of numbers.

Layout, little endian: magic "INT1", u8 bytes a value (1, 2, 4 or 8), u8 dense, u16 0, u32 n, u32 first column,
i64 smallest value, i64 greatest; unless dense, u32 column (n,), ascending; then u8/u16/u32/u64 value - smallest (n,).
Dense: columns are first .. first + n - 1. A packet's length takes two bytes here, and comparing or summing a million of
them is one pass over two megabytes; the bit-sliced layout would need as many bitmap passes as there are bits.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from indexing.fragment import Mask

_HEAD = struct.Struct("<4sBBHIIqq")
_MAGIC = b"INT1"


def encode(column: NDArray[np.int64], value: NDArray[np.int64]) -> bytes:
    """Bytes of values int64 (n,) at columns (n,) 0..2^20-1 of a shard, in any order, n > 0.

    Raises ValueError if a column comes twice."""
    order = np.argsort(column, kind="stable")
    column, value = column[order], value[order]
    twice = np.flatnonzero(column[1:] == column[:-1])
    if twice.size:
        raise ValueError(f"column {int(column[twice[0]])} of the shard has two values")
    low, high = int(value.min()), int(value.max())
    width = next(w for w in (1, 2, 4, 8) if (high - low) >> (8 * w) == 0)
    dense = int(column[-1]) - int(column[0]) + 1 == column.size
    delta = (value.view(np.uint64) - np.uint64(low & 0xFFFFFFFFFFFFFFFF)).astype(f"<u{width}")  # modulo 2^64, right for any pair
    head = _HEAD.pack(_MAGIC, width, dense, 0, column.size, int(column[0]), low, high)
    return b"".join((head, b"" if dense else column.astype("<u4").tobytes(), delta.tobytes()))


class IntFragment:
    """A view on the bytes of `encode`; the buffer must outlive it."""

    def __init__(self, buffer: bytes | memoryview) -> None:
        magic, width, dense, _, self.count, self.first, self.minimum, self.maximum = _HEAD.unpack_from(buffer)
        if magic != _MAGIC:
            raise ValueError(f"not an int fragment: it begins with {magic!r}")
        at = _HEAD.size
        self._columns = None
        if not dense:
            self._columns = np.frombuffer(buffer, "<u4", self.count, at)
            at += 4 * self.count
        self._delta = np.frombuffer(buffer, f"<u{width}", self.count, at)

    @property
    def columns(self) -> NDArray[np.int64]:
        """Columns within the shard (n,), ascending."""
        if self._columns is None:
            return np.arange(self.first, self.first + self.count)
        return self._columns.astype(np.int64)

    def between(self, low: int, high: int) -> NDArray[np.bool_]:
        """Which values (n,) are in low..high, both inclusive; any size of Python int."""
        if low > high or low > self.maximum or high < self.minimum:
            return np.zeros(self.count, np.bool_)
        low, high = max(low, self.minimum) - self.minimum, min(high, self.maximum) - self.minimum
        kind = self._delta.dtype.type
        chosen: NDArray[np.bool_] = (self._delta >= kind(low)) & (self._delta <= kind(high))
        return chosen

    def inside(self, mask: Mask | None) -> NDArray[np.bool_] | None:
        """Which values (n,) have their column in the mask; None: all."""
        if mask is None:
            return None
        if self._columns is None:
            return mask.flags[self.first : self.first + self.count]
        inside: NDArray[np.bool_] = mask.flags[self._columns]
        return inside

    def sum(self, inside: NDArray[np.bool_] | None) -> tuple[int, int]:
        """Sum and count of the chosen values, exact whatever their size."""
        delta = self._delta if inside is None else self._delta[inside]
        if delta.dtype.itemsize < 8:
            total = int(delta.sum(dtype=np.uint64))
        else:
            total = (int((delta >> np.uint64(32)).sum()) << 32) + int((delta & np.uint64(0xFFFFFFFF)).sum())
        return total + self.minimum * delta.size, delta.size

    def extreme(self, inside: NDArray[np.bool_] | None, greatest: bool) -> tuple[int, int]:
        """The smallest or greatest chosen value and how many have it; (0, 0) if none is chosen."""
        delta = self._delta if inside is None else self._delta[inside]
        if delta.size == 0:
            return 0, 0
        value = delta.max() if greatest else delta.min()
        return int(value) + self.minimum, int(np.count_nonzero(delta == value))


def bitmap_into(fragment: IntFragment, chosen: NDArray[np.bool_], flags: NDArray[np.bool_]) -> None:
    """Sets the columns of the chosen values in flags (2^20,)."""
    if fragment._columns is None:
        flags[fragment.first : fragment.first + fragment.count] |= chosen
    else:
        flags[fragment._columns[chosen]] = True
