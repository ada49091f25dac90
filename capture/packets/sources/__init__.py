"""Sources: capture files of every kind we read, cut into batches with locators."""

from __future__ import annotations

import os

from capture.packets.errors import NotACapture
from capture.packets.sources.base import Source, open_regular
from capture.packets.sources.compressed import decompress, first_bytes
from capture.packets.sources.pcap import PcapSource
from capture.packets.sources.pcapng import PcapngSource
from capture.packets.sources.sniffing import sniff

__all__ = ["Source", "decompress", "first_bytes", "open_capture", "sniff"]


def open_capture(path: str | os.PathLike[str]) -> Source:
    """Opens a plain capture file and reads its head.

    Raises NotACapture (what the first bytes are, and what we read; compressed files go through `decompress` first),
    OSError.
    """
    with open_regular(os.fspath(path)) as file:
        kind = sniff(file.read(16) or b"")
    if kind == "pcap":
        return PcapSource(path)
    if kind == "pcapng":
        return PcapngSource(path)
    raise NotACapture(f"{kind}-compressed: decompress it first")
