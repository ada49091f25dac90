"""What a file is, by its first bytes. Names and suffixes lie too often."""

from __future__ import annotations

from capture.packets.errors import NotACapture
from capture.packets.sources.pcap import MAGICS

READABLE = "what we read: pcap, pcapng, and gzip of either"


def sniff(head: bytes) -> str:
    """ "pcap" | "pcapng" | "gzip" | "zstd", from the first bytes (16 are enough). Raises NotACapture."""
    start = bytes(head[:4])
    if start in MAGICS:
        return "pcap"
    if start == b"\x0a\x0d\x0d\x0a":
        return "pcapng"
    if start[:2] == b"\x1f\x8b":
        return "gzip"
    if start == b"\x28\xb5\x2f\xfd":
        return "zstd"
    if not head:
        raise NotACapture("the file is empty")
    shown = bytes(head[:8])
    raise NotACapture(f"not a capture: the first bytes are {shown.hex(' ')} ({shown!r}); {READABLE}")
