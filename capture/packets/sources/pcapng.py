"""pcapng: draft-ietf-opsawg-pcapng. Several sections, each with its own byte order and interfaces.

Packets are Enhanced Packet Blocks, Simple Packet Blocks (which have no time) and the obsolete Packet Blocks. All other
blocks, custom blocks too, are no packets and take no number. Interfaces are numbered through all sections.
"""

from __future__ import annotations

import struct
from typing import NoReturn

from capture.packets.batch import CaptureInfo
from capture.packets.errors import NotACapture, ReadError
from capture.packets.sources import pcapng_shape as shape
from capture.packets.sources.base import Filling, Source, State, Walk
from capture.packets.sources.pcapng_blocks import MAX_PACKET_COMMENTS, MAX_TEXTS, Table, byte_order
from capture.packets.sources.pcapng_shape import (
    ENHANCED_PACKET,
    INTERFACE,
    MAX_BLOCK,
    MIN_BLOCK,
    PACKET,
    SECTION,
    SIMPLE_PACKET,
    SMALLEST_PACKET,
)
from capture.packets.sources.walking import (
    AGAIN,
    BIG_ENDIAN,
    COMPILE,
    DATA,
    FULL,
    HEADER,
    LOOK,
    NEEDED,
    NUMBER,
    OFFSET,
)
from capture.packets.sources.window import Window

PACKET_BLOCKS = (PACKET, SIMPLE_PACKET, ENHANCED_PACKET)
MAX_DESCRIPTION = 16 << 20  # of a section or an interface
SMALLEST_SECTION, SMALLEST_INTERFACE, SMALLEST_SIMPLE = 28, 20, 16
HEAD = 16 << 20  # how far the head is searched for interfaces before the first packet

# Of more interfaces than that, the counts are not told.
MAX_COUNTED = 1000


class PcapngSource(Source):
    """A pcapng file. `info` knows the interfaces before the first packet; a scan adds those described later."""

    def _read_head(self, window: Window) -> None:
        self.info = CaptureInfo("pcapng", "", "10^-6", 0)
        walk = PcapngWalk(None)
        try:
            walk.head(window)
        except ReadError as error:
            # Behind the first section header, packets may still be whole: the scan will say where it breaks.
            if not walk.table.order:
                raise NotACapture(f"a pcapng file that cannot be read: {error.reason}") from None
        self.info.byte_order = "little" if walk.table.order == "<" else "big"
        self._scanned(walk)

    def _walk(self, state: State | None) -> Walk:
        return PcapngWalk(state)

    def _scanned(self, walk: Walk) -> None:
        assert isinstance(walk, PcapngWalk)
        table, info = walk.table, self.info
        for kind in table.kind_of[len(info.interfaces) : table.interfaces].tolist():
            info.interfaces.append(table.infos[kind])
        for i in table.counted():
            if i < MAX_COUNTED:
                info.interfaces[i] = table.said(i)
        info.comments.extend(table.comments[len(info.comments) :])
        info.packet_comments.extend(table.packet_comments[len(info.packet_comments) :])
        info.commented_packets = max(info.commented_packets, int(walk.at[shape.COMMENTED]))
        if table.interfaces:
            info.resolution = table.interface(0).resolution_text()
            info.snaplen = table.interface(0).snaplen
        info.application = table.application
        info.hardware, info.os = table.hardware, table.os
        info.notes = list(self._notes(table, info))

    def _notes(self, table: Table, info: CaptureInfo) -> list[str]:
        notes = []
        if table.without_texts:
            notes.append(f"names and descriptions of {table.without_texts} interfaces are not kept: more than {MAX_TEXTS} bytes")
        if table.interfaces > MAX_COUNTED and table.counts[MAX_COUNTED : table.interfaces].any():
            notes.append(f"packet counts are told of the first {MAX_COUNTED} interfaces only")
        if info.commented_packets > len({number for number, _ in info.packet_comments}):
            notes.append(f"of the packets' comments the first {MAX_PACKET_COMMENTS} are kept")
        return notes


class PcapngWalk(Walk):
    """State: offset of the next block, number of the last packet, and all that the blocks so far said (see Table)."""

    def __init__(self, state: State | None) -> None:
        super().__init__(shape.LENGTH)
        self.table = Table(self.at)
        if state:
            self.at[OFFSET], self.at[NUMBER] = int(state["offset"]), int(state["number"])
            self.table.from_state(state)
            self.at[BIG_ENDIAN] = self.table.order == ">"

    def state(self) -> State:
        return {"offset": self.offset, "number": self.number, **self.table.state()}

    def head(self, window: Window) -> None:
        """Goes to the first packet block, or as far as a head may reach."""
        while self.offset < HEAD:
            block = self._block(window)
            if block is None or block[0] in PACKET_BLOCKS:
                return
            self._describe(window, *block)

    def fill(self, window: Window, filling: Filling) -> bool:
        from capture.packets.sources.pcapng_loop import scan_blocks  # compiled: only who scans waits for it

        at, table = self.at, self.table
        while True:
            if not table.order and not self._step(window):
                return False
            self._show(window)
            reason = scan_blocks(
                window.array, at, filling.out, table.kind_rows, table.kind_of, table.counts, table.known, table.known_bytes
            )
            table.order = ">" if at[BIG_ENDIAN] else "<"
            if at[shape.OPTIONS_LENGTH]:
                self._take_comment(window)
            if reason == FULL:
                if filling.is_full():
                    return True
            elif reason == HEADER:
                if self._block(window) is None:
                    return False
            elif reason == LOOK:
                self._step(window)
            elif reason == DATA:
                if self._block(window) is None or window.want(self.offset, int(at[NEEDED])) < at[NEEDED]:
                    raise self._error("the file was cut while it was read")
            elif reason == COMPILE:
                row = table.kind_rows[at[NEEDED]]
                row[shape.PROGRAM] = filling.filters.program(int(row[shape.LINKTYPE]))
            else:
                assert reason == AGAIN

    def _take_comment(self, window: Window) -> None:
        start = int(self.at[shape.OPTIONS_AT]) - window.base
        self.table.comment_packet(self.number, bytes(window.buffer[start : start + int(self.at[shape.OPTIONS_LENGTH])]))
        self.at[shape.OPTIONS_LENGTH] = 0

    def _step(self, window: Window) -> bool:
        """Goes where the loop cannot: into a description, or to the error. False at the end of the file."""
        block = self._block(window)
        if block is None:
            return False
        kind, length = block
        if kind in (SECTION, INTERFACE):
            self._describe(window, kind, length)
        elif kind in PACKET_BLOCKS and window.want(self.offset, length) == length:
            self._refuse_packet(window, kind, length)
        return True

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
            block = bytes(window.buffer[at : at + length])
            order = byte_order(block) if kind == SECTION else self.table.order
            self._check_trailer(block, order)
            try:
                self.table.begin_section(block, order) if kind == SECTION else self.table.describe_interface(block)
            except ValueError as error:
                raise self._error(str(error)) from None
            self.at[BIG_ENDIAN] = self.table.order == ">"
        self.at[OFFSET] += length

    def _check_trailer(self, block: bytes, order: str) -> None:
        (again,) = struct.unpack_from(order + "I", block, len(block) - 4)
        if again != len(block):
            raise self._error(f"a block of {len(block)} bytes says {again} at its end")

    def _refuse_packet(self, window: Window, kind: int, length: int) -> NoReturn:
        """Raises what is wrong with a packet block that the loop did not take."""
        at, order = self.offset - window.base, self.table.order
        block = bytes(window.buffer[at : at + length])
        if kind == ENHANCED_PACKET and length < SMALLEST_PACKET:
            raise self._error(f"a packet block claims the impossible length {length}")
        self._check_trailer(block, order)
        described = self.table.interfaces - self.table.first
        if kind == SIMPLE_PACKET:
            if length < SMALLEST_SIMPLE:
                raise self._error(f"a simple packet block of {length} bytes")
            self._check_interface(0, described)
            (captured,) = struct.unpack_from(order + "I", block, 8)
            snaplen = self.table.interface(self.table.first).snaplen
            self._check_length(min(captured, snaplen) if snaplen else captured, length - SMALLEST_SIMPLE)
        elif length < SMALLEST_PACKET:
            raise self._error(f"a packet block of {length} bytes")
        else:
            (captured,) = struct.unpack_from(order + "I", block, 20)
            (number,) = struct.unpack_from(order + ("I" if kind == ENHANCED_PACKET else "H"), block, 8)
            if kind == ENHANCED_PACKET:
                self._check_length(captured, length - SMALLEST_PACKET)
            self._check_interface(number, described)
            self._check_length(captured, length - SMALLEST_PACKET)
        # Never so, as long as the loop and this agree; if they do not, a scan that ends is better than one that never does.
        raise self._error(f"a packet block of type {kind} that cannot be read")

    def _check_interface(self, number: int, described: int) -> None:
        if number >= described:
            raise self._error(f"a packet of interface {number}, but {described} were described in this section")

    def _check_length(self, captured: int, room: int) -> None:
        if captured > room:
            raise self._error(f"captured length {captured} is greater than the block's {room} bytes")

    def _error(self, reason: str) -> ReadError:
        return ReadError(reason, self.offset, self.number + 1)
