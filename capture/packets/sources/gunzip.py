"""gzip, RFC 1952, by Python's own zlib: members one after the other, padding and a tape's end behind them as gzip takes them."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from capture.packets.sources.plain import Plain

_PIECE = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


def gunzip(src: BinaryIO, plain: Plain) -> str | None:
    """Decompresses `src`, from its start; None, or a sentence where it is cut or damaged. Raises as Plain.write."""
    stream = zlib.decompressobj(_GZIP)
    fresh = True  # no byte of the current member was read yet
    read = 0
    while piece := src.read(_PIECE):
        read += len(piece)
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
                _save(before, piece, plain)
                return plain.sentence(f"is damaged: {error}", read)
            plain.write(out)
            fresh = stream.eof
            piece = stream.unused_data if stream.eof else stream.unconsumed_tail
    if not stream.eof:
        plain.write(stream.flush())
        return plain.sentence("is cut", read)
    return None


def _save(stream: zlib._Decompress, piece: bytes, plain: Plain) -> None:
    """Byte by byte up to the damage: the call that met it has thrown away what it had decompressed before it."""
    try:
        for i in range(len(piece)):
            plain.write(stream.decompress(piece[i : i + 1]))
    except zlib.error:
        pass
