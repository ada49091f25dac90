"""The payload of one conversation: each side's bytes in order, a page of them, or all of one side.

TCP: put together by sequence number (see stream); UDP: datagrams as captured. A conversation may be several TCP connections, one
after the other between the same ports: they are numbered from 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from capture.packets.segment import TCP
from proxy.flows.packets import FlowPacket, FlowPackets
from proxy.flows.stream import CUT, Chunk, Connection

PAGE = 32 << 10  # bytes of payload on a page
MOST_CHUNKS = 400  # on a page: datagrams and gaps may be small
MOST_PACKETS = 200_000  # that a page looks at
PIECE = 256 << 10  # of a download


@dataclass
class Tally:
    """What one side sent in a connection. bytes: captured ones. missing: not captured, of which `cut` by the snap length.

    repeated: came again. early: came late, from before the first segment that was captured, and are left out."""

    bytes: int = 0
    missing: int = 0
    cut: int = 0
    packets: int = 0
    repeated: int = 0
    early: int = 0


@dataclass
class OneConnection:
    """first: column and number of its first packet."""

    number: int
    column: int
    packet: int
    sides: tuple[Tally, Tally] = field(default_factory=lambda: (Tally(), Tally()))


@dataclass(frozen=True, slots=True)
class Placed:
    """A chunk, with the column and number of its packet (None: no packet)."""

    chunk: Chunk
    connection: int
    column: int | None
    number: int | None


def chunks(packets: Iterator[FlowPacket], found: list[OneConnection]) -> Iterator[Placed]:
    """The chunks of all packets in the order in which their place became sure; connections are added to `found`."""
    open_: Connection | None = None
    known: dict[int, tuple[int, int]] = {}  # column and number, by place, of packets whose bytes may wait

    def placed(some: list[Chunk]) -> Iterator[Placed]:
        tallies = found[-1].sides
        for chunk in some:
            one = tallies[chunk.side]
            one.bytes += len(chunk.data)
            one.missing += chunk.missing
            one.cut += chunk.missing if chunk.why == CUT else 0
            column, number = known.get(chunk.packet, (None, None))
            yield Placed(chunk, found[-1].number, column, number)

    def ended() -> Iterator[Placed]:
        if open_ is None:
            return
        yield from placed(open_.finish())
        for side, tally in zip(open_.sides, found[-1].sides, strict=True):
            tally.repeated, tally.early = side.repeated, side.early

    for packet in packets:
        one = packet.segment
        if one is None:
            continue
        is_tcp = one.protocol == TCP
        if not found or (is_tcp and open_ is not None and open_.begins_another(packet.side, one)):
            yield from ended()
            open_ = Connection() if is_tcp else None
            known.clear()
            found.append(OneConnection(len(found) + 1, packet.column, packet.number))
        tally = found[-1].sides[packet.side]
        tally.packets += 1
        if one.length:
            known[packet.place] = packet.column, packet.number
        if open_ is not None:
            yield from placed(open_.add(packet.side, packet.place, one, packet.payload))
            if one.length and not any(side.held for side in open_.sides):
                known.clear()
            continue
        data, at = packet.payload, tally.bytes + tally.missing
        some = [Chunk(packet.side, packet.place, at, data)] if data or not one.length else []
        if one.length > len(data):
            some.append(Chunk(packet.side, packet.place, at + len(data), b"", one.length - len(data), CUT))
        yield from placed(some)
        known.clear()
    yield from ended()


@dataclass
class Page:
    """A page of one connection's payload. at: bytes of it (of the sides shown) before the page, gaps counted; end: behind it.

    total: of all. connections: at most of the packets looked at. beyond: packets that were not looked at; gone: packets whose
    bytes are gone; unread: whose bytes do not show a segment (later fragments, a header that is cut)."""

    at: int
    end: int
    total: int
    chunks: list[Placed]
    connection: OneConnection | None
    connections: list[OneConnection]
    beyond: int
    gone: int
    unread: int
    protocol: int


class _Looked:
    """Counts what goes by."""

    def __init__(self, packets: FlowPackets, most: int | None) -> None:
        self.packets, self._most = packets, most
        self.seen = self.gone = self.unread = 0
        self.protocol = 0

    def __iter__(self) -> Iterator[FlowPacket]:
        for packet in self.packets:
            if self.seen == self._most:
                return
            self.seen += 1
            self.gone += packet.gone
            self.unread += packet.segment is None and not packet.gone
            if packet.segment is not None and not self.protocol:
                self.protocol = packet.segment.protocol
            yield packet


def page(packets: FlowPackets, connection: int | None, column: int, side: int | None, at: int, size: int = PAGE) -> Page:
    """`size` bytes from `at` on of a connection (None: the one that the packet of `column` is of) of one side or (None) of both,
    in the order in which they came. Raises LimitExceeded."""
    found: list[OneConnection] = []
    looked = _Looked(packets, MOST_PACKETS)
    kept: list[Placed] = []
    of, end, total = 0, at, 0  # the connection that is kept, where its page ends, bytes of all of it
    for one in chunks(iter(looked), found):
        if connection is None:
            wanted = one.connection == 1 or found[one.connection - 1].column <= column
        else:
            wanted = one.connection == connection
        if not wanted or side not in (None, one.chunk.side):
            continue
        if one.connection != of:
            kept, of, end, total = [], one.connection, at, 0
        size_of = one.chunk.missing or len(one.chunk.data)
        begin, total = total, total + size_of
        # A gap takes one line, however large; of bytes, those that lie within the page.
        room = at + size
        if begin < room and begin <= end and (total > at or begin == total == at) and len(kept) < MOST_CHUNKS:
            kept.append(_within(one, max(0, at - begin), room - begin))
            end = total if one.chunk.missing else min(total, room)
    number = connection or max((one.number for one in found if one.column <= column), default=1)
    chosen = next((one for one in found if one.number == number), None)
    if number != of:  # it has no payload
        kept, end, total = [], at, 0
    beyond = int(packets.columns.size) - looked.seen if looked.seen == MOST_PACKETS else 0
    return Page(at, end, total, kept, chosen, found, beyond, looked.gone, looked.unread, looked.protocol)


def _within(one: Placed, begin: int, end: int) -> Placed:
    """The part of a chunk's bytes from begin to end; a gap from begin on."""
    chunk = one.chunk
    if chunk.missing:
        part = Chunk(chunk.side, chunk.packet, chunk.offset + begin, b"", chunk.missing - begin, chunk.why)
    else:
        part = Chunk(chunk.side, chunk.packet, chunk.offset + begin, chunk.data[begin:end])
    return Placed(part, one.connection, one.column, one.number)


def tallies(packets: FlowPackets) -> tuple[list[OneConnection], int]:
    """All connections with their figures, and the packets whose bytes are gone. Raises LimitExceeded."""
    found: list[OneConnection] = []
    looked = _Looked(packets, None)
    for _ in chunks(iter(looked), found):
        pass
    return found, looked.gone


def side_bytes(packets: FlowPackets, connection: int, side: int, *, zeros: bool) -> Iterator[bytes]:
    """What a side sent in a connection, in pieces. zeros: for bytes that are missing; without, they are left out."""
    found: list[OneConnection] = []
    held: list[bytes] = []
    size = 0
    for one in chunks(iter(packets), found):
        if one.connection > connection:
            break
        if one.connection != connection or one.chunk.side != side:
            continue
        data = one.chunk.data
        if one.chunk.missing and zeros:
            data = bytes(one.chunk.missing)
        held.append(data)
        size += len(data)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
