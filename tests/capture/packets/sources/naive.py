"""Captures read the slow and obvious way, one record after the other in Python: what the compiled walks are checked against.

Takes the whole file as bytes. Answers records as tuples in LOCATOR_DTYPE's order, and the error that ended them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from capture.packets.batch import LOCATOR_DTYPE, NO_TIME
from capture.packets.bpf import Program, compile_filter
from capture.packets.errors import FilterError, ReadError

Record = tuple[int, int, int, int, int, int, int, int]
assert LOCATOR_DTYPE.names == (
    "offset", "captured_length", "wire_length", "time_ns", "number", "interface", "linktype", "direction"
)  # fmt: skip

MAX_PACKET = 256 << 20
MAX_BLOCK = MAX_PACKET + (1 << 20)
OLD_LINKTYPES = {11: 100, 12: 101, 14: 101}
SANE_LENGTHS = {231: 128 << 20, 249: 128 << 20, 279: 8 << 20}
TIMES = range(-(2**63) + 1, 2**63)


@dataclass
class Read:
    """records: the packets that pass the filter. numbers_read: how many packets were looked at."""

    records: list[Record] = field(default_factory=list)
    read: int = 0
    error: ReadError | None = None


def read(data: bytes, bpf: str = "") -> Read:
    """All of a capture that open_capture() takes."""
    found = Read()
    programs: dict[int, Program | None] = {}
    try:
        for record in pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else pcap(data):
            found.read += 1
            offset, captured, wire, linktype = record[0], record[1], record[2], record[6]
            if bpf and linktype not in programs:
                try:
                    programs[linktype] = compile_filter(bpf, linktype)
                except FilterError:
                    programs[linktype] = None
            program = programs.get(linktype)
            if not bpf or (program and program.matches(data[offset : offset + captured], captured, wire)):
                found.records.append(record)
    except ReadError as error:
        found.error = error
    return found


def pcap(data: bytes) -> Iterator[Record]:
    magic, order = data[:4], "<"
    if magic in (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d", b"\xa1\xb2\xcd\x34"):
        magic, order = magic[::-1], ">"
    tick = 1 if magic == b"\x4d\x3c\xb2\xa1" else 1000
    header = 24 if magic == b"\x34\xcd\xb2\xa1" else 16
    major, minor, _zone, _accuracy, snaplen, word = struct.unpack_from(order + "HHiIII", data, 4)
    swapped = "yes" if (major, minor) < (2, 3) or major == 543 else "perhaps" if minor == 3 else ""
    linktype = OLD_LINKTYPES.get(word & 0xFFFF, word & 0xFFFF)
    most = min(max(snaplen, SANE_LENGTHS.get(linktype, 262144)), MAX_PACKET)
    offset, number = 24, 0
    while offset < len(data):
        have = len(data) - offset
        if have < header:
            raise ReadError(f"the file ends within a record header ({have} of {header} bytes)", offset, number + 1)
        seconds, fraction, captured, wire = struct.unpack_from(order + "IIII", data, offset)
        if swapped and (swapped == "yes" or captured > wire):
            captured, wire = wire, captured
        if captured > most:
            raise ReadError(f"captured length {captured} is greater than the sane maximum of {most}", offset, number + 1)
        first = offset + header
        if first + captured > len(data):
            left = max(0, len(data) - first)
            raise ReadError(f"the file ends within the packet ({left} of {captured} bytes)", offset, number + 1)
        number += 1
        offset = first + captured
        yield first, captured, wire, seconds * 1_000_000_000 + fraction * tick, number, 0, linktype, 0


@dataclass
class Interface:
    linktype: int
    snaplen: int
    resolution: int
    offset: int

    def time(self, high: int, low: int) -> int:
        power = self.resolution & 0x7F
        unit = 2**power if self.resolution & 0x80 else 10**power
        time = (high << 32 | low) * 1_000_000_000 // unit + self.offset * 1_000_000_000
        return time if time in TIMES else int(NO_TIME)


def options(body: bytes, order: str) -> list[tuple[int, bytes]]:
    found = []
    at = 0
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == 0 or len(value) < length:
            break
        found.append((code, value))
        at += 4 + (length + 3 & ~3)
    return found


def pcapng(data: bytes) -> Iterator[Record]:
    order, first, interfaces = "", 0, list[Interface]()
    offset = number = 0

    def error(reason: str) -> ReadError:
        return ReadError(reason, offset, number + 1)

    while offset < len(data):
        have = len(data) - offset
        if have < 12:
            raise error(f"the file ends within a block header ({have} of 12 bytes)")
        kind = int.from_bytes(data[offset : offset + 4], "big" if order == ">" else "little")
        block_order = order
        if kind == 0x0A0D0D0A:
            block_order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(data[offset + 8 : offset + 12], "")
            if not block_order:
                raise error("a section header without the byte-order magic")
        (length,) = struct.unpack_from(block_order + "I", data, offset + 4)
        if length < 12 or length % 4 or length > MAX_BLOCK:
            raise error(f"a block of type {kind} claims the impossible length {length}")
        if offset + length > len(data):
            raise error(f"the file ends within a block ({len(data) - offset} of {length} bytes)")
        block = data[offset : offset + length]
        if kind in (0x0A0D0D0A, 1):
            if length > 16 << 20:
                raise error(f"a block of type {kind} of {length} bytes")
            smallest = 20 if kind == 1 else 28
            if length < smallest:
                raise error(f"a block of type {kind} of {length} bytes, less than {smallest}")
        if kind == 6 and length < 32:
            raise error(f"a packet block claims the impossible length {length}")
        if kind in (0x0A0D0D0A, 1, 2, 3, 6):
            (again,) = struct.unpack_from(block_order + "I", block, length - 4)
            if again != length:
                raise error(f"a block of {length} bytes says {again} at its end")
        if kind == 0x0A0D0D0A:
            major, minor = struct.unpack_from(block_order + "HH", block, 12)
            if major != 1:
                raise error(f"unknown pcapng version {major}.{minor}")
            order, first = block_order, len(interfaces)
        elif kind == 1:
            linktype, _reserved, snaplen = struct.unpack_from(order + "HHI", block, 8)
            said: dict[int, bytes] = {}
            for code, value in options(block[16:-4], order):
                said.setdefault(code, value)
            resolution, plus = said.get(9, b""), said.get(14, b"")
            interfaces.append(
                Interface(
                    linktype,
                    snaplen,
                    resolution[0] if len(resolution) == 1 else 6,
                    struct.unpack(order + "q", plus)[0] if len(plus) == 8 else 0,
                )
            )
        elif kind in (2, 3, 6):
            here = interfaces[first:]
            direction, time, which, smallest = 0, int(NO_TIME), 0, 32

            def known(which: int, here: list[Interface] = here) -> Interface:
                if which >= len(here):
                    raise error(f"a packet of interface {which}, but {len(here)} were described in this section")
                return here[which]

            def check(captured: int, room: int) -> None:
                if captured > room:
                    raise error(f"captured length {captured} is greater than the block's {room} bytes")

            if kind == 6:
                which, high, low, captured, wire = struct.unpack_from(order + "IIIII", block, 8)
                check(captured, length - 32)
                time = known(which).time(high, low)
                for code, value in options(block[28 + (captured + 3 & ~3) : -4], order):
                    if code == 2 and len(value) == 4:
                        direction = struct.unpack(order + "I", value)[0] & 3
                direction = 0 if direction == 3 else direction
            elif kind == 3:
                smallest = 16
                if length < 16:
                    raise error(f"a simple packet block of {length} bytes")
                (wire,) = struct.unpack_from(order + "I", block, 8)
                limit = known(0).snaplen
                captured = min(wire, limit) if limit else wire
                check(captured, length - 16)
            else:
                if length < 32:
                    raise error(f"a packet block of {length} bytes")
                which, _drops, high, low, captured, wire = struct.unpack_from(order + "HHIIII", block, 8)
                time = known(which).time(high, low)
                check(captured, length - 32)
            number += 1
            yield offset + smallest - 4, captured, wire, time, number, first + which, here[which].linktype, direction
        offset += length


def batches(found: Read, batch_packets: int) -> list[tuple[list[Record], int, int]]:
    """How the packets fall into batches: (records, read, filtered out) of each."""
    out = []
    taken: list[Record] = []
    dropped = 0
    passing = {record[4]: record for record in found.records}
    for number in range(1, found.read + 1):
        if number in passing:
            taken.append(passing[number])
        else:
            dropped += 1
        if len(taken) == batch_packets or dropped == 10 * batch_packets:
            out.append((taken, len(taken) + dropped, dropped))
            taken, dropped = [], 0
    if taken or dropped:
        out.append((taken, len(taken) + dropped, dropped))
    return out


def read_file(path: Path, bpf: str = "") -> Read:
    return read(path.read_bytes(), bpf)
