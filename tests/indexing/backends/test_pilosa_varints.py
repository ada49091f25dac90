"""Varints in bulk are those of one number at a time."""

from __future__ import annotations

import random

import numpy as np

from indexing.backends.pilosa_protobuf import varint
from indexing.backends.pilosa_varints import packed


def test_numbers_of_every_length() -> None:
    dice = random.Random(1)
    edges = [edge + off for bits in range(0, 64, 7) for edge in [1 << bits] for off in (-1, 0, 1)]
    numbers = [*edges, (1 << 64) - 1, *(dice.getrandbits(dice.randrange(1, 65)) for _ in range(5000))]
    assert packed(np.array(numbers, np.uint64)) == b"".join(map(varint, numbers))
    assert packed(np.zeros(0, np.uint64)) == b""
    assert packed(np.array([1, 2, 3, 300], np.uint64)[::2]) == b"\x01\x03"
