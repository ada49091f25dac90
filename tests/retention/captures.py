"""A small capture of our own making."""

from __future__ import annotations

import struct


def udp_capture(packets: int, first: int = 0) -> bytes:
    """A pcap of UDP packets, each from another address (10.x.y.z, counted from `first`), one a second."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for number in range(first, first + packets):
        address = bytes([10, number >> 16 & 255, number >> 8 & 255, number & 255])
        udp = struct.pack(">HHHH", 1000 + number % 7, 53, 12, 0) + b"data"
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number & 0xFFFF, 0, 64, 17, 0, address, b"\xc0\x00\x02\x01")
        frame = bytes(6) + b"\x02\0\0\0\0\x01" + b"\x08\x00" + ip + udp
        parts.append(struct.pack("<IIII", 1_700_000_000 + number, 0, len(frame), len(frame)) + frame)
    return b"".join(parts)
