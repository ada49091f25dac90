"""The batch: a run of consecutive packets of one capture, and the locator that says where they lie.

A batch is the unit of work, of retry, of column allocation and of visibility. Packet `i` of a batch (0-based, in
capture order, packets that the filter dropped not counted) becomes column `first_column + i` of the index.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A packet without a timestamp (pcapng simple packet blocks). Never 1970: a stamp of 0 *is* 1970.
NO_TIME = np.iinfo(np.int64).min

# A packet's direction, as seen by the interface that captured it.
UNKNOWN, INBOUND, OUTBOUND = 0, 1, 2

LOCATOR_DTYPE = np.dtype(
    [
        ("offset", "<u8"),  # of the packet's first byte (not its record header) in the stored capture
        ("captured_length", "<u4"),  # bytes in the capture
        ("wire_length", "<u4"),  # bytes on the wire
        ("time_ns", "<i8"),  # nanoseconds since 1970-01-01 UTC, or NO_TIME
        ("number", "<u8"),  # of the packet in the capture, from 1 (packets filtered out are counted too)
        ("interface", "<u4"),  # index in the capture's list of interfaces
        ("linktype", "<u2"),  # LINKTYPE number, https://www.tcpdump.org/linktypes.html
        ("direction", "u1"),  # UNKNOWN, INBOUND, OUTBOUND: what a pcapng capture says of the packet (epb_flags)
    ]
)


@dataclass(frozen=True)
class ScannedBatch:
    """What one step of a scan found: the packets to index, and how many it looked at.

    locator: LOCATOR_DTYPE array, one record per packet that passed the filter (may be empty).
    read: packets scanned for this batch = len(locator) + filtered_out.
    state: JSON-able position behind this batch; `scan(..., state=...)` continues there.
    """

    locator: NDArray[Any]
    read: int
    filtered_out: int
    state: dict[str, Any]


@dataclass(frozen=True)
class PacketBatch:
    """The packets of a batch with their bytes: what a dissector gets.

    data: uint8 (total,), all bytes of the batch; packet i is data[start[i] : start[i] + captured_length[i]].
    start: int64 (n,). locator: LOCATOR_DTYPE (n,), the batch's own (lengths, times, link types).
    interfaces: names of the capture's interfaces, by locator["interface"], b"" where one has none; shorter (or empty) where
    no packet of the batch has a later interface with a name.
    """

    data: NDArray[np.uint8]
    start: NDArray[np.int64]
    locator: NDArray[Any]
    interfaces: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return len(self.locator)

    def packet(self, i: int) -> bytes:
        """Bytes of packet `i` of this batch as captured."""
        at = int(self.start[i])
        return self.data[at : at + int(self.locator["captured_length"][i])].tobytes()


@dataclass(frozen=True)
class InterfaceInfo:
    """An interface of a capture: pcap has one, pcapng one per interface description block.

    Texts are in the text form of capture.packets.values, "" where the capture does not say. Counts are those of the last
    interface statistics block so far, None where none says.
    """

    linktype: int  # LINKTYPE number
    snaplen: int  # 0: no limit given
    name: str = ""  # pcapng if_name
    description: str = ""  # if_description
    filter: str = ""  # if_filter: what the capturing program let through
    hardware: str = ""  # if_hardware
    os: str = ""  # if_os
    received: int | None = None  # isb_ifrecv: packets
    dropped: int | None = None  # isb_ifdrop: dropped by the interface for want of room
    os_dropped: int | None = None  # isb_osdrop: dropped by the operating system
    accepted: int | None = None  # isb_filteraccept: let through by the filter
    lost: int = 0  # sum of the packets' own drop counts (epb_dropcount): lost before each


@dataclass
class CaptureInfo:
    """What the head of a capture (and, after a scan, all of it) says of itself."""

    format: str  # "pcap" | "pcapng"
    byte_order: str  # "little" | "big" (of the first section)
    resolution: str  # "us" | "ns" for pcap; pcapng: of the first interface, as a power ("10^-6", "2^-20")
    snaplen: int
    interfaces: list[InterfaceInfo] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)  # of sections and interfaces
    application: str = ""  # shb_userappl: the program that wrote it (of the first section that says)
    hardware: str = ""  # shb_hardware
    os: str = ""  # shb_os
    packet_comments: list[tuple[int, str]] = field(default_factory=list)  # (packet number, comment), the first ones
    commented_packets: int = 0  # packets with a comment, all of them
    notes: list[str] = field(default_factory=list)  # sentences: what the capture says that is not kept here
