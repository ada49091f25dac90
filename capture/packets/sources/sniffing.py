"""What a file is, by its first bytes. Names and suffixes lie too often."""

from __future__ import annotations

from capture.packets.errors import NotACapture
from capture.packets.sources.pcap import MAGICS

READABLE = "what we read: pcap, pcapng, and gzip or zstd of either"

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
SKIPPABLE = b"\x50\x2a\x4d\x18"  # the first byte up to \x5f


def is_skippable(head: bytes) -> bool:
    """Whether a skippable frame of zstd begins so (LZ4 has the same ones)."""
    return len(head) >= 4 and 0x50 <= head[0] <= 0x5F and head[1:4] == SKIPPABLE[1:]


def compression(head: bytes) -> str:
    """ "gzip", "zstd", or "" """
    if head[:2] == GZIP:
        return "gzip"
    return "zstd" if head[:4] == ZSTD or is_skippable(head) else ""


def sniff(head: bytes) -> str:
    """ "pcap" | "pcapng" | "gzip" | "zstd", from the first bytes (16 are enough). Raises NotACapture."""
    start = bytes(head[:4])
    if start in MAGICS:
        return "pcap"
    if start == b"\x0a\x0d\x0d\x0a":
        return "pcapng"
    packed = compression(start)
    if packed:
        return packed
    if not head:
        raise NotACapture("the file is empty")
    shown = bytes(head[:8])
    raise NotACapture(f"not a capture: the first bytes are {shown.hex(' ')} ({shown!r}); {READABLE}")
