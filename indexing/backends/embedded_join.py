"""Blobs of one field and shard become one: all their bits, or of each those whose columns are in a bitmap.

What comes out is byte for byte what encoding these bits at once gives. No column is in two of the blobs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from indexing.backends.embedded_ints import MAGIC as INTS
from indexing.backends.embedded_ints import IntFragment
from indexing.backends.embedded_ints import encode as encode_ints
from indexing.fragment import Fragment, positions_of_many
from indexing.roaring import U64, encode

Buffer = bytes | memoryview
_SMALL_BYTES = 1 << 16  # blobs that are read many at a time

Source = tuple[Buffer, U64 | None]  # a blob, and which of its columns are wanted (None: all)


def join(sources: Sequence[Source]) -> bytes | None:
    """The blob of all of them; None if it has no bit.

    Raises RoaringError, ValueError when one of them is damaged, and ValueError if a column has two numbers."""
    if len(sources) == 1 and sources[0][1] is None:
        return bytes(sources[0][0])
    return _join_ints(sources) if bytes(sources[0][0][:4]) == INTS else _join_sets(sources)


def _join_sets(sources: Sequence[Source]) -> bytes | None:
    small = [blob for blob, wanted in sources if wanted is None and len(blob) < _SMALL_BYTES]
    large = [(blob, wanted) for blob, wanted in sources if wanted is not None or len(blob) >= _SMALL_BYTES]
    positions: U64 = np.concatenate([positions_of_many(small), *(Fragment(blob).positions(wanted) for blob, wanted in large)])
    if positions.size == 0:
        return None
    if len(sources) > 1:
        positions.sort(kind="stable")  # they are runs already: merged
    return encode(positions)


def _join_ints(sources: Sequence[Source]) -> bytes | None:
    columns, values = [], []
    for blob, wanted in sources:
        fragment = IntFragment(blob)
        column, value = fragment.columns, fragment.values
        if wanted is not None:
            inside = (wanted[column >> 6] >> (column & 63).astype(np.uint64) & np.uint64(1)).astype(np.bool_)
            column, value = column[inside], value[inside]
        columns.append(column)
        values.append(value)
    column, value = np.concatenate(columns), np.concatenate(values)
    return encode_ints(column, value) if column.size else None
