"""The packets of a capture as the kernel takes them: what sendmmsg(2) is handed, made once for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.sources import open_capture

LEAST = 14  # an Ethernet header: the kernel refuses less
# struct iovec and struct mmsghdr of Linux with 64 bits.
IOVEC = np.dtype([("base", "u8"), ("length", "u8")])
MMSGHDR = np.dtype(
    [
        ("name", "u8"),
        ("name_length", "u4"),
        ("pad", "u4"),
        ("iovec", "u8"),
        ("iovecs", "u8"),
        ("control", "u8"),
        ("control_length", "u8"),
        ("flags", "i4"),
        ("pad2", "u4"),
        ("sent", "u4"),
        ("pad3", "u4"),
    ]
)


class Frames:
    """Ethernet packets of a pcap file that a link with `mtu` carries, in memory. messages: MMSGHDR, one a packet."""

    def __init__(self, capture: Path, mtu: int) -> None:
        with open_capture(capture) as source:
            found = [batch.locator for batch in source.scan(1 << 17)]
        locator = np.concatenate(found) if found else np.zeros(0, [("captured_length", "u4"), ("offset", "u8")])
        length = locator["captured_length"]
        locator = locator[(length >= LEAST) & (length <= mtu + LEAST)]
        if not len(locator):
            raise ValueError(f"{capture} has no packet that can be sent")
        # Read and not mapped: nobody waits for the disk while the wire is at work.
        self._bytes: NDArray[np.uint8] = np.fromfile(capture, np.uint8)
        self._iovecs: NDArray[Any] = np.zeros(len(locator), IOVEC)
        self._iovecs["base"] = self._bytes.ctypes.data + locator["offset"].astype(np.uint64)
        self._iovecs["length"] = locator["captured_length"]
        self.messages: NDArray[Any] = np.zeros(len(locator), MMSGHDR)
        self.messages["iovec"] = self._iovecs.ctypes.data + np.arange(len(locator), dtype=np.uint64) * IOVEC.itemsize
        self.messages["iovecs"] = 1
        self.bytes = int(locator["captured_length"].sum(dtype=np.int64))

    def __len__(self) -> int:
        return len(self.messages)

    def packet(self, number: int) -> bytes:
        """The bytes of one packet, from 0."""
        base, length = (int(value) for value in self._iovecs[number])
        at = base - self._bytes.ctypes.data
        return self._bytes[at : at + length].tobytes()
