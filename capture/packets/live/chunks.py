"""Chunks of memory between readers and writer: a bounded number, so that a slow disk fills the kernel's buffers and not ours."""

from __future__ import annotations

import threading

import numpy as np

from capture.packets.live.shape import AROUND

CHUNK_BYTES = 4 << 20
POOL_BYTES = 256 << 20


class Chunk:
    """Whole packet blocks of one interface: buffer[:used], uint8. received, dropped_kernel, dropped_interface: the interface's
    counts after its last packet."""

    def __init__(self, size: int) -> None:
        self.buffer = np.empty(size, np.uint8)
        self.address = int(self.buffer.ctypes.data)
        self.interface = 0
        self.used = self.packets = self.bytes = self.super_frames = 0
        self.received = self.dropped_kernel = self.dropped_interface = 0


class ChunkPool:
    """Chunks in which at least two of the longest packets have room. Those used last come first: the caches have them."""

    def __init__(self, snaplen: int, total: int = POOL_BYTES) -> None:
        self._size = max(CHUNK_BYTES, 2 * (snaplen + 2 * AROUND))
        self._left = max(2, total // self._size)
        self._free: list[Chunk] = []
        self._changed = threading.Condition()

    def take(self, seconds: float) -> Chunk | None:
        """A chunk; None where none came free for so long."""
        with self._changed:
            if not self._free and not self._left:
                self._changed.wait(seconds)
            if self._free:
                return self._free.pop()
            if not self._left:
                return None
            self._left -= 1
        return Chunk(self._size)

    def give(self, chunk: Chunk) -> None:
        """Back from the writer."""
        with self._changed:
            self._free.append(chunk)
            self._changed.notify()
