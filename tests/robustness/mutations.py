"""Damage: of bytes, lengths, ends, link types. All of it follows from the generator that is given."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.robustness.packets import Packet

# those that we read, some that we do not, and one that is none
LINKTYPES = (0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 107, 108, 113, 117, 127, 129, 147, 192, 195, 219, 227, 228, 229, 239, 248,
             271, 276, 284, 65535)  # fmt: skip
_BYTES = (0, 1, 2, 4, 5, 6, 8, 15, 16, 17, 20, 31, 40, 41, 44, 47, 51, 58, 60, 63, 64, 69, 96, 127, 128, 132, 192, 240, 254, 255)
_WORDS = (0, 1, 2, 4, 7, 8, 12, 20, 53, 80, 443, 0x7F, 0x80, 0xFF, 0x100, 0x0800, 0x86DD, 0x8100, 0x88A8, 0x8847, 0x8864, 0x6558,
          0x88BE, 0x7FFF, 0x8000, 0xFFF8, 0xFFFF, 1701, 2152, 4789, 6081, 3544)  # fmt: skip

Damage = Callable[[random.Random, bytearray, Packet], None]


def _place(rng: random.Random, data: bytearray) -> int:
    """Mostly in the headers, and there mostly early."""
    most = len(data) if rng.random() < 0.3 else min(len(data), 110)
    return rng.randrange(most)


def _flip(rng: random.Random, data: bytearray, other: Packet) -> None:
    for _ in range(rng.randint(1, 6)):
        data[_place(rng, data)] ^= 1 << rng.randrange(8) if rng.random() < 0.5 else rng.randrange(256)


def _byte(rng: random.Random, data: bytearray, other: Packet) -> None:
    data[_place(rng, data)] = rng.choice(_BYTES)


def _word(rng: random.Random, data: bytearray, other: Packet) -> None:
    at = _place(rng, data)
    word = rng.choice((*_WORDS, len(data), len(data) - at, len(data) - at - 1, len(data) - at + 1)) & 0xFFFF
    data[at : at + 2] = word.to_bytes(2, rng.choice(("big", "little")))


def _splice(rng: random.Random, data: bytearray, other: Packet) -> None:
    data[rng.randint(0, len(data)) :] = other.data[rng.randint(0, len(other.data)) :]


def _repeat(rng: random.Random, data: bytearray, other: Packet) -> None:
    """The same headers over and over: deep stacks."""
    first = _place(rng, data)
    last = min(len(data), first + rng.randint(1, 60))
    data[first:first] = bytes(data[first:last]) * rng.randint(1, 40)


def _remove(rng: random.Random, data: bytearray, other: Packet) -> None:
    at = _place(rng, data)
    del data[at : at + rng.randint(1, 8)]


def _append(rng: random.Random, data: bytearray, other: Packet) -> None:
    data += rng.randbytes(rng.randint(1, 60))


DAMAGES: tuple[Damage, ...] = (_flip, _flip, _byte, _byte, _word, _word, _splice, _repeat, _remove, _append)


def mutated(rng: random.Random, packets: Sequence[Packet]) -> Packet:
    """A damaged packet: one to three kinds of damage, perhaps another link type, perhaps cut (on the wire too, or not)."""
    packet = rng.choice(packets)
    data = bytearray(packet.data)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        if data:
            rng.choice(DAMAGES)(rng, data, rng.choice(packets))
    linktype = rng.choice(LINKTYPES) if rng.random() < 0.05 else packet.linktype
    wire = max(packet.wire, len(data)) if rng.random() < 0.8 else rng.randint(0, 70_000)
    if rng.random() < 0.3:
        del data[rng.randint(0, len(data)) :]
        wire = len(data) if rng.random() < 0.5 else wire
    return Packet(bytes(data[:70_000]), linktype, wire)


def mutations(seed: int, count: int, packets: Sequence[Packet]) -> list[Packet]:
    """`count` damaged packets; each follows from the seed and its own position alone."""
    return [mutated(random.Random(f"{seed} {position}"), packets) for position in range(count)]
