"""The compiled walk over blocks that we wrote ourselves, in this machine's byte order: where they end, and how many packets."""

from __future__ import annotations

from typing import Any

from numba import types

from capture.packets.compiling import compiled
from capture.packets.live.shape import WALK_AT, WALK_BYTES, WALK_NEEDED, WALK_PACKETS
from capture.packets.sources.pcapng_shape import ENHANCED_PACKET, MAX_BLOCK, MIN_BLOCK
from capture.packets.sources.words import u32


@compiled(types.boolean(types.uint8[::1], types.int64, types.int64, types.int64, types.int64[::1]))
def walk_blocks(buffer: Any, start: Any, end: Any, most: Any, walked: Any) -> Any:
    """Steps over the whole blocks in buffer[start:end] until at least `most` bytes lie behind it. False at one that is none.

    walked: int64 (WALK_LENGTH,), set to: WALK_AT, the end of the last block; WALK_PACKETS and WALK_BYTES, of packets before that;
    WALK_NEEDED, the length, as far as it is known, of the block there that is not wholly in the buffer (0: nothing lies there).
    """
    at, packets, captured, needed = start, 0, 0, 0
    whole = True
    while at < end and at - start < most:
        if at + MIN_BLOCK > end:
            needed = MIN_BLOCK
            break
        length = u32(buffer, at + 4, False)
        if length < MIN_BLOCK or length & 3 or length > MAX_BLOCK:
            whole = False
            break
        if at + length > end:
            needed = length
            break
        if u32(buffer, at + length - 4, False) != length:
            whole = False
            break
        if u32(buffer, at, False) == ENHANCED_PACKET:
            packets += 1
            captured += u32(buffer, at + 20, False)
        at += length
    walked[WALK_AT], walked[WALK_PACKETS], walked[WALK_BYTES], walked[WALK_NEEDED] = at, packets, captured, needed
    return whole
