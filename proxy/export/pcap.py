"""pcap: the classic file of libpcap, pcap-savefile(5). One link type, no interfaces, every packet with a time."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from capture.packets.batch import NO_TIME
from capture.services.describe import linktype_name
from capture.services.errors import Refused
from proxy.export.chunks import CHUNK, chunks
from proxy.export.described import described
from proxy.export.kernels import NS, put_pcap
from proxy.export.packets import CAPTURED, TIME, WIRE, Packets, Records
from proxy.export.reading import Reader

MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
FILE_HEADER, RECORD_HEADER = 24, 16
ETHERNET, USUAL_SNAPLEN = 1, 262144
_NAMED = 8  # of many link types, so many are named
_LAST_SECOND = (1 << 32) - 1


class PcapFile:
    """See proxy.export.formats.PacketFile."""

    content_type, extension = "application/vnd.tcpdump.pcap", "pcap"

    def __init__(self) -> None:
        self._count = self._bytes = self._largest = self._untimed = self._beyond = 0
        self._fine = False
        self._header = b""

    def survey(self, records: Records) -> None:
        """Takes in a block of the packets."""
        time = records[TIME]
        untimed = time == NO_TIME
        seconds = time // NS
        self._count += len(time)
        self._bytes += int(records[CAPTURED].sum())
        self._largest = max(self._largest, int(records[CAPTURED].max()))
        self._untimed += int(np.count_nonzero(untimed))
        self._beyond += int(np.count_nonzero(~untimed & ((seconds < 0) | (seconds > _LAST_SECOND))))
        self._fine = self._fine or bool((time[~untimed] % 1000).any())

    def settle(self, packets: Packets, comment: str) -> int:
        """Bytes of the whole file. Raises Refused where pcap cannot hold these packets."""
        linktypes = list(dict.fromkeys(one.linktype for one in packets.interfaces))
        if len(linktypes) > 1:
            names = ", ".join(str(linktype_name(one)) for one in linktypes[:_NAMED]) + ", ..." * (len(linktypes) > _NAMED)
            raise _refused(f"the packets are of {len(linktypes)} link types ({names}), and pcap has one for all")
        if self._untimed:
            raise _refused(f"{self._untimed:,} of the packets have no time stamp, and pcap cannot say that")
        if self._beyond:
            raise _refused(f"{self._beyond:,} of the packets are from before 1970 or after 2106, which pcap cannot say")
        said = described(packets)
        self._fine = self._fine or any(one.fine for one in said)
        snaplen = max([self._largest, *(min(one.snaplen, _LAST_SECOND) for one in said)])
        magic = NANOSECONDS if self._fine else MICROSECONDS
        linktype = linktypes[0] if linktypes else ETHERNET
        self._header = struct.pack("<IHHiIII", magic, 2, 4, 0, 0, snaplen or USUAL_SNAPLEN, linktype)
        return FILE_HEADER + RECORD_HEADER * self._count + self._bytes

    def pieces(self, packets: Packets) -> Iterator[bytes]:
        """The file. Raises ExportBroken."""
        yield self._header
        reader = Reader(packets.captures)
        buffer = np.empty(CHUNK, np.uint8)
        tick = 1 if self._fine else 1000
        try:
            for records in packets.blocks():
                for first, last, start, size in chunks(records[CAPTURED] + RECORD_HEADER):
                    some = records[:, first:last]
                    out = buffer[:size] if size <= CHUNK else np.empty(size, np.uint8)
                    put_pcap(out, start, some[TIME], some[CAPTURED], some[WIRE], tick)
                    reader.fill(out, start + RECORD_HEADER, some)
                    yield out.tobytes()
        finally:
            reader.close()


def _refused(why: str) -> Refused:
    return Refused(f"{why}: ask for format=pcapng", option="format")
