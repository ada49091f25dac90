"""Many byte strings at once, one behind the other, so that compiled loops can go over them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Fewer are done in Python: a process that only asks for some need not load the compiled loops.
FEW = 256


class Strings:
    """String i is data[start[i] : start[i] + length[i]]."""

    def __init__(self, data: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]) -> None:
        self.data, self.start, self.length = data, start, length

    @classmethod
    def of(cls, values: Sequence[bytes]) -> Strings:
        """These byte strings, in their order."""
        length = np.fromiter(map(len, values), np.int64, len(values))
        return cls(np.frombuffer(b"".join(values), np.uint8), np.cumsum(length) - length, length)

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, i: int) -> bytes:
        return self.data[self.start[i] : self.start[i] + self.length[i]].tobytes()

    def chosen(self, at: NDArray[np.int64]) -> Strings:
        """The strings at these places."""
        return Strings(self.data, self.start[at], self.length[at])

    def hashes(self) -> NDArray[np.uint8]:
        """BLAKE2b of 16 bytes of each: uint8 (n, 16)."""
        if len(self) < FEW:
            return np.frombuffer(b"".join(_hash(self[i]) for i in range(len(self))), np.uint8).reshape(-1, 16)
        from indexing.string_kernels import blake2b_16

        out = np.empty((len(self), 16), np.uint8)
        blake2b_16(self.data, self.start, self.length, out)
        return out

    def behind(self, heads: NDArray[Any]) -> bytes:
        """Each string behind the bytes of its element of `heads`, one behind the other."""
        width = heads.dtype.itemsize
        if len(self) < FEW:
            flat = heads.tobytes()
            pieces = ((flat[i * width : (i + 1) * width], self[i]) for i in range(len(self)))
            return b"".join(chain.from_iterable(pieces))
        from indexing.string_kernels import interleave

        out = np.empty(len(self) * width + int(self.length.sum()), np.uint8)
        interleave(heads.view(np.uint8).reshape(-1, width), self.data, self.start, self.length, out)
        return out.tobytes()


def _hash(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()
