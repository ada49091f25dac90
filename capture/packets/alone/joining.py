"""Parts of a batch, dissected one by one, as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import Dissected, IntValues, SetValues


def join(parts: Sequence[tuple[int, Dissected]]) -> Dissected:
    """One Dissected of parts that follow one another; each with the position of its first packet in the batch."""
    out = Dissected()
    found: dict[str, list[tuple[int, SetValues | IntValues]]] = {}
    for start, part in parts:
        out.undecodable += part.undecodable
        out.handed_over += part.handed_over
        out.dissector = out.dissector or part.dissector
        out.not_indexed = {**part.not_indexed, **out.not_indexed}
        for name, column in part.fields.items():
            found.setdefault(name, []).append((start, column))
    # A field that one part lacks is said to be missing in all of the batch.
    out.fields = {name: _joined(columns) for name, columns in found.items() if name not in out.not_indexed}
    return out


def _joined(columns: list[tuple[int, Any]]) -> SetValues | IntValues:
    packet = np.concatenate([column.packet + np.uint32(start) for start, column in columns]).astype(np.uint32)
    if isinstance(columns[0][1], IntValues):
        return IntValues(packet, np.concatenate([column.value for _, column in columns]))
    if isinstance(columns[0][1].values, list):
        known: dict[bytes, int] = {}
        codes = [_codes(column, known) for _, column in columns]
        return SetValues(packet, np.concatenate(codes), list(known))
    rows = np.concatenate([np.asarray(column.values, np.uint64)[column.code] for _, column in columns])
    values, code = np.unique(rows, return_inverse=True)
    return SetValues(packet, code.astype(np.uint32), values)


def _codes(column: SetValues, known: dict[bytes, int]) -> NDArray[np.uint32]:
    """The column's codes in the numbers of `known`, which grows."""
    numbers = [known.setdefault(value, len(known)) for value in column.values]
    codes: NDArray[np.uint32] = np.array(numbers, np.uint32)[column.code]
    return codes
