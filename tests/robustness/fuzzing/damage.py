"""Damage to any input, and inputs out of the words of a language. All of it follows from the generator that is given."""

from __future__ import annotations

import random
from collections.abc import Sequence

_WORDS = (0, 1, 2, 3, 4, 7, 8, 12, 16, 20, 28, 32, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF,
          0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip


def damaged(rng: random.Random, seeds: Sequence[bytes], most: int) -> bytes:
    """One of `seeds` with a few pieces of it changed, cut, moved, doubled or out of another one; at most `most` bytes."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5, 8))):
        at = rng.randrange(len(data) + 1) if rng.random() < 0.5 else rng.randrange(min(len(data), 200) + 1)
        kind = rng.randrange(8)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[at % len(data)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind == 2:
            size = rng.choice((2, 4, 4, 4, 8))
            word = (rng.choice(_WORDS) if rng.random() < 0.7 else len(data) + rng.randint(-16, 16)) & ((1 << 8 * size) - 1)
            data[at : at + size] = word.to_bytes(size, rng.choice(("little", "big")))
        elif kind == 3:
            del data[at : at + rng.choice((1, 2, 4, 8, rng.randint(1, 100)))]
        elif kind == 4:
            data[at:at] = rng.randbytes(rng.randint(1, 20))
        elif kind == 5:
            other = rng.choice(seeds)
            first = rng.randrange(len(other) + 1)
            data[at : at + rng.choice((0, 50))] = other[first : first + rng.randint(1, 200)]
        elif kind == 6:
            piece = bytes(data[at : at + rng.randint(1, 64)])
            data[at:at] = piece * rng.randint(1, 30)
        else:
            del data[at:]
    return bytes(data[:most])


def worded(rng: random.Random, words: Sequence[str], seeds: Sequence[str]) -> str:
    """A text of a language: of its words alone, or one of `seeds` with some of its pieces changed for words."""
    if rng.random() < 0.3:
        return rng.choice(("", " ", " ", ", ")).join(rng.choice(words) for _ in range(rng.choice((1, 3, 8, 20, 60))))
    text = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(text) + 1)
        end = min(len(text), at + rng.choice((0, 0, 1, 1, 5, 20)))
        kind = rng.randrange(5)
        if kind == 0:
            piece = rng.choice(words)
        elif kind == 1:
            piece = chr(rng.choice((0, 9, 10, 34, 39, 92, 0x7F, 0xFFFD, 0x202E, 0x1F600, rng.randrange(32, 0x3000))))
        elif kind == 2:
            piece = text[rng.randrange(len(text) + 1) :][: rng.randint(0, 40)]
        elif kind == 3:
            piece = rng.choice(
                ("(" * rng.randint(1, 3000), ")" * 40, "[" * 40, "-" * 9, "9" * rng.choice((1, 19, 20, 400)), "\\x")
            )
        else:
            piece = ""
        text = text[:at] + piece + text[end:]
    return text[:20_000]
