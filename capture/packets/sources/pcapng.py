"""pcapng: draft-ietf-opsawg-pcapng. Several sections, each with its own byte order and interfaces.

Packets are Enhanced Packet Blocks, Simple Packet Blocks (which have no time) and the obsolete Packet Blocks. All other
blocks, custom blocks too, are no packets and take no number. Interfaces are numbered through all sections.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from capture.packets.batch import NO_TIME, CaptureInfo, InterfaceInfo
from capture.packets.errors import NotACapture, ReadError
from capture.packets.sources.base import MAX_PACKET, Record, Source, State, Walk
from capture.packets.sources.window import Window
from capture.packets.values import text_of

SECTION, INTERFACE, PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 2, 3, 6
PACKET_BLOCKS = (PACKET, SIMPLE_PACKET, ENHANCED_PACKET)

MIN_BLOCK = 12  # type, length, length again
MAX_BLOCK = MAX_PACKET + (1 << 20)  # a packet and its options
MAX_DESCRIPTION = 16 << 20  # of a section or an interface
SMALLEST_SECTION, SMALLEST_INTERFACE, SMALLEST_PACKET = 28, 20, 32
HEAD = 16 << 20  # how far the head is searched for interfaces before the first packet

OPT_END, OPT_COMMENT, IF_NAME, IF_DESCRIPTION, IF_TSRESOL, IF_TSOFFSET = 0, 1, 2, 3, 9, 14
MAX_COMMENTS = 1000

_TIMES = range(int(NO_TIME) + 1, -int(NO_TIME))  # what an int64 can hold


@dataclass(frozen=True)
class Interface:
    """An interface description block. resolution: if_tsresol as it stands; offset: if_tsoffset, seconds."""

    linktype: int
    snaplen: int
    resolution: int = 6
    offset: int = 0
    name: str = ""
    description: str = ""

    def scale(self) -> tuple[int, int, int]:
        """(multiplier, divisor, nanoseconds to add) that make nanoseconds of ticks."""
        power = self.resolution & 0x7F
        if self.resolution & 0x80:
            return 1_000_000_000, 2**power, self.offset * 1_000_000_000
        if power <= 9:
            return int(10 ** (9 - power)), 1, self.offset * 1_000_000_000
        return 1, int(10 ** (power - 9)), self.offset * 1_000_000_000

    def resolution_text(self) -> str:
        """ "10^-6", "2^-20"."""
        return f"{2 if self.resolution & 0x80 else 10}^-{self.resolution & 0x7F}"

    def as_list(self) -> list[Any]:
        return [self.linktype, self.snaplen, self.resolution, self.offset, self.name, self.description]


@dataclass
class Table:
    """What the blocks so far said: all that the meaning of a packet block depends on."""

    order: str = ""  # of the current section, as struct writes it
    first: int = 0  # index of the current section's interface 0
    interfaces: list[Interface] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def section(self, body: bytes, order: str) -> None:
        """A section header block begins: interface ids start from 0 anew. Raises ValueError."""
        major, minor = struct.unpack_from(order + "HH", body, 4)
        if major != 1:
            raise ValueError(f"unknown pcapng version {major}.{minor}")
        self.order = order
        self.first = len(self.interfaces)
        self._comments(options(body[16:], order))

    def interface(self, body: bytes) -> None:
        """An interface description block."""
        linktype, _reserved, snaplen = struct.unpack_from(self.order + "HHI", body)
        found = options(body[8:], self.order)
        known: dict[int, bytes] = {}
        for code, value in found:
            known.setdefault(code, value)
        resolution = known.get(IF_TSRESOL, b"")
        offset = known.get(IF_TSOFFSET, b"")
        self.interfaces.append(
            Interface(
                linktype,
                snaplen,
                resolution[0] if len(resolution) == 1 else 6,
                struct.unpack(self.order + "q", offset)[0] if len(offset) == 8 else 0,
                text_of(known.get(IF_NAME, b"").rstrip(b"\0")),
                text_of(known.get(IF_DESCRIPTION, b"").rstrip(b"\0")),
            )
        )
        self._comments(found)

    def _comments(self, found: list[tuple[int, bytes]]) -> None:
        for code, value in found:
            if code == OPT_COMMENT and len(self.comments) <= MAX_COMMENTS:
                more = len(self.comments) == MAX_COMMENTS
                self.comments.append("(more comments than are kept here)" if more else text_of(value.rstrip(b"\0")))


def options(body: bytes, order: str) -> list[tuple[int, bytes]]:
    """(code, value) of each option. An option that leaves its block ends the list: options do not move packets."""
    found = []
    at = 0
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == OPT_END or len(value) < length:
            break
        found.append((code, value))
        at += 4 + (length + 3 & ~3)
    return found


def byte_order(block: bytes | bytearray, at: int = 0) -> str:
    """The byte order of a section header block, "" where its magic is none."""
    magic = bytes(block[at + 8 : at + 12])
    return {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(magic, "")


class PcapngSource(Source):
    """A pcapng file. `info` knows the interfaces before the first packet; a scan adds those described later."""

    def _read_head(self, window: Window) -> None:
        walk = PcapngWalk(None)
        try:
            walk.head(window)
        except ReadError as error:
            # Behind the first section header, packets may still be whole: the scan will say where it breaks.
            if not walk.table.order:
                raise NotACapture(f"a pcapng file that cannot be read: {error.reason}") from None
        self.info = CaptureInfo("pcapng", "little" if walk.table.order == "<" else "big", "10^-6", 0)
        self._scanned(walk)

    def _walk(self, state: State | None) -> Walk:
        return PcapngWalk(state)

    def _scanned(self, walk: Walk) -> None:
        assert isinstance(walk, PcapngWalk)
        table, info = walk.table, self.info
        for one in table.interfaces[len(info.interfaces) :]:
            info.interfaces.append(InterfaceInfo(one.linktype, one.snaplen, one.name, one.description))
        info.comments.extend(table.comments[len(info.comments) :])
        if table.interfaces:
            info.resolution = table.interfaces[0].resolution_text()
            info.snaplen = table.interfaces[0].snaplen


class PcapngWalk(Walk):
    """State: offset of the next block, number of the last packet, byte order and interfaces that hold there."""

    def __init__(self, state: State | None) -> None:
        self.table = Table()
        self.offset, self.number = 0, 0
        if state:
            self.offset, self.number = int(state["offset"]), int(state["number"])
            self.table.order, self.table.first = str(state["order"]), int(state["first_interface"])
            self.table.interfaces = [Interface(*one) for one in state["interfaces"]]
            self.table.comments = list(state["comments"])

    def state(self) -> State:
        return {
            "offset": self.offset,
            "number": self.number,
            "order": self.table.order,
            "first_interface": self.table.first,
            "interfaces": [one.as_list() for one in self.table.interfaces],
            "comments": list(self.table.comments),
        }

    def head(self, window: Window) -> None:
        """Goes to the first packet block, or as far as a head may reach."""
        while self.offset < HEAD:
            block = self._block(window)
            if block is None or block[0] in PACKET_BLOCKS:
                return
            self._describe(window, *block)

    def _block(self, window: Window) -> tuple[int, int] | None:
        """(type, length) of the block at `offset`, wholly in the file; None at the end of the file."""
        offset = self.offset
        have = window.want(offset, MIN_BLOCK)
        if have == 0:
            return None
        if have < MIN_BLOCK:
            raise self._error(f"the file ends within a block header ({have} of {MIN_BLOCK} bytes)")
        at = offset - window.base
        order = self.table.order
        kind = int.from_bytes(window.buffer[at : at + 4], "big" if order == ">" else "little")
        if kind == SECTION:  # the same in both byte orders
            order = byte_order(window.buffer, at)
            if not order:
                raise self._error("a section header without the byte-order magic")
        elif not order:
            raise self._error("no section header at the start")
        (length,) = struct.unpack_from(order + "I", window.buffer, at + 4)
        if length < MIN_BLOCK or length % 4 or length > MAX_BLOCK:
            raise self._error(f"a block of type {kind} claims the impossible length {length}")
        if not window.reaches(offset + length):
            raise self._error(f"the file ends within a block ({window.size - offset} of {length} bytes)")
        return kind, length

    def _describe(self, window: Window, kind: int, length: int) -> None:
        """Takes in a block that is no packet and steps behind it."""
        if kind in (SECTION, INTERFACE):
            if length > MAX_DESCRIPTION:
                raise self._error(f"a block of type {kind} of {length} bytes")
            smallest = SMALLEST_SECTION if kind == SECTION else SMALLEST_INTERFACE
            if length < smallest:
                raise self._error(f"a block of type {kind} of {length} bytes, less than {smallest}")
            window.want(self.offset, length)
            at = self.offset - window.base
            body = bytes(window.buffer[at + 8 : at + length - 4])
            order = byte_order(window.buffer, at) if kind == SECTION else self.table.order
            self._check_trailer(window.buffer, at, length, order)
            try:
                self.table.section(body, order) if kind == SECTION else self.table.interface(body)
            except ValueError as error:
                raise self._error(str(error)) from None
        self.offset += length

    def _check_trailer(self, buffer: bytearray, at: int, length: int, order: str) -> None:
        (again,) = struct.unpack_from(order + "I", buffer, at + length - 4)
        if again != length:
            raise self._error(f"a block of {length} bytes says {again} at its end")

    def _error(self, reason: str) -> ReadError:
        return ReadError(reason, self.offset, self.number + 1)

    def packets(self, window: Window, need_data: bool) -> Iterator[Record]:
        table = self.table
        while True:
            block = self._block(window)
            if block is None:
                return
            kind, length = block
            if kind not in PACKET_BLOCKS:
                self._describe(window, kind, length)
            elif kind == ENHANCED_PACKET:
                if length < SMALLEST_PACKET:
                    raise self._error(f"a packet block claims the impossible length {length}")
                yield from self._enhanced(window)
            else:
                window.want(self.offset, length)
                at = self.offset - window.base
                self._check_trailer(window.buffer, at, length, table.order)
                record = (self._simple if kind == SIMPLE_PACKET else self._obsolete)(window.buffer, at, length)
                self.offset += length
                self.number += 1
                yield record

    def _enhanced(self, window: Window) -> Iterator[Record]:
        """A run of enhanced packet blocks: nearly all of nearly every file, so without a call per block."""
        table = self.table
        unpack = struct.Struct(table.order + "7I").unpack_from
        unpack_length = struct.Struct(table.order + "I").unpack_from
        known = [(one.linktype, one.scale()) for one in table.interfaces[table.first :]]
        first, offset, number = table.first, self.offset, self.number
        buffer, base, end = window.buffer, window.base, window.base + window.end
        while True:
            following = offset + SMALLEST_PACKET
            if following > end:
                if window.want(offset, SMALLEST_PACKET) < SMALLEST_PACKET:
                    return  # the caller says how the file ends
                buffer, base, end = window.buffer, window.base, window.base + window.end
            kind, length, interface, high, low, captured, wire = unpack(buffer, offset - base)
            if kind != ENHANCED_PACKET:
                return
            following = offset + length
            if following > end:
                if self._block(window) is None:
                    return
                window.want(offset, length)
                buffer, base, end = window.buffer, window.base, window.base + window.end
            if length < SMALLEST_PACKET or length % 4:
                raise self._error(f"a packet block claims the impossible length {length}")
            if unpack_length(buffer, following - 4 - base)[0] != length:
                self._check_trailer(buffer, offset - base, length, table.order)
            if captured > length - SMALLEST_PACKET:
                raise self._error(f"captured length {captured} is greater than the block's {length - SMALLEST_PACKET} bytes")
            if interface >= len(known):
                raise self._error(f"a packet of interface {interface}, but {len(known)} were described in this section")
            linktype, (multiplier, divisor, plus) = known[interface]
            time = ((high << 32 | low) * multiplier) // divisor + plus
            number += 1
            self.offset, self.number = following, number
            # An int64 of nanoseconds ends in 2262; a stamp beyond it is no time that anyone meant.
            yield (
                offset + 28,
                captured,
                wire,
                time if time in _TIMES else NO_TIME,
                number,
                first + interface,
                linktype,
            )
            offset = following

    def _interface(self, number: int) -> Interface:
        known = len(self.table.interfaces) - self.table.first
        if number >= known:
            raise self._error(f"a packet of interface {number}, but {known} were described in this section")
        return self.table.interfaces[self.table.first + number]

    def _simple(self, buffer: bytearray, at: int, length: int) -> Record:
        """Simple packet block: of the section's first interface, without a time; cut by that interface's snaplen."""
        if length < 16:
            raise self._error(f"a simple packet block of {length} bytes")
        (wire,) = struct.unpack_from(self.table.order + "I", buffer, at + 8)
        interface = self._interface(0)
        captured = min(wire, interface.snaplen) if interface.snaplen else wire
        if captured > length - 16:
            raise self._error(f"captured length {captured} is greater than the block's {length - 16} bytes")
        return self.offset + 12, captured, wire, NO_TIME, self.number + 1, self.table.first, interface.linktype

    def _obsolete(self, buffer: bytearray, at: int, length: int) -> Record:
        """Packet block, as written before enhanced packet blocks were."""
        if length < SMALLEST_PACKET:
            raise self._error(f"a packet block of {length} bytes")
        number, _drops, high, low, captured, wire = struct.unpack_from(self.table.order + "HHIIII", buffer, at + 8)
        interface = self._interface(number)
        if captured > length - SMALLEST_PACKET:
            raise self._error(f"captured length {captured} is greater than the block's {length - SMALLEST_PACKET} bytes")
        multiplier, divisor, plus = interface.scale()
        time = (high << 32 | low) * multiplier // divisor + plus
        return (
            self.offset + 28,
            captured,
            wire,
            time if time in _TIMES else NO_TIME,
            self.number + 1,
            self.table.first + number,
            interface.linktype,
        )
