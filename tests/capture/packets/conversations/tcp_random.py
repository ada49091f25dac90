"""Conversations that chance made: what follows from rules, and much that follows from none. As a pcap, or as packets."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from tests.capture.packets.conversations.tcp_made import MILLISECOND, SECOND, START

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_PAUSES = (0, 1, 999, 500_000, MILLISECOND, 2 * MILLISECOND, 4 * MILLISECOND, 25 * MILLISECOND, SECOND)


def _packet(conversation: int, side: int, numbers: tuple[int, int], flags: int, window: int, scale: int, length: int) -> bytes:
    """Ethernet, IPv4, TCP; scale: -1 for none."""
    options = bytes([1, 3, 3, scale]) if scale >= 0 else b""
    ends = [(bytes([10, 0, conversation >> 8, conversation & 255]), 40000), (bytes([10, 1, 0, 1]), 80)]
    (source, sport), (destination, dport) = ends[side], ends[1 - side]
    size = 20 + len(options)
    head = struct.pack(">HHIIHHHH", sport, dport, *numbers, size // 4 << 12 | flags, window, 0, 0)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size + length, 0, 0x4000, 64, 6, 0) + source + destination
    return bytes(12) + b"\x08\x00" + ip + head + options + bytes(length)


class _Side:
    def __init__(self, chance: random.Random) -> None:
        self.base = chance.choice((1000, 2**31 - 50, 2**31 + 5, 2**32 - 60, chance.randrange(1, 2**32)))
        self.sent = 0  # relative
        self.window, self.scale = chance.choice((0, 1, 20, 100, 1000)), chance.choice((-1, 0, 2, 7))


def conversations(seed: int, number: int, length: int) -> tuple[list[bytes], list[int]]:
    """Packets and times (ns) of `number` conversations of about `length` segments, all at once."""
    chance = random.Random(seed)
    parts = [_conversation(chance, k, length) for k in range(number)]
    every = [(time_ns, k, j, packet) for k, part in enumerate(parts) for j, (time_ns, packet) in enumerate(part)]
    every.sort(key=lambda one: one[:3])
    return [one[3] for one in every], [one[0] for one in every]


def _conversation(chance: random.Random, number: int, length: int) -> list[tuple[int, bytes]]:
    sides = [_Side(chance), _Side(chance)]
    now, out = START + chance.randrange(SECOND), []
    last: tuple[int, tuple[int, int], int, int, int, int] | None = None
    first = [(0, SYN), (1, SYN | ACK), (0, ACK)] if chance.random() < 0.7 else []
    for k in range(length):
        now += chance.choice(_PAUSES)
        if last is not None and chance.random() < 0.15:  # the very same again
            out.append((now, _packet(number, *last)))
            continue
        side = chance.randrange(2)
        mine, other = sides[side], sides[1 - side]
        flags, size = ACK, 0
        if k < len(first):
            side, flags = first[k]
            mine, other = sides[side], sides[1 - side]
        else:
            kind = chance.random()
            if kind < 0.4:
                flags, size = ACK | PSH, chance.choice((1, 1, 2, 20, 100))
            elif kind < 0.43:
                flags = ACK | FIN
            elif kind < 0.45:
                flags = chance.choice((RST, RST | ACK))
            elif kind < 0.47:
                flags = chance.choice((SYN, SYN | ACK))
                if chance.random() < 0.3:
                    mine.base, mine.sent = chance.randrange(2**32), 0
            if chance.random() < 0.2:
                mine.window = chance.choice((0, 1, 20, 100, 1000))
        seq = 0 if flags & SYN else max(0, mine.sent + chance.choice((0, 0, 0, 0, 0, -1, -1, -20, -100, 1, 20, 100)))
        ack = other.sent + chance.choice((0, 0, 0, 0, -1, -20, -100, 1, 50))
        behind = seq + size + (1 if flags & (SYN | FIN) else 0)
        mine.sent = max(mine.sent, behind)
        numbers = ((mine.base + seq) % 2**32, (other.base + ack) % 2**32 if flags & ACK else 0)
        last = (side, numbers, flags, mine.window, mine.scale if flags & SYN else -1, size)
        out.append((now, _packet(number, *last)))
    return out


def write(path: Path, packets: list[bytes], times: list[int]) -> None:
    """A pcap with nanoseconds."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for packet, time_ns in zip(packets, times, strict=True):
            file.write(struct.pack("<IIII", *divmod(time_ns, SECOND), len(packet), len(packet)) + packet)
