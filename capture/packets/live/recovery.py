"""A ring file after its writer was killed: what of it is whole."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from capture.packets.live.shape import WALK_AT, WALK_LENGTH, WALK_NEEDED, WALK_PACKETS
from capture.packets.sources.pcapng_blocks import byte_order
from capture.packets.sources.pcapng_shape import MIN_BLOCK, SECTION
from capture.packets.sources.window import Window

SMALLEST_SECTION = 28


@dataclass(frozen=True)
class Recovered:
    """size: bytes, packets: in them. words: what was cut off, "" if the file was whole."""

    size: int
    packets: int
    words: str


def recover(path: str | os.PathLike[str], state: Mapping[str, Any] | None = None) -> Recovered:
    """Cuts a ring file off behind its last whole block, and says what is left. Nobody may be writing it.

    state: of a scan of this file without a filter, which is gone on from ("offset", "number"); what lies before is not read.
    A file without a whole section header is cut to nothing. Raises OSError.
    """
    with io.FileIO(os.fspath(path), "r+b") as file:
        window = Window(file)
        length = window.size
        size, packets = (int(state["offset"]), int(state["number"])) if state else (0, 0)
        if size > length:
            size, packets = 0, 0  # what was scanned is lost: it is counted anew
        why = "" if size else _no_section(window)
        if not why:
            size, packets, why = _walk(window, size, packets)
        if size == length:
            return Recovered(size, packets, "")
        file.truncate(size)
        os.fsync(file.fileno())
    return Recovered(size, packets, f"{length - size} bytes at the end were cut off: {why}")


def _no_section(window: Window) -> str:
    """Why the file holds nothing, "" if it begins with a whole section header."""
    if window.size == 0:
        return ""
    if window.want(0, SMALLEST_SECTION) < SMALLEST_SECTION:
        return "no whole section header"
    is_section = int.from_bytes(window.buffer[:4], "little") == SECTION
    return "" if is_section and byte_order(window.buffer) == "<" else "it does not begin with a section header of ours"


def _walk(window: Window, at: int, packets: int) -> tuple[int, int, str]:
    """(end of the last whole block, packets before it, why it is the last)."""
    from capture.packets.live.walk import walk_blocks  # compiled: only who recovers waits for it

    walked = np.zeros(WALK_LENGTH, np.int64)
    needed = MIN_BLOCK
    while at < window.size:
        have = window.want(at, needed)
        if have < needed:
            return at, packets, f"the last block has {have} bytes of at least {needed}"
        start = at - window.base
        whole = walk_blocks(window.array, start, window.end, window.size, walked)
        at, packets = window.base + int(walked[WALK_AT]), packets + int(walked[WALK_PACKETS])
        if not whole:
            return at, packets, "what follows is no block"
        needed = max(int(walked[WALK_NEEDED]), MIN_BLOCK)
    return at, packets, ""
