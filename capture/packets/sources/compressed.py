"""Compressed captures are stored decompressed: locators point into plain bytes. gzip is RFC 1952, by Python's own zlib."""

from __future__ import annotations

import os
import zlib
from typing import BinaryIO

from capture.packets.errors import NotACapture, PacketsError
from capture.packets.sources.sniffing import sniff

_PIECE = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


def decompress(src_path: str | os.PathLike[str], dst_path: str | os.PathLike[str], max_bytes: int) -> str | None:
    """Streams a gzip file (of one or several members) into a plain one.

    Answers None, or a sentence where the stream is cut or damaged: what was decompressed before the break is kept.
    Raises PacketsError when the plain file would pass `max_bytes` (it is then removed), NotACapture for what is not
    gzip, OSError.
    """
    with open(src_path, "rb") as src:
        kind = sniff(src.read(16))
        if kind == "zstd":
            raise NotACapture("zstd-compressed: decompress it first")
        if kind != "gzip":
            raise NotACapture(f"not compressed: {kind}")
        src.seek(0)
        try:
            with open(dst_path, "wb") as dst:
                return _Gunzip(src, dst, max_bytes).run()
        except PacketsError:
            os.unlink(dst_path)
            raise


class _Gunzip:
    def __init__(self, src: BinaryIO, dst: BinaryIO, max_bytes: int) -> None:
        self._src, self._dst, self._max = src, dst, max_bytes
        self._read = 0
        self._written = 0

    def run(self) -> str | None:
        stream = zlib.decompressobj(_GZIP)
        fresh = True  # no byte of the current member was read yet
        while piece := self._src.read(_PIECE):
            self._read += len(piece)
            while piece:
                if stream.eof:
                    piece = piece if not fresh else piece.lstrip(b"\0")  # padding between and behind members
                    if not piece:
                        break
                    if not piece.startswith(b"\x1f"):
                        return None  # as gzip does: what follows the last member is no part of it
                    stream = zlib.decompressobj(_GZIP)
                before = stream.copy()
                try:
                    out = stream.decompress(piece, _PIECE * 4)
                except zlib.error as error:
                    self._save(before, piece)
                    return self._sentence(f"is damaged: {error}")
                self._write(out)
                fresh = stream.eof
                piece = stream.unused_data if stream.eof else stream.unconsumed_tail
        if not stream.eof:
            self._write(stream.flush())
            return self._sentence("is cut")
        return None

    def _save(self, stream: zlib._Decompress, piece: bytes) -> None:
        """Byte by byte up to the damage: the call that met it has thrown away what it had decompressed before it."""
        try:
            for i in range(len(piece)):
                self._write(stream.decompress(piece[i : i + 1]))
        except zlib.error:
            pass

    def _write(self, out: bytes) -> None:
        self._written += len(out)
        if self._written > self._max:
            raise PacketsError(f"decompressed, the file is larger than the limit of {self._max} bytes")
        self._dst.write(out)

    def _sentence(self, what: str) -> str:
        return f"the gzip stream {what} (after {self._written} decompressed bytes, at most {self._read} compressed ones)"
