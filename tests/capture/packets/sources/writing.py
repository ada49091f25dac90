"""Captures made byte by byte, straight from the format descriptions: what the sources are tested against."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

MICROSECONDS, NANOSECONDS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34


@dataclass(frozen=True)
class Packet:
    """What goes into a record: `seconds` and `fraction` as they stand in it."""

    data: bytes
    wire_length: int
    seconds: int = 0
    fraction: int = 0


def pcap_header(order: str = "<", magic: int = MICROSECONDS, snaplen: int = 65535, word: int = 1, version=(2, 4)) -> bytes:
    return struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, word)


def pcap_record(packet: Packet, order: str = "<", magic: int = MICROSECONDS) -> bytes:
    header = struct.pack(order + "IIII", packet.seconds, packet.fraction, len(packet.data), packet.wire_length)
    extra = struct.pack(order + "IHBB", 7, 0x0800, 4, 0) if magic == MODIFIED else b""
    return header + extra + packet.data


def pcap(packets: Sequence[Packet], order: str = "<", magic: int = MICROSECONDS, **header) -> bytes:
    return pcap_header(order, magic, **header) + b"".join(pcap_record(one, order, magic) for one in packets)


def padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    length = 12 + len(padded(body))
    return struct.pack(order + "II", kind, length) + padded(body) + struct.pack(order + "I", length)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + padded(value)


def section(order: str = "<", options: bytes = b"", version=(1, 0)) -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, *version, -1) + options, order)


def interface(linktype: int = 1, snaplen: int = 0, options: bytes = b"", order: str = "<") -> bytes:
    return block(1, struct.pack(order + "HHI", linktype, 0, snaplen) + options, order)


def enhanced(
    data: bytes, wire_length: int, ticks: int = 0, interface_id: int = 0, order: str = "<", options: bytes = b""
) -> bytes:
    head = struct.pack(order + "IIIII", interface_id, ticks >> 32, ticks & 0xFFFFFFFF, len(data), wire_length)
    return block(6, head + padded(data) + options, order)


def simple(data: bytes, wire_length: int, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", wire_length) + data, order)


def obsolete(data: bytes, wire_length: int, ticks: int = 0, interface_id: int = 0, order: str = "<") -> bytes:
    head = struct.pack(order + "HHIIII", interface_id, 0xFFFF, ticks >> 32, ticks & 0xFFFFFFFF, len(data), wire_length)
    return block(2, head + data, order)


def custom(order: str = "<") -> bytes:
    return block(0x00000BAD, struct.pack(order + "I", 32473) + b"not a packet", order)


def statistics(interface_id: int, counts: dict[int, int], order: str = "<", options: bytes = b"") -> bytes:
    """An interface statistics block; counts by option code (4 isb_ifrecv, 5 isb_ifdrop, 6 isb_filteraccept, 7 isb_osdrop)."""
    said = b"".join(option(code, struct.pack(order + "Q", value), order) for code, value in counts.items())
    return block(5, struct.pack(order + "III", interface_id, 0, 0) + said + options, order)
