"""Blocks of a pcapng file that are no packets, as bytes, in this machine's byte order.

draft-ietf-opsawg-pcapng, sections 3.5 (options), 4.1 (section header), 4.2 (interface description), 4.6 (interface statistics).
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from capture.packets.sources.pcapng_blocks import IF_FILTER, IF_NAME, IF_OS, IF_TSRESOL, SHB_HARDWARE, SHB_OS, SHB_USERAPPL
from capture.packets.sources.pcapng_shape import INTERFACE, SECTION, STATISTICS

MAGIC = 0x1A2B3C4D
LENGTH_UNKNOWN = -1  # of a section: it ends with the file
NANOSECONDS = 9  # if_tsresol: 10^-9 s
ISB_STARTTIME, ISB_ENDTIME, ISB_IFRECV, ISB_IFDROP, ISB_FILTERACCEPT, ISB_OSDROP, ISB_USRDELIV = 2, 3, 4, 5, 6, 7, 8
MAX_OPTION = 0xFFFF


@dataclass(frozen=True)
class Description:
    """An interface as a file describes it. linktype: LINKTYPE number."""

    name: bytes
    linktype: int
    snaplen: int
    filter: str


@dataclass(frozen=True)
class Counts:
    """Since `started` (nanoseconds since 1970): see InterfaceState."""

    started: int
    received: int
    dropped_kernel: int
    dropped_interface: int
    captured: int


def section_header(application: str) -> bytes:
    """The block that a file begins with."""
    system = f"{platform.system()} {platform.release()}"
    options = [(SHB_HARDWARE, platform.machine().encode()), (SHB_OS, system.encode()), (SHB_USERAPPL, application.encode())]
    return _block(SECTION, struct.pack("=IHHq", MAGIC, 1, 0, LENGTH_UNKNOWN), options)


def interface_description(interface: Description) -> bytes:
    """Times of its packets count nanoseconds."""
    options = [(IF_NAME, interface.name), (IF_TSRESOL, bytes([NANOSECONDS]))]
    if interface.filter.strip():
        # The first byte says in what language: 0 is libpcap's.
        options.append((IF_FILTER, b"\0" + interface.filter.encode("utf-8", "surrogateescape")))
    options.append((IF_OS, f"{platform.system()} {platform.release()}".encode()))
    return _block(INTERFACE, struct.pack("=HHI", interface.linktype, 0, interface.snaplen), options)


def interface_statistics(number: int, now: int, counts: Counts) -> bytes:
    """number: the interface's id within the section. now: nanoseconds since 1970."""
    options = [
        (ISB_STARTTIME, _time(counts.started)),
        (ISB_ENDTIME, _time(now)),
        (ISB_IFRECV, struct.pack("=Q", counts.received)),
        (ISB_IFDROP, struct.pack("=Q", counts.dropped_interface)),
        (ISB_FILTERACCEPT, struct.pack("=Q", counts.received)),
        (ISB_OSDROP, struct.pack("=Q", counts.dropped_kernel)),
        (ISB_USRDELIV, struct.pack("=Q", counts.captured)),
    ]
    return _block(STATISTICS, struct.pack("=I", number) + _time(now), options)


def _time(nanoseconds: int) -> bytes:
    # The high half first, whatever the byte order.
    return struct.pack("=II", nanoseconds >> 32, nanoseconds & 0xFFFFFFFF)


def _block(kind: int, head: bytes, options: Iterable[tuple[int, bytes]]) -> bytes:
    body = head
    for code, value in options:
        value = value[:MAX_OPTION]
        body += struct.pack("=HH", code, len(value)) + value + bytes(-len(value) % 4)
    body += struct.pack("=HH", 0, 0)
    length = 12 + len(body)
    return struct.pack("=II", kind, length) + body + struct.pack("=I", length)
