"""Zstandard, RFC 8878: frames and skippable frames one after the other, with a limit on the memory that a frame asks for."""

from __future__ import annotations

import os
from typing import BinaryIO

import zstandard

from capture.packets.sources.plain import Plain
from capture.packets.sources.sniffing import SKIPPABLE, ZSTD, is_skippable

# The largest window that the zstd program itself takes without being told to (its --long=27).
MAX_WINDOW = 1 << 27
# One call gives out all that its input holds: at 128 KiB of output for a block of 4 bytes, 64 MiB for so many bytes.
_PIECE = 2048
_HEADER = 18  # bytes of the longest frame header
_SKIPPABLE_HEADER = 8


def unzstd(src: BinaryIO, plain: Plain) -> str | None:
    """Decompresses `src` (a file); None, or a sentence where it is cut, damaged or too much. Raises as Plain.write."""
    return _Frames(src, plain).run()


class _Frames:
    def __init__(self, src: BinaryIO, plain: Plain) -> None:
        self._src, self._plain = src, plain
        self._at = 0  # compressed bytes done with
        self._size = os.fstat(src.fileno()).st_size

    def run(self) -> str | None:
        while self._at < self._size:
            self._src.seek(self._at)
            head = self._src.read(_HEADER)
            if is_skippable(head):
                self._at += _SKIPPABLE_HEADER + int.from_bytes(head[4:8], "little")
                if len(head) < _SKIPPABLE_HEADER or self._at > self._size:
                    return self._cut()
                continue
            problem = self._refused(head) or self._frame()
            if problem:
                return problem
        return None

    def _refused(self, head: bytes) -> str | None:
        """Why the frame that begins so is not tried."""
        if head[:4] != ZSTD:
            skippable = 0x50 <= head[0] <= 0x5F and SKIPPABLE[1:].startswith(head[1:])
            if len(head) < 4 and (skippable or ZSTD.startswith(head)):
                return self._cut()
            return self._sentence(f"is damaged: {self._size - self._at} bytes behind its last frame are no frame")
        try:
            asked = zstandard.get_frame_parameters(head)
        except zstandard.ZstdError as error:
            return self._cut() if len(head) < _HEADER else self._sentence(f"is damaged: {error}")
        if asked.window_size > MAX_WINDOW:
            return self._sentence(f"asks for {asked.window_size} bytes of memory for its window, more than {MAX_WINDOW}")
        if asked.dict_id:
            return self._sentence(f"needs dictionary {asked.dict_id}, which is not here")
        return None

    def _frame(self) -> str | None:
        start = self._at
        stream = _stream()
        self._src.seek(start)
        while not stream.eof:
            piece = self._src.read(_PIECE)
            if not piece:
                return self._cut()
            try:
                out = stream.decompress(piece)
            except zstandard.ZstdError as error:
                self._save(start, self._at)
                self._at += len(piece)
                return self._sentence(f"is damaged: {error}")
            self._at += len(piece) - len(stream.unused_data)
            self._plain.write(out)
        return None

    def _save(self, start: int, damaged: int) -> None:
        """The frame again, what was written left out, and byte by byte from `damaged` on: the call that met the damage
        has thrown away what it had decompressed before it."""
        stream = _stream()
        self._src.seek(start)
        for at in range(start, damaged, _PIECE):
            stream.decompress(self._src.read(min(_PIECE, damaged - at)))
        try:
            for byte in self._src.read(_PIECE):
                self._plain.write(stream.decompress(bytes((byte,))))
        except zstandard.ZstdError:
            pass

    def _cut(self) -> str:
        self._at = self._size
        return self._sentence("is cut")

    def _sentence(self, what: str) -> str:
        return self._plain.sentence(what, self._at)


def _stream() -> zstandard.ZstdDecompressionObj:
    return zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
