"""pcap: the classic capture file of libpcap and tcpdump. draft-ietf-opsawg-pcap; pcap-savefile(5).

Read here: both byte orders; microseconds (0xA1B2C3D4) and nanoseconds (0xA1B23C4D); the "modified" format of Alexey
Kuznetsov's libpcap patch (0xA1B2CD34), whose record headers carry 8 more bytes (interface index, protocol, packet type).
"""

from __future__ import annotations

import struct

from capture.packets.batch import CaptureInfo, InterfaceInfo
from capture.packets.errors import NotACapture, ReadError
from capture.packets.sources.base import MAX_PACKET, Filling, Source, State, Walk
from capture.packets.sources.pcap_shape import LENGTH, LINKTYPE, MOST, RECORD_HEADER, SWAPPED, TICK
from capture.packets.sources.walking import (
    BEYOND,
    BIG_ENDIAN,
    COMPILE,
    DATA,
    FULL,
    HEADER,
    LOOK,
    NEEDED,
    NOT_COMPILED,
    NUMBER,
    OFFSET,
    PROGRAM,
)
from capture.packets.sources.window import Window

FILE_HEADER = 24

# magic: (resolution, nanoseconds per tick of the sub-second part, bytes of a record header)
VARIANTS = {0xA1B2C3D4: ("us", 1000, 16), 0xA1B23C4D: ("ns", 1, 16), 0xA1B2CD34: ("us", 1000, 24)}
MAGICS = {magic.to_bytes(4, order): (magic, order) for magic in VARIANTS for order in ("little", "big")}

# Link types that were written with the DLT number of the writing system before LINKTYPE numbers were agreed on.
OLD_LINKTYPES = {11: 100, 12: 101, 14: 101}

# Largest packets that libpcap takes for sane, by link type; 256 KiB for all others (max_snaplen_for_dlt()).
SANE_LENGTH = 262144
SANE_LENGTHS = {231: 128 << 20, 249: 128 << 20, 279: 8 << 20}  # D-Bus, USBPcap, EBHSCR


class PcapSource(Source):
    """A pcap file."""

    def _read_head(self, window: Window) -> None:
        have = window.want(0, FILE_HEADER)
        if have < FILE_HEADER:
            raise NotACapture(f"a pcap file whose {FILE_HEADER}-byte header is cut after {have} bytes")
        magic, order = MAGICS[bytes(window.buffer[:4])]
        self._order = "<" if order == "little" else ">"
        major, minor, _zone, _accuracy, snaplen, word = struct.unpack_from(self._order + "HHiIII", window.buffer, 4)
        # 2.4 is the only version written for decades; minor versions above it exist and read the same.
        if major != 2 and (major, minor) != (543, 0):
            raise NotACapture(f"a pcap file of the unknown version {major}.{minor}")
        resolution, self._tick, self._record_header = VARIANTS[magic]
        # Before 2.3 the two lengths of a record stood the other way round; 2.3 (and DG/UX's 543.0) had both.
        self._swapped = 1 if (major, minor) < (2, 3) or major == 543 else 2 if minor == 3 else 0
        linktype = word & 0xFFFF  # above: length of the frame check sequence, and reserved bits
        linktype = OLD_LINKTYPES.get(linktype, linktype)
        self._linktype = linktype
        self._max_packet = min(max(snaplen, SANE_LENGTHS.get(linktype, SANE_LENGTH)), MAX_PACKET)
        self.info = CaptureInfo("pcap", order, resolution, snaplen, [InterfaceInfo(linktype, snaplen)])

    def _walk(self, state: State | None) -> Walk:
        return PcapWalk(self, state)


class PcapWalk(Walk):
    """State: offset of the next record header, number of the last packet."""

    def __init__(self, source: PcapSource, state: State | None) -> None:
        super().__init__(LENGTH)
        at = self.at
        at[OFFSET] = int(state["offset"]) if state else FILE_HEADER
        at[NUMBER] = int(state["number"]) if state else 0
        at[BIG_ENDIAN] = source._order == ">"
        at[RECORD_HEADER], at[TICK], at[LINKTYPE] = source._record_header, source._tick, source._linktype
        at[MOST], at[SWAPPED] = source._max_packet, source._swapped
        at[PROGRAM] = NOT_COMPILED

    def state(self) -> State:
        return {"offset": self.offset, "number": self.number}

    def fill(self, window: Window, filling: Filling) -> bool:
        from capture.packets.sources.pcap_loop import scan_records  # compiled: only who scans waits for it

        at, header = self.at, int(self.at[RECORD_HEADER])
        while True:
            self._show(window)
            reason = scan_records(window.array, at, filling.out)
            if reason == FULL:
                if filling.is_full():
                    return True
            elif reason == HEADER:
                have = window.want(self.offset, header)
                if have < header:
                    if have:
                        raise self._error(f"the file ends within a record header ({have} of {header} bytes)")
                    return False
            elif reason == COMPILE:
                at[PROGRAM] = filling.filters.program(int(at[LINKTYPE]))
            elif reason == LOOK:
                raise self._error(f"captured length {at[NEEDED]} is greater than the sane maximum of {at[MOST]}")
            else:
                assert reason in (BEYOND, DATA)
                self._reach(window, header, int(at[NEEDED]), reason == DATA)

    def _reach(self, window: Window, header: int, captured: int, read: bool) -> None:
        """The packet's bytes are in the file (as it is now), and with `read` in the window."""
        data = self.offset + header
        whole = window.reaches(data + captured)
        if whole and read:
            whole = window.want(self.offset, header + captured) == header + captured  # else it was cut a moment ago
        if not whole:
            left = max(0, min(captured - 1, window.refresh_size() - data))
            raise self._error(f"the file ends within the packet ({left} of {captured} bytes)")

    def _error(self, reason: str) -> ReadError:
        return ReadError(reason, self.offset, self.number + 1)
