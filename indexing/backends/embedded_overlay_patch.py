"""Some bits of a fragment's bytes read or changed without touching the rest: only the containers that hold them are unpacked."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from indexing.fragment import Fragment
from indexing.roaring import ARRAY, BITMAP, CONTAINER_BITS, DESCRIPTOR, HEADER, MAGIC, U64, encode, sorted_unique

_KEY = np.uint64(16)
_FEW = 32
_HEAD = struct.Struct("<QHH")  # DESCRIPTOR
I64 = NDArray[np.int64]


class _Containers:
    """A fragment's containers: key, type, bits - 1 (as in its header), and where their data are, in u16."""

    def __init__(self, blob: bytes | memoryview) -> None:
        self.fragment = Fragment(blob)
        k, words = self.fragment.count, self.fragment.blob
        self.words = words
        head = HEADER.size // 2
        self.descriptor = words[head : head + 6 * k].view(DESCRIPTOR)
        self.keys: U64 = np.ascontiguousarray(self.descriptor["key"])
        self.start = np.ascontiguousarray(words[head + 6 * k : head + 8 * k]).view("<u4").astype(np.int64) >> 1
        kind, card = self.descriptor["type"], self.descriptor["card"].astype(np.int64) + 1
        runs = np.zeros(k, np.int64)
        of_runs = (kind != ARRAY) & (kind != BITMAP)
        runs[of_runs] = words[self.start[of_runs]]
        self.size: I64 = np.where(kind == ARRAY, card, np.where(kind == BITMAP, CONTAINER_BITS // 16, 1 + 2 * runs))

    def positions(self, touched: NDArray[np.bool_]) -> U64:
        """The bits of some containers, ascending."""
        if touched.all():
            return self.fragment.positions()
        which = np.flatnonzero(touched)
        if which.size == 0:
            return np.zeros(0, np.uint64)
        pieces = [self.words[self.start[i] : self.start[i] + self.size[i]] for i in which.tolist()]
        return Fragment(_blob(self.descriptor[which], self.size[which], pieces)).positions()


def among(blob: bytes | memoryview, position: U64) -> NDArray[np.bool_]:
    """Which of these positions (any order) are set."""
    containers = _Containers(blob)
    there = containers.positions(np.isin(containers.keys, position >> _KEY))
    if there.size == 0:
        return np.zeros(position.size, np.bool_)
    at = np.minimum(np.searchsorted(there, position), there.size - 1)
    found: NDArray[np.bool_] = there[at] == position
    return found


def patched(blob: bytes | memoryview | None, add: U64, remove: U64) -> bytes:
    """The bytes with these positions (ascending, distinct; none in both) set and cleared."""
    if blob is None:
        return _few(add) if add.size <= _FEW else encode(add)
    containers = _Containers(blob)
    changed = sorted_unique(np.concatenate([add, remove]) >> _KEY)
    touched = np.isin(containers.keys, changed)
    position = containers.positions(touched)
    position = sorted_unique(np.concatenate([position, add])) if add.size else position
    if remove.size:
        position = position[~np.isin(position, remove)]
    fresh = encode(position)
    if touched.all():
        return fresh
    new = _Containers(fresh)
    kept = np.flatnonzero(~touched)
    key = np.concatenate([containers.keys[kept], new.keys])
    order = np.argsort(key, kind="stable")
    descriptor = np.concatenate([containers.descriptor[kept], new.descriptor])[order]
    size = np.concatenate([containers.size[kept], new.size])[order]
    start = np.concatenate([containers.start[kept], new.start])[order]
    of_new = order >= kept.size
    return _blob(descriptor, size, _slices(containers.words, new.words, of_new, start, size))


def _few(position: U64) -> bytes:
    """As encode, with arrays alone: of a few bits, faster. Time views are many and small."""
    low: dict[int, list[int]] = {}
    for one in position.tolist():
        low.setdefault(one >> 16, []).append(one & 0xFFFF)
    at = HEADER.size + (DESCRIPTOR.itemsize + 4) * len(low)
    heads, offsets = [], []
    for key, values in low.items():
        heads.append(_HEAD.pack(key, ARRAY, len(values) - 1))
        offsets.append(at)
        at += 2 * len(values)
    data = struct.pack(f"<{len(low)}I{position.size}H", *offsets, *(one for values in low.values() for one in values))
    return b"".join((HEADER.pack(MAGIC, 0, 0, len(low)), *heads, data))


def _slices(
    old: NDArray[np.uint16], new: NDArray[np.uint16], of_new: NDArray[np.bool_], start: I64, size: I64
) -> list[NDArray[np.uint16]]:
    """The containers' data, in order; those that lie one after the other are one slice."""
    follows = (of_new[1:] == of_new[:-1]) & (start[1:] == start[:-1] + size[:-1])
    first = np.flatnonzero(np.append(True, ~follows))
    last = np.append(first[1:], start.size) - 1
    out = []
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        source = new if of_new[a] else old
        out.append(source[start[a] : start[b] + size[b]])
    return out


def _blob(descriptor: NDArray[np.void], size: I64, pieces: list[NDArray[np.uint16]]) -> bytes:
    k = descriptor.size
    base = HEADER.size + (DESCRIPTOR.itemsize + 4) * k
    offset = (base + 2 * (np.cumsum(size) - size)).astype("<u4")
    return b"".join((HEADER.pack(MAGIC, 0, 0, k), descriptor.tobytes(), offset.tobytes(), *(piece.data for piece in pieces)))
