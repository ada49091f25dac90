"""Blocks of a pcapng file that are no packets, little-endian: draft-ietf-opsawg-pcapng, 3.5 (options), 4.1, 4.2."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from capture.packets.sources.pcapng_blocks import (
    IF_DESCRIPTION,
    IF_FILTER,
    IF_HARDWARE,
    IF_NAME,
    IF_OS,
    IF_TSOFFSET,
    IF_TSRESOL,
    OPT_COMMENT,
    SHB_USERAPPL,
)
from capture.packets.sources.pcapng_shape import INTERFACE, SECTION
from proxy.export.described import Described
from proxy.export.packets import Interface

MAGIC = 0x1A2B3C4D
LENGTH_UNKNOWN = -1
_MOST = 0xFFFF  # bytes of an option
APPLICATION = b"picapweb"


def section_header(comment: str) -> bytes:
    """The block that a section begins with. comment "": none."""
    options = [(OPT_COMMENT, comment.encode()), (SHB_USERAPPL, APPLICATION)]
    return _block(SECTION, struct.pack("<IHHq", MAGIC, 1, 0, LENGTH_UNKNOWN), options)


def interface_description(one: Interface, said: Described, resolution: int, begin: int) -> bytes:
    """resolution: a power, times count units of 10^-resolution seconds. begin: seconds since 1970 that they count from."""
    name = f": {said.job}" if said.job else ""
    options = [
        (OPT_COMMENT, f"job {one.job}{name}, interface {one.number}".encode()),
        (IF_NAME, one.name),
        (IF_DESCRIPTION, said.description),
        (IF_TSRESOL, bytes([resolution])),
        # The first byte says in what language: 0 is libpcap's.
        (IF_FILTER, b"\0" + said.filter if said.filter else b""),
        (IF_OS, said.os),
        (IF_TSOFFSET, struct.pack("<q", begin) if begin else b""),
        (IF_HARDWARE, said.hardware),
    ]
    return _block(INTERFACE, struct.pack("<HHI", one.linktype, 0, min(said.snaplen, 0xFFFFFFFF)), options)


def _block(kind: int, head: bytes, options: Iterable[tuple[int, bytes]]) -> bytes:
    """Options without a value are left out."""
    body = head
    for code, value in options:
        if value:
            value = value[:_MOST]
            body += struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
    body += struct.pack("<HH", 0, 0)
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)
