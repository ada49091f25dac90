"""Packets that lie apart in a piece of a capture, moved one behind the other by a compiled loop."""

from __future__ import annotations

from typing import Any

from numba import types

from capture.packets.compiling import compiled


@compiled(
    types.int64(
        types.uint8[::1],
        types.int64,
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
        types.uint8[::1],
    )
)
def gather(piece: Any, first: Any, order: Any, offset: Any, length: Any, start: Any, data: Any) -> Any:
    """Copies packet k of `order` to data[start[k] : start[k] + length[k]]; -1, or the packet that `piece` does not hold whole.

    piece: uint8, the capture's bytes from offset `first` on. order, offset, length, start: int64; offset as in the locator.
    """
    for i in range(len(order)):
        k = order[i]
        at, size = offset[k] - first, length[k]
        if at < 0 or at + size > len(piece):
            return k
        to = start[k]
        data[to : to + size] = piece[at : at + size]
    return -1
