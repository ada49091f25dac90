"""What PQL wrote into one field of one shard, beside the immutable blobs of batches: the bytes of it, and changes to it.

Layout, little endian: magic "OVR1", u32 crc32 of all behind it, u8 kind (0 set, 1 int), u8[3] 0, u32 first, u32 last column of
the shard that anything is noted of, u32 length of the first part; then the first part, then the second:

- of a set field roaring bytes (indexing/roaring.py) of the bits that were added, and of those that were removed. No bit is in
  both; what was added is in no blob, what was removed is in one. So counts can be added and subtracted.
- of an int field the bytes of embedded_ints: values that hold instead of those in blobs. No second part.

The checksum tells a damaged one from one that says something else. An overlay of a packet index is small. That of a client index
holds all of a field's bits in a shard: nothing is removed in it, so its roaring bytes are read where they lie.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexing.backends.embedded_ints import IntFragment
from indexing.backends.embedded_ints import encode as encode_ints
from indexing.fragment import Fragment, bitmap_of_ranges, decode
from indexing.roaring import HEADER, SHARD_WIDTH, U64, encode

_HEAD = struct.Struct("<4sIB3xIII")
_CHECKED_FROM = 8  # the magic number and the checksum are not under the checksum
MAGIC = b"OVR1"
_SET, _INT = 0, 1
_LOW = np.uint64(SHARD_WIDTH - 1)
_NONE = np.zeros(0, np.uint64)
_NO_BITS = encode(_NONE)

Range = tuple[int, int]  # first, last column within a shard, both inclusive


@dataclass(frozen=True)
class SetOverlay:
    """Of a set field. added, removed: positions (row << 20 | column) uint64 (n,), ascending."""

    added: U64
    removed: U64

    @staticmethod
    def empty() -> SetOverlay:
        return SetOverlay(_NONE, _NONE)

    def __len__(self) -> int:
        return int(self.added.size + self.removed.size)

    @property
    def span(self) -> Range:
        """First and last column that has an added bit, or a range that holds both."""
        columns = self.added & _LOW
        return int(columns.min()), int(columns.max())

    @property
    def has_added(self) -> bool:
        """Whether there is an added bit."""
        return self.added.size > 0

    def fragment(self) -> Fragment:
        """The added bits."""
        return Fragment(encode(self.added))

    def with_bits(self, position: U64) -> SetOverlay:
        """These positions (ascending), which are in no answer now, are in answers."""
        back = np.isin(position, self.removed, assume_unique=True)
        added = np.union1d(self.added, position[~back])
        return SetOverlay(added, np.setdiff1d(self.removed, position[back], assume_unique=True))

    def without_bits(self, position: U64) -> SetOverlay:
        """These positions (ascending), which are in answers now, are in none."""
        mine = np.isin(position, self.added, assume_unique=True)
        removed = np.union1d(self.removed, position[~mine])
        return SetOverlay(np.setdiff1d(self.added, position[mine], assume_unique=True), removed)

    def without_columns(self, ranges: Iterable[Range]) -> SetOverlay:
        """Nothing is noted of these columns any more."""
        gone = bitmap_of_ranges(ranges)
        return SetOverlay(*(some[~_within(some & _LOW, gone)] for some in (self.added, self.removed)))

    def packed(self) -> bytes:
        """The bytes; not of an empty one."""
        columns = np.concatenate([self.added, self.removed]) & _LOW
        return _packed(_SET, int(columns.min()), int(columns.max()), encode(self.added), encode(self.removed))


class StoredBits(SetOverlay):
    """Of a value of which nothing was removed: not decoded before somebody asks for positions. The value must outlive it."""

    def __init__(self, blob: bytes | memoryview, span: Range) -> None:
        """blob: roaring bytes. Raises RoaringError if they have no header."""
        vars(self).update(_fragment=Fragment(blob), _span=span)

    @property
    def added(self) -> U64:
        if "_added" not in vars(self):
            vars(self)["_added"] = self.fragment().positions()
        found: U64 = vars(self)["_added"]
        return found

    @property
    def removed(self) -> U64:
        return _NONE

    @property
    def span(self) -> Range:
        found: Range = vars(self)["_span"]
        return found

    @property
    def has_added(self) -> bool:
        return self.fragment().count > 0

    def fragment(self) -> Fragment:
        found: Fragment = vars(self)["_fragment"]
        return found


@dataclass(frozen=True)
class IntOverlay:
    """Of an int field. column int64 (n,) within the shard, ascending; value int64 (n,)."""

    column: NDArray[np.int64]
    value: NDArray[np.int64]

    @staticmethod
    def empty() -> IntOverlay:
        return IntOverlay(np.zeros(0, np.int64), np.zeros(0, np.int64))

    def __len__(self) -> int:
        return int(self.column.size)

    def fragment(self) -> IntFragment:
        """The values."""
        return IntFragment(encode_ints(self.column, self.value))

    def with_value(self, column: int, value: int) -> IntOverlay:
        """This column has this value."""
        at = int(np.searchsorted(self.column, column))
        if at < self.column.size and self.column[at] == column:
            values = self.value.copy()
            values[at] = value
            return IntOverlay(self.column, values)
        return IntOverlay(np.insert(self.column, at, column), np.insert(self.value, at, value))

    def without_columns(self, ranges: Iterable[Range]) -> IntOverlay:
        """Nothing is noted of these columns any more."""
        keep = ~_within(self.column.astype(np.uint64), bitmap_of_ranges(ranges))
        return IntOverlay(self.column[keep], self.value[keep])

    def packed(self) -> bytes:
        """The bytes; not of an empty one."""
        return _packed(_INT, int(self.column[0]), int(self.column[-1]), encode_ints(self.column, self.value), b"")


class StoredInts(IntOverlay):
    """Of a value: columns and values are not unpacked before somebody asks for them."""

    def __init__(self, encoded: bytes) -> None:
        """encoded: of embedded_ints. Not the store's memory: fragments are kept longer than a transaction (embedded_cache).

        Raises ValueError if they are damaged."""
        vars(self).update(_fragment=IntFragment(encoded))

    def __len__(self) -> int:
        count: int = self.fragment().count
        return count

    @property
    def column(self) -> NDArray[np.int64]:
        return self.fragment().columns

    @property
    def value(self) -> NDArray[np.int64]:
        return self.fragment().values

    def fragment(self) -> IntFragment:
        found: IntFragment = vars(self)["_fragment"]
        return found


Overlay = SetOverlay | IntOverlay


def unpack(value: bytes | memoryview) -> Overlay:
    """The overlay of these bytes. Raises ValueError, saying why, if they are damaged."""
    if len(value) < _HEAD.size:
        raise ValueError(f"it has {len(value)} bytes")
    magic, checksum, kind, low, high, length = _HEAD.unpack_from(value)
    if magic != MAGIC:
        raise ValueError(f"it begins with {magic!r}")
    _check(value, checksum)
    first, second = value[_HEAD.size : _HEAD.size + length], value[_HEAD.size + length :]
    if kind == _SET:
        return StoredBits(first, (low, high)) if len(second) == HEADER.size else SetOverlay(decode(first), decode(second))
    if kind != _INT:
        raise ValueError(f"it is of the unknown kind {kind}")
    return StoredInts(bytes(first))


def _check(value: bytes | memoryview, checksum: int) -> None:
    """Raises ValueError. Of large values, one that was right before is not summed up again: it takes longer than to read them."""
    known = (checksum, len(value))
    if known in _right:
        return
    if zlib.crc32(value[_CHECKED_FROM:]) != checksum:
        raise ValueError("its checksum is wrong")
    if len(value) >= _LARGE:
        if len(_right) >= _MOST_KNOWN:
            _right.clear()
        _right.add(known)


_LARGE, _MOST_KNOWN = 1 << 16, 10_000
_right: set[tuple[int, int]] = set()  # (checksum, size) of values of _LARGE bytes or more


def packed_bits(blob: bytes, span: Range) -> bytes:
    """The bytes of an overlay in which the bits of these roaring bytes were added. span: see SetOverlay."""
    return _packed(_SET, *span, blob, _NO_BITS)


def touches(value: bytes | memoryview, ranges: Iterable[Range]) -> bool:
    """Whether anything may be noted of these columns: read off the head, so that importing a batch need not read what PQL wrote
    elsewhere. True of a head that cannot be read."""
    if len(value) < _HEAD.size or bytes(value[:4]) != MAGIC:
        return True
    _, _, _, low, high, _ = _HEAD.unpack_from(value)
    return any(first <= high and low <= last for first, last in ranges)


def _packed(kind: int, first: int, last: int, *parts: bytes) -> bytes:
    behind = b"".join((_HEAD.pack(MAGIC, 0, kind, first, last, len(parts[0]))[_CHECKED_FROM:], *parts))
    return _HEAD.pack(MAGIC, zlib.crc32(behind), kind, first, last, len(parts[0]))[:_CHECKED_FROM] + behind


def _within(columns: U64, words: U64) -> NDArray[np.bool_]:
    """Which of these columns are in a bitmap."""
    flags: NDArray[np.bool_] = (words[columns >> np.uint64(6)] >> (columns & np.uint64(63)) & np.uint64(1)).astype(np.bool_)
    return flags
