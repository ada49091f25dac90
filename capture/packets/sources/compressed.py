"""Compressed captures are stored decompressed: locators point into plain bytes. gzip and zstd, one level, told by content."""

from __future__ import annotations

import io
import os

from capture.packets.errors import NotACapture, PacketsError
from capture.packets.sources.gunzip import gunzip
from capture.packets.sources.plain import Enough, Plain
from capture.packets.sources.sniffing import sniff
from capture.packets.sources.unzstd import unzstd

STREAMS = {"gzip": gunzip, "zstd": unzstd}
_BUFFER = 1 << 20


def decompress(src_path: str | os.PathLike[str], dst_path: str | os.PathLike[str], max_bytes: int) -> str | None:
    """Streams a gzip or zstd file (of one or several members or frames) into a plain one.

    Answers None, or a sentence where the stream is cut or damaged: what was decompressed before the break is kept.
    Raises PacketsError when the plain file would pass `max_bytes` (it is then removed), NotACapture for what is not
    compressed or compressed twice, OSError.
    """
    with open(src_path, "rb") as src:
        kind = sniff(src.read(16))
        if kind not in STREAMS:
            raise NotACapture(f"not compressed: {kind}")
        src.seek(0)
        try:
            with open(dst_path, "wb", buffering=_BUFFER) as dst:
                return STREAMS[kind](src, Plain(kind, dst, max_bytes))
        except PacketsError:
            os.unlink(dst_path)
            raise


def first_bytes(src_path: str | os.PathLike[str], wanted: int) -> tuple[str, bytes, str | None]:
    """The compression of a gzip or zstd file, its first `wanted` plain bytes or a few more, and the sentence if it breaks
    before there are so many. Raises NotACapture, OSError."""
    with open(src_path, "rb") as src:
        kind = sniff(src.read(16))
        if kind not in STREAMS:
            raise NotACapture(f"not compressed: {kind}")
        src.seek(0)
        dst = io.BytesIO()
        try:
            broken = STREAMS[kind](src, Plain(kind, dst, 1 << 62, wanted))
        except Enough:
            broken = None
        return kind, dst.getvalue(), broken
