"""Numbers of either byte order out of a buffer, for compiled loops. The caller has checked that the bytes are there."""

from __future__ import annotations

from typing import Any

import numpy as np

from capture.packets.compiling import compiled


@compiled(inline="always")
def u16(buffer: Any, at: Any, big: Any) -> Any:
    """Two bytes of buffer (uint8) from index `at` (int64) on, as int64."""
    i = np.uint64(at)
    a, b = np.int64(buffer[i]), np.int64(buffer[i + np.uint64(1)])
    if big:
        return a << 8 | b
    return b << 8 | a


@compiled(inline="always")
def u32(buffer: Any, at: Any, big: Any) -> Any:
    """Four bytes, as int64."""
    i = np.uint64(at)
    a, b = np.int64(buffer[i]), np.int64(buffer[i + np.uint64(1)])
    c, d = np.int64(buffer[i + np.uint64(2)]), np.int64(buffer[i + np.uint64(3)])
    if big:
        return a << 24 | b << 16 | c << 8 | d
    return d << 24 | c << 16 | b << 8 | a


@compiled()
def u64(buffer: Any, at: Any, big: Any) -> Any:
    """Eight bytes, as uint64."""
    a, b = np.uint64(u32(buffer, at, big)), np.uint64(u32(buffer, at + 4, big))
    if big:
        return a << np.uint64(32) | b
    return b << np.uint64(32) | a
