"""A window on a capture file that slides forward: one reused buffer, filled by readinto.

Not mmap: a file that is cut under a mapping kills the process with SIGBUS, and a mapping swells resident memory.
"""

from __future__ import annotations

import io
import os

import numpy as np

DEFAULT_SIZE = 1 << 20


class Window:
    """buffer[0:end] holds the file's bytes from offset `base`. `array` is the same memory, for compiled loops: uint8."""

    def __init__(self, file: io.FileIO, size: int = DEFAULT_SIZE) -> None:
        self._file = file
        self.base = 0
        self.end = 0
        self._allocate(size)
        self.refresh_size()

    def _allocate(self, size: int) -> None:
        self.array = np.empty(size, np.uint8)
        self.buffer = memoryview(self.array.data)

    def refresh_size(self) -> int:
        """The file's size now: it may be growing."""
        self.size = os.fstat(self._file.fileno()).st_size
        return self.size

    def reaches(self, offset: int) -> bool:
        """Whether the file has all bytes before `offset`."""
        return offset <= self.size or offset <= self.refresh_size()

    def want(self, offset: int, length: int) -> int:
        """Makes the bytes [offset, offset + length) part of the window; answers how many of them the file has.

        The buffer grows only for bytes that the file really has, whatever a length field claims.
        """
        have = self.base + self.end - offset
        if offset >= self.base and have >= length:
            return length
        if length > len(self.buffer):
            if not self.reaches(offset + length):
                length = max(0, self.size - offset)
            if length > len(self.buffer):
                kept, base, end = self.buffer, self.base, self.end
                self._allocate(length)
                self.buffer[:end], self.base, self.end = kept[:end], base, end
        if offset >= self.base and have > 0:
            self.buffer[:have] = self.buffer[offset - self.base : self.end]
            self.end = have
        else:
            self.end = 0
        self.base = offset
        self._file.seek(offset + self.end)
        while self.end < length or self.end < len(self.buffer):
            got = self._file.readinto(self.buffer[self.end :])
            if not got:
                break
            self.end += got
        return min(length, self.end)
