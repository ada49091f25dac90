"""A dissector's columns as fragment bytes: byte by byte what the sorting encoder makes of the same bits, never out of bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing import roaring_codes
from indexing.backends.base import BatchBits, BatchRange, CodedBits, SetBits
from indexing.backends.blobs import set_blob
from indexing.backends.ranges import pieces
from indexing.fragment import decode
from indexing.roaring import MAX_ROW, RoaringError, encode_bits
from indexing.roaring_codes import encode_codes

SHARD = 1 << 20
CONTAINER = 1 << 16


def u32(values) -> np.ndarray:
    return np.array(values, np.uint32)


def u64(values) -> np.ndarray:
    return np.array(values, np.uint64)


def check(packet: np.ndarray, code: np.ndarray, rows: np.ndarray, shift: int) -> bytes:
    """Encodes, and compares with the encoder that sorts; the bytes."""
    found = encode_codes(packet, code, rows, shift).tobytes()
    columns = (packet.astype(np.int64) + shift).astype(np.uint64)
    assert found == encode_bits(rows[code], columns)
    assert set(decode(found).tolist()) == {(int(rows[c]) << 20) + int(x) for c, x in zip(code, columns, strict=True)}
    return found


def test_nothing_is_an_empty_fragment() -> None:
    assert check(u32([]), u32([]), u64([]), 0) == encode_bits(u64([]), u64([]))
    assert check(u32([]), u32([]), u64([7, 3]), 5) == encode_bits(u64([]), u64([]))


@pytest.mark.parametrize("shift", [0, 1, CONTAINER - 1, CONTAINER, SHARD - 10, -3])
def test_rows_in_any_order_come_out_ascending(shift: int) -> None:
    check(u32(range(3, 10)), u32([2, 0, 1, 0, 2, 2, 1]), u64([900, 5, MAX_ROW]), shift)


@pytest.mark.parametrize("first", [0, CONTAINER - 1, CONTAINER, 5 * CONTAINER - 2])
@pytest.mark.parametrize("length", [1, 2, 3, CONTAINER - 1, CONTAINER, CONTAINER + 1, 3 * CONTAINER])
def test_one_run_is_cut_at_containers(first: int, length: int) -> None:
    check(u32(range(length)), u32([0] * length), u64([1]), first)


@pytest.mark.parametrize("count", [4095, 4096, 4097, 2 * 2047, 2 * 2048, 2 * 2049])
def test_each_kind_of_container_at_its_limit(count: int) -> None:
    check(u32(range(0, 3 * count, 3)), u32([0] * count), u64([1]), 0)  # alone: array, then bitmap
    pairs = [3 * (i // 2) + i % 2 for i in range(count)]
    check(u32(pairs), u32([0] * count), u64([1]), 0)  # in twos: runs up to 2048 of them
    every_other = np.arange(count * 2, dtype=np.uint32) // 2
    check(every_other, u32([0, 1] * count), u64([4, 2]), 11)  # two values a packet


def test_a_whole_shard() -> None:
    packets = np.arange(SHARD, dtype=np.uint32)
    check(packets, (packets // 1000) % 7, u64(range(7)), 0)


@st.composite
def columns(draw):
    """(packet, code, rows, shift): some packets, with stretches and holes, of up to three codes each."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    k = draw(st.sampled_from([1, 2, 3, 17, 1000]))
    n = draw(st.sampled_from([1, 5, 300, 5000, 70_000]))
    wide = draw(st.sampled_from([1, 2, 8]))
    several = draw(st.sampled_from([1, 1, 3]))
    held = draw(st.sampled_from([1, 4, 500]))  # how long one code goes on
    shift = draw(st.sampled_from([0, CONTAINER - 40, 3 * CONTAINER - 1, SHARD - wide * n if wide * n <= SHARD else 0]))
    chosen = np.sort(rng.choice(min(wide * n, SHARD - shift), min(n, SHARD - shift), replace=False))
    packet = np.repeat(chosen.astype(np.uint32), several)
    base = np.repeat(rng.integers(0, k, len(chosen) // held + 1), held)[: len(chosen)]
    code = (np.repeat(base, several) + np.tile(range(several), len(chosen))) % k
    if several > k:  # a packet has a value once
        packet, code = packet[::several], code[::several]
    rows = rng.choice(MAX_ROW if draw(st.booleans()) else 2 * k, k, replace=False) if k < 20 else rng.permutation(3 * k)[:k]
    return packet, code.astype(np.uint32), rows.astype(np.uint64), shift


@given(columns())
@settings(max_examples=60, deadline=None)
def test_any_columns_as_the_sorting_encoder_has_them(made) -> None:
    check(*made)


REFUSED = [
    ([2, 1], [0, 0], [1], 0, "ascend"),
    ([0, 1], [0, 1], [1], 0, "without a row"),
    ([0], [0], [], 0, "without a row"),
    ([0, 1], [0], [1], 0, "as many packets"),
    ([0, SHARD], [0, 0], [1], 0, "outside of the shard"),
    ([0, 1], [0, 0], [1], -1, "outside of the shard"),
    ([0, 1], [0, 0], [1], SHARD - 1, "outside of the shard"),
    ([0, SHARD + 5, 1], [0, 0, 0], [1], 0, "ascend"),
    ([0, 1 << 31, 1 << 20, 1], [0, 1, 0, 1], [1, 2], -0, "ascend"),
]


@pytest.mark.parametrize(("packet", "code", "rows", "shift", "says"), REFUSED)
def test_what_is_no_columns_is_refused(packet, code, rows, shift, says) -> None:
    with pytest.raises(ValueError, match=says):
        encode_codes(u32(packet), u32(code), u64(rows), shift)


@pytest.mark.parametrize(("packet", "code", "rows", "shift", "says"), REFUSED)
def test_it_is_refused_before_anything_is_written_outside(monkeypatch, packet, code, rows, shift, says) -> None:
    """As Python, where numpy checks each index: compiled, a count outside of its array would end the process some time later."""
    for name in ("_encode", "_stretch"):
        monkeypatch.setattr(roaring_codes, name, getattr(roaring_codes, name).py_func)
    with pytest.raises(ValueError, match=says):
        encode_codes(u32(packet), u32(code), u64(rows), np.int64(shift))


@pytest.mark.parametrize("first", [0, SHARD - 50, 3 * SHARD - 70_000, (1 << 40) - 1])
@pytest.mark.parametrize("count", [1, 100, 140_000])
def test_a_batch_across_shards_is_what_its_bits_are(first: int, count: int) -> None:
    rng = np.random.default_rng(count)
    packet = np.sort(rng.choice(count, max(1, count // 2), replace=False)).astype(np.uint32)
    code = rng.integers(0, 5, len(packet)).astype(np.uint32)
    rows = u64([9, 4, 0, 77, 3])
    every = CodedBits(np.arange(count, dtype=np.uint32), np.zeros(count, np.uint32), u64([6]))
    coded = CodedBits(packet, code, rows)
    plain = SetBits(rows[code], packet.astype(np.uint64) + np.uint64(first))
    batch = BatchBits(1, first, count)
    for shard, low, high in pieces(BatchRange(1, first, count)):
        assert set_blob(coded, batch, shard, low, high) == set_blob(plain, batch, shard, low, high)
        all_of_it = np.arange(shard * SHARD + low, shard * SHARD + high + 1, dtype=np.uint64)
        found = set_blob(every, batch, shard, low, high)
        assert found is not None
        assert decode(found).tolist() == decode(encode_bits(np.full(len(all_of_it), 6, np.uint64), all_of_it)).tolist()


def test_no_bit_in_a_shard_is_no_blob() -> None:
    batch = BatchBits(1, SHARD - 10, 20)
    first_half = CodedBits(u32([3, 4]), u32([0, 0]), u64([1]))
    assert set_blob(first_half, batch, 0, SHARD - 10, SHARD - 1) is not None
    assert set_blob(first_half, batch, 1, 0, 9) is None


def test_rows_beyond_pilosas_last_are_refused_before() -> None:
    with pytest.raises(RoaringError):
        encode_bits(u64([MAX_ROW + 1]), u64([0]))
