"""pcapng: every link type, every interface, comments that name job and number, packets with and without a time stamp.

A packet with a time stamp is an enhanced packet block. One without is a simple packet block, which means the first interface of
its section: where the packets say otherwise, a new section begins. In each section, an interface is described before its first
packet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import NO_TIME
from proxy.export.chunks import CHUNK, chunks
from proxy.export.described import described
from proxy.export.kernels import ENHANCED_HEAD, NS, SIMPLE_HEAD, measure_pcapng, put_pcapng
from proxy.export.packets import CAPTURED, DIRECTION, INTERFACE, JOB, NUMBER, TIME, WIRE, Packets, Records
from proxy.export.pcapng_blocks import interface_description, section_header
from proxy.export.reading import Reader

I64 = NDArray[np.int64]
_US, _NS = 6, 9  # if_tsresol


@dataclass(frozen=True)
class _Run:
    """Packets of one section. new_section: it begins before them. described: interfaces that are described before them, in order.
    ids: of the packets' interfaces within the section."""

    records: Records
    new_section: bool
    described: list[int]
    ids: I64


@dataclass
class _Section:
    """ids: interface -> id within the section; the first one has 0."""

    ids: dict[int, int] = field(default_factory=dict)

    def runs(self, records: Records) -> Iterator[_Run]:
        """A block of packets, cut where a new section must begin."""
        interface = records[INTERFACE]
        untimed = np.flatnonzero(records[TIME] == NO_TIME)
        others = interface[untimed]
        changes = untimed[np.flatnonzero(np.diff(others)) + 1]
        begin, end, new_section = 0, len(interface), False
        while begin < end:
            first = next(iter(self.ids)) if self.ids else int(interface[begin])
            stop = _other(first, begin, end, untimed, others, changes)
            if stop == begin:
                self.ids, new_section = {}, True
                continue
            yield self._run(records[:, begin:stop], new_section)
            begin, new_section = stop, False

    def _run(self, records: Records, new_section: bool) -> _Run:
        interface = records[INTERFACE]
        if (interface == interface[0]).all():
            distinct, inverse = interface[:1], np.zeros(len(interface), np.int64)
            first = np.zeros(1, np.int64)
        else:
            distinct, first, inverse = np.unique(interface, return_index=True, return_inverse=True)
        new = [one for one in distinct[np.argsort(first)].tolist() if one not in self.ids]
        for one in new:
            self.ids[one] = len(self.ids)
        return _Run(records, new_section, new, np.array([self.ids[one] for one in distinct.tolist()], np.int64)[inverse])


def _other(first: int, begin: int, end: int, untimed: I64, others: I64, changes: I64) -> int:
    """The first packet from `begin` on without a time stamp whose interface is not `first`; `end` if there is none."""
    at = int(np.searchsorted(untimed, begin))
    if at == len(untimed):
        return end
    if others[at] != first:
        return int(untimed[at])
    change = int(np.searchsorted(changes, untimed[at], "right"))
    return int(changes[change]) if change < len(changes) else end


class PcapngFile:
    """See proxy.export.formats.PacketFile."""

    content_type, extension = "application/x-pcapng", "pcapng"

    def __init__(self) -> None:
        self._bytes, self._sections = 0, 1
        self._earliest = 0
        self._described: Counter[int] = Counter()  # how often an interface is described
        self._fine: set[int] = set()
        self._cut_at: dict[int, int] = {}  # interface -> captured length of packets that only its snaplen can tell
        self._surveyed = _Section()
        self._section_header = b""
        self._interfaces: list[bytes] = []
        self._ticks = np.zeros(0, np.int64)

    def survey(self, records: Records) -> None:
        """Takes in a block of the packets."""
        self._bytes += int(_measured(records).sum())
        timed = records[:, records[TIME] != NO_TIME]
        if timed.shape[1]:
            self._earliest = min(self._earliest, int(timed[TIME].min()))
            self._fine.update(np.unique(timed[INTERFACE][timed[TIME] % 1000 != 0]).tolist())
        cut = records[:, (records[TIME] == NO_TIME) & (records[CAPTURED] < records[WIRE])]
        self._cut_at.update(zip(cut[INTERFACE].tolist(), cut[CAPTURED].tolist(), strict=True))
        for run in self._surveyed.runs(records):
            self._sections += run.new_section
            self._described.update(run.described)

    def settle(self, packets: Packets, comment: str) -> int:
        """Bytes of the whole file."""
        said = [
            replace(one, snaplen=self._cut_at[i]) if not one.snaplen and i in self._cut_at else one
            for i, one in enumerate(described(packets))
        ]
        powers = [_NS if i in self._fine or one.fine else _US for i, one in enumerate(said)]
        self._ticks = np.array([10 ** (_NS - power) for power in powers], np.int64)
        begin = self._earliest // NS
        self._interfaces = [
            interface_description(one, about, power, begin)
            for one, about, power in zip(packets.interfaces, said, powers, strict=True)
        ]
        self._section_header = section_header(comment)
        descriptions = sum(times * len(self._interfaces[i]) for i, times in self._described.items())
        return self._sections * len(self._section_header) + descriptions + self._bytes

    def pieces(self, packets: Packets) -> Iterator[bytes]:
        """The file. Raises ExportBroken."""
        reader = Reader(packets.captures)
        buffer = np.empty(CHUNK, np.uint8)
        section = _Section()
        begin = self._earliest // NS * NS
        yield self._section_header
        try:
            for records in packets.blocks():
                for run in section.runs(records):
                    head = self._section_header if run.new_section else b""
                    if head := head + b"".join(self._interfaces[i] for i in run.described):
                        yield head
                    yield from self._blocks(run, reader, buffer, begin)
        finally:
            reader.close()

    def _blocks(self, run: _Run, reader: Reader, buffer: NDArray[np.uint8], begin: int) -> Iterator[bytes]:
        sizes = _measured(run.records)
        ticks = self._ticks[run.records[INTERFACE]]
        for first, last, start, size in chunks(sizes):
            some = run.records[:, first:last]
            out = buffer[:size] if size <= CHUNK else np.empty(size, np.uint8)
            put_pcapng(
                out,
                start,
                sizes[first:last],
                run.ids[first:last],
                ticks[first:last],
                *(some[row] for row in (TIME, CAPTURED, WIRE, JOB, NUMBER, DIRECTION)),
                begin,
            )
            head = np.where(some[TIME] == NO_TIME, SIMPLE_HEAD, ENHANCED_HEAD)
            reader.fill(out, start + head, some)
            yield out.tobytes()


def _measured(records: Records) -> I64:
    sizes = np.empty(records.shape[1], np.int64)
    measure_pcapng(*(records[row] for row in (TIME, CAPTURED, JOB, NUMBER, DIRECTION)), sizes)
    return sizes
