"""What a recorder is asked for, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

EndKind = Literal["stopped", "packets", "bytes", "seconds", "disk", "gone", "error"]
InterfaceStateName = Literal["starting", "up", "down", "gone", "refused"]


@dataclass(frozen=True)
class RecorderOrder:
    """What to capture, and where to.

    interfaces: names as the kernel has them, any bytes; b"any" for all of them at once.
    folder: exists; ring files are written into it, live-%06d.pcapng by sequence.
    snaplen: bytes kept of a packet, at most 262144 (0: so many). buffer_bytes: the kernel's buffer, per interface.
    timeout: seconds after which the kernel hands over what it has, if that does not fill a block of its buffer; at least
    device.SHORTEST_TIMEOUT is taken.
    filters: BPF expressions by interface, the first that compiles for its link type is used; without any, all packets.
    file_bytes: a file that has so many is closed, and the next one begun.
    max_packets, max_bytes (captured bytes of packets), max_seconds: stop rules, 0 is none. The packet that reaches max_bytes is
    the last one. packets_before, bytes_before, seconds_before: what counts for them from before this recorder.
    min_free_bytes: where the file system has less, the capture ends.
    first_sequence: the number of the first file. gone_seconds: so long an interface that does not exist is waited for.
    application: as the files name it.
    """

    interfaces: tuple[bytes, ...]
    folder: Path
    snaplen: int = 262144
    promisc: bool = False
    timeout: float = 0.001
    buffer_bytes: int = 64 << 20
    filters: Mapping[bytes, tuple[str, ...]] = field(default_factory=dict)
    file_bytes: int = 1 << 30
    max_packets: int = 0
    max_bytes: int = 0
    max_seconds: float = 0.0
    min_free_bytes: int = 0
    first_sequence: int = 1
    packets_before: int = 0
    bytes_before: int = 0
    seconds_before: float = 0.0
    gone_seconds: float = 10.0
    application: str = "picapweb"


@dataclass(frozen=True)
class End:
    """Why a recorder ended: "stopped" on request, a stop rule, the disk is (nearly) full, all interfaces gone, or an error."""

    kind: EndKind
    words: str


@dataclass(frozen=True)
class FileState:
    """A ring file. size: bytes written, always the end of a block. packets: among those bytes. packets_before: in the files
    before it, those of earlier recorders too. open: it may still grow."""

    sequence: int
    path: Path
    size: int
    packets: int
    packets_before: int
    open: bool


@dataclass(frozen=True)
class InterfaceState:
    """An interface and its counts, since the recorder's start.

    words: why it is not up, "" if it is. linktype: LINKTYPE number, None before it was first opened. filter: as used.
    received: packets that passed the filter. dropped_kernel: of them, those that had no room in the kernel's buffer.
    captured: of them, those in files. unread: the rest, on its way to a file while this is running; after the end, packets that
    came too late for a stop rule, or that a failing disk did not take. received = captured + dropped_kernel + unread.
    dropped_interface: packets that the network card dropped, which are not among those received.
    bytes_captured: of the captured packets. super_frames: captured packets that are longer than the link can carry: several
    that the kernel joined (GRO), or has still to cut (TSO).
    """

    name: bytes
    state: InterfaceStateName
    words: str
    linktype: int | None
    filter: str
    mtu: int
    received: int
    dropped_kernel: int
    dropped_interface: int
    captured: int
    bytes_captured: int
    super_frames: int
    unread: int


@dataclass(frozen=True)
class Snapshot:
    """A recorder at one moment: the packets of its files (forgotten ones too) are the captured ones of its interfaces."""

    files: tuple[FileState, ...]
    interfaces: tuple[InterfaceState, ...]

    @property
    def received(self) -> int:
        return sum(one.received for one in self.interfaces)

    @property
    def captured(self) -> int:
        return sum(one.captured for one in self.interfaces)

    @property
    def bytes_captured(self) -> int:
        return sum(one.bytes_captured for one in self.interfaces)

    @property
    def dropped_kernel(self) -> int:
        return sum(one.dropped_kernel for one in self.interfaces)

    @property
    def dropped_interface(self) -> int:
        return sum(one.dropped_interface for one in self.interfaces)

    @property
    def super_frames(self) -> int:
        return sum(one.super_frames for one in self.interfaces)

    @property
    def unread(self) -> int:
        return sum(one.unread for one in self.interfaces)
