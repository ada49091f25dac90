"""pcap: the classic capture file of libpcap and tcpdump. draft-ietf-opsawg-pcap; pcap-savefile(5).

Read here: both byte orders; microseconds (0xA1B2C3D4) and nanoseconds (0xA1B23C4D); the "modified" format of Alexey
Kuznetsov's libpcap patch (0xA1B2CD34), whose record headers carry 8 more bytes (interface index, protocol, packet type).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from capture.packets.batch import CaptureInfo, InterfaceInfo
from capture.packets.errors import NotACapture, ReadError
from capture.packets.sources.base import MAX_PACKET, Record, Source, State, Walk
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
        self._swapped = "yes" if (major, minor) < (2, 3) or major == 543 else "perhaps" if minor == 3 else ""
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
        self._source = source
        self.offset = int(state["offset"]) if state else FILE_HEADER
        self.number = int(state["number"]) if state else 0

    def state(self) -> State:
        return {"offset": self.offset, "number": self.number}

    def packets(self, window: Window, need_data: bool) -> Iterator[Record]:
        source = self._source
        header, tick, linktype = source._record_header, source._tick, source._linktype
        most, swapped = source._max_packet, source._swapped
        unpack = struct.Struct(source._order + "IIII").unpack_from
        offset, number = self.offset, self.number
        buffer, base, end = window.buffer, window.base, window.base + window.end
        while True:
            data = offset + header
            if data > end or offset < base:
                have = window.want(offset, header)
                buffer, base, end = window.buffer, window.base, window.base + window.end
                if have < header:
                    if have:
                        raise ReadError(f"the file ends within a record header ({have} of {header} bytes)", offset, number + 1)
                    return
            seconds, fraction, captured, wire = unpack(buffer, offset - base)
            if swapped and (swapped == "yes" or captured > wire):
                captured, wire = wire, captured
            if captured > most:
                raise ReadError(f"captured length {captured} is greater than the sane maximum of {most}", offset, number + 1)
            following = data + captured
            if following > end:
                if not window.reaches(following):
                    left = max(0, window.size - data)
                    raise ReadError(f"the file ends within the packet ({left} of {captured} bytes)", offset, number + 1)
                if need_data:
                    window.want(offset, header + captured)
                    buffer, base, end = window.buffer, window.base, window.base + window.end
            number += 1
            self.offset = offset = following
            self.number = number
            # A sub-second part of a second or more is added as it stands: the field is unsigned.
            yield data, captured, wire, seconds * 1_000_000_000 + fraction * tick, number, 0, linktype
