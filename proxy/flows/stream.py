"""A TCP connection's bytes out of its segments, each side's in order of their sequence numbers.

As Wireshark's "Follow TCP stream" does it: what arrives first counts, what arrives again is left out, and what is missing is
given up when the other side acknowledges what lies behind it: it has seen it, the capture has not.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from capture.packets.segment import ACK, FIN, SYN, Segment

HELD = 16 << 20  # bytes of a side that wait for what lies before them; of more, what is missing is given up
MISSING, CUT = "missing", "cut"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of a side (0 or 1), from `offset` of all it sent on; packet: the place of the packet that had them.

    missing: how many bytes are not there, and then there is no data. why: MISSING (their packet was not captured) or CUT (the
    packet was captured only in part)."""

    side: int
    packet: int
    offset: int
    data: bytes
    missing: int = 0
    why: str = ""


@dataclass(slots=True)
class Side:
    """What one side sent. Offsets are of its first byte: behind its SYN, or where the capture begins.

    repeated: bytes that came again. early: bytes from before the first segment that was captured, which came late."""

    first: int = -1  # sequence number of offset 0; -1: nothing seen
    next: int = 0  # the offset up to which its bytes are known
    acknowledged: int = 0
    end: int = -1  # offset of its FIN
    repeated: int = 0
    early: int = 0
    held: list[tuple[int, int, int, bytes, int]] = field(default_factory=list)  # offset, order, packet, data, length
    held_bytes: int = 0
    order: int = 0

    def offset(self, sequence: int) -> int:
        """Of a sequence number, the nearest one to what is expected: sequence numbers begin again at 2^32."""
        ahead = (sequence - self.first - self.next) & 0xFFFFFFFF
        return self.next + (ahead - (1 << 32) if ahead >= 1 << 31 else ahead)


class Connection:
    """Takes the segments of one connection in the order of capture, and gives its bytes as soon as their place is sure."""

    def __init__(self) -> None:
        self.sides = (Side(), Side())

    def begins_another(self, side: int, one: Segment) -> bool:
        """Whether a segment is the SYN of another connection between the same ports."""
        mine = self.sides[side]
        return one.flags & (SYN | ACK) == SYN and mine.first >= 0 and (one.sequence + 1) & 0xFFFFFFFF != mine.first

    def add(self, side: int, packet: int, one: Segment, data: bytes) -> list[Chunk]:
        """data: the captured part of the payload."""
        out: list[Chunk] = []
        mine, other = self.sides[side], self.sides[1 - side]
        if one.flags & ACK and other.first >= 0:
            up_to = other.offset(one.acknowledgement)
            other.acknowledged = max(other.acknowledged, up_to)
            # This acknowledgement, not the highest: what was captured out of order may still come
            while other.held and other.held[0][0] < up_to:
                self._give_up(1 - side, out)
        begin = one.sequence + (1 if one.flags & SYN else 0)
        if mine.first < 0:
            mine.first = begin & 0xFFFFFFFF
        at = mine.offset(begin & 0xFFFFFFFF)
        if one.flags & FIN and mine.end < 0:
            mine.end = at + one.length
        if not one.length:
            return out
        if at > mine.next:
            heapq.heappush(mine.held, (at, mine.order, packet, data, one.length))
            mine.order += 1
            mine.held_bytes += len(data)
            while mine.held_bytes > HELD:
                self._give_up(side, out)
        else:
            self._take(side, packet, at, data, one.length, out)
            self._drain(side, out)
        return out

    def finish(self) -> list[Chunk]:
        """What is left when there are no more segments: what waits, and what was acknowledged and never seen."""
        out: list[Chunk] = []
        for number, side in enumerate(self.sides):
            while side.held:
                self._give_up(number, out)
            # The acknowledgement of a FIN that was not seen counts one more than there are bytes
            end = side.end if side.end >= 0 else side.acknowledged - 1
            if 0 <= side.next < min(end, side.acknowledged):
                self._missing(number, -1, min(end, side.acknowledged) - side.next, MISSING, out)
        return out

    def _give_up(self, number: int, out: list[Chunk]) -> None:
        """What is missing before the first bytes that wait is gone; those and all that fits are taken."""
        side = self.sides[number]
        at, packet = side.held[0][0], side.held[0][2]
        if at > side.next:
            self._missing(number, packet, at - side.next, MISSING, out)
        self._drain(number, out)

    def _drain(self, number: int, out: list[Chunk]) -> None:
        side = self.sides[number]
        while side.held and side.held[0][0] <= side.next:
            at, _, packet, data, length = heapq.heappop(side.held)
            side.held_bytes -= len(data)
            self._take(number, packet, at, data, length, out)

    def _take(self, number: int, packet: int, at: int, data: bytes, length: int, out: list[Chunk]) -> None:
        """Bytes that begin where something is known already, or just behind."""
        side = self.sides[number]
        known = side.next - at
        if known > 0:
            side.early += max(0, min(length, -at))
            side.repeated += min(length, known) - max(0, min(length, -at))
        if known >= length:
            return
        data = data[known:] if known else data
        if data:
            out.append(Chunk(number, packet, side.next, data))
            side.next += len(data)
        if at + length > side.next:
            self._missing(number, packet, at + length - side.next, CUT, out)

    def _missing(self, number: int, packet: int, size: int, why: str, out: list[Chunk]) -> None:
        side = self.sides[number]
        out.append(Chunk(number, packet, side.next, b"", size, why))
        side.next += size
