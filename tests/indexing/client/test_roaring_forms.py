"""The official form of roaring becomes Pilosa's; what is neither is refused."""

from __future__ import annotations

import random

import numpy as np
import pyroaring
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.client.roaring_forms import RoaringError, as_pilosa
from indexing.roaring import encode


def positions_of(data: bytes) -> list[int]:
    """The bits of Pilosa's form, read one by one."""
    count = int.from_bytes(data[4:8], "little")
    found = []
    for i in range(count):
        head = data[8 + 12 * i : 20 + 12 * i]
        key, kind, n = (int.from_bytes(head[a:b], "little") for a, b in ((0, 8), (8, 10), (10, 12)))
        at = int.from_bytes(data[8 + 12 * count + 4 * i :][:4], "little")

        def u16(place: int, base: int = at) -> int:
            return int.from_bytes(data[base + 2 * place : base + 2 * place + 2], "little")

        if kind == 1:
            low = [u16(j) for j in range(n + 1)]
        elif kind == 2:
            low = [bit for bit in range(65536) if data[at + bit // 8] >> bit % 8 & 1]
        else:
            low = [value for run in range(u16(0)) for value in range(u16(1 + 2 * run), u16(2 + 2 * run) + 1)]
        assert len(low) == n + 1
        found += [key << 16 | value for value in low]
    return found


dice = random.Random(7)
SHAPES = {
    "empty": [],
    "one": [5],
    "arrays": sorted(dice.sample(range(1 << 22), 500)),
    "exactly 4096": sorted(dice.sample(range(1 << 16), 4096)),
    "4097": sorted(dice.sample(range(1 << 16), 4097)),
    "runs": [*range(10, 9000), *range(70000, 140000), (1 << 32) - 1],
    "a whole container": list(range(65536, 2 * 65536)),
    "three containers with runs": [*range(100), *range(65536, 65536 + 100), 200000],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_of_container(shape):
    made = as_pilosa(pyroaring.BitMap(SHAPES[shape]).serialize())
    assert positions_of(made) == SHAPES[shape]
    assert as_pilosa(made) == made


def test_pilosas_form_passes_as_it_is():
    data = encode(np.array([1, 5, 70000, 1 << 40], np.uint64))
    assert as_pilosa(data) == data


def test_what_breaks_off_is_refused_wherever_it_does():
    for shape in ("runs", "arrays"):
        official = pyroaring.BitMap(SHAPES[shape]).serialize()
        for data in (official, as_pilosa(official)):
            for end in range(len(data)):
                with pytest.raises(RoaringError, match="^importing (standard|pilosa) roaring: "):
                    as_pilosa(data[:end])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "importing standard roaring: invalid data: not long enough to be a roaring header"),
        (b"abcdefgh", "importing standard roaring: unknown roaring magic number 25185"),
        (b"<0\x01\x00" + bytes(4), "importing pilosa roaring: wrong roaring version, file is v1, server requires v0"),
        (b"<0\x00\x00\x04" + bytes(55), "header \\+ offsets: want 72 bytes, got 60"),
        (b"<0\x00\x00\x01\x00\x00\x00" + bytes(8) + b"\x09\x00\x00\x00\x18\x00\x00\x00ab", "key 0, had the unknown type 9"),
        (b"<0\x00\x00\x01\x00\x00\x00" + bytes(8) + b"\x01\x00\x00\x00\x04\x00\x00\x00ab", "had offset 4\\+2 size, maximum 26"),
    ],
)
def test_errors_are_worded_as_pilosas(data, words):
    with pytest.raises(RoaringError, match=words):
        as_pilosa(data)


@settings(deadline=None)
@given(st.binary(max_size=100), st.sampled_from([b"<0\x00\x00", b":0\x00\x00", b";0\x00\x00", b";0\x05\x00"]))
def test_any_bytes_are_read_or_refused(rest, magic):
    try:
        as_pilosa(magic + rest)
    except RoaringError:
        pass
