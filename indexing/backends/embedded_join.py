"""Many fragments of one field and shard become one, without looking at their bits one by one.

The blobs' columns ascend from blob to blob, so of two containers with the same key all of the first one's values come before
the other's: containers put in the order of their keys, blob by blob, hold all positions in ascending order already.
What comes out is byte for byte what encoding all the bits at once gives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexing.backends.embedded_ints import IntFragment
from indexing.backends.embedded_ints import encode as encode_ints
from indexing.fragment import Fragment
from indexing.roaring import DESCRIPTOR, HEADER, MAGIC, RoaringError, encode

Buffer = bytes | memoryview


def join_sets(blobs: Sequence[Buffer]) -> bytes:
    """Roaring bytes of the bits of all `blobs`; each one's columns are greater than those of the one before.

    Raises RoaringError when one of them is not Pilosa's layout."""
    if len(blobs) == 1:
        return bytes(blobs[0])
    descriptors, offsets, datas = [], [], []
    size = 0  # of the data so far
    for blob in blobs:
        magic, version, _flags, k = HEADER.unpack_from(blob)
        if (magic, version) != (MAGIC, 0):
            raise RoaringError(f"unknown roaring magic number {magic}, version {version}; want {MAGIC}, version 0")
        base = HEADER.size + (DESCRIPTOR.itemsize + 4) * k
        descriptors.append(np.frombuffer(blob, DESCRIPTOR, k, HEADER.size))
        offsets.append(np.frombuffer(blob, "<u4", k, HEADER.size + DESCRIPTOR.itemsize * k).astype(np.int64) + (size - base))
        datas.append(blob[base:])
        size += len(blob) - base
    descriptor, offset = np.concatenate(descriptors), np.concatenate(offsets)
    base = HEADER.size + (DESCRIPTOR.itemsize + 4) * len(descriptor)
    if base + size > 0xFFFFFFFF:
        raise RoaringError(f"{len(blobs)} fragments of {size} bytes are more than 4 GiB: container offsets are 32 bits")
    order = np.argsort(descriptor["key"], kind="stable")
    head = HEADER.pack(MAGIC, 0, 0, len(descriptor)), descriptor[order].tobytes(), (offset[order] + base).astype("<u4").tobytes()
    return encode(Fragment(b"".join((*head, *datas))).positions())


def join_ints(blobs: Sequence[Buffer]) -> bytes:
    """Bytes of the values of all `blobs` of an int field (see embedded_ints). Raises ValueError if a column comes twice."""
    if len(blobs) == 1:
        return bytes(blobs[0])
    fragments = [_Values(blob) for blob in blobs]
    return encode_ints(
        np.concatenate([fragment.columns for fragment in fragments]),
        np.concatenate([fragment.values for fragment in fragments]),
    )


class _Values(IntFragment):
    @property
    def values(self) -> NDArray[np.int64]:
        """The values int64 (n,), in the order of `columns`."""
        low = np.uint64(self.minimum & 0xFFFFFFFFFFFFFFFF)
        return (self._delta.astype(np.uint64) + low).view(np.int64)  # modulo 2^64, as they were encoded
