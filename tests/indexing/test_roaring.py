"""Pilosa's roaring layout: known bytes, the container rule, and every bit back as it went in."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from indexing.fragment import Fragment, bitmap_of_columns, bitmap_of_flags, columns_of_bitmap, decode, set_range
from indexing.roaring import MAX_ROW, SHARD_WIDTH, RoaringError, encode, encode_bits, encode_ranges, positions, sorted_unique
from tests.long import examples

ARRAY, BITMAP, RUNS = 1, 2, 3


def u64(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def kinds(data: bytes) -> list[tuple[int, int, int]]:
    """(key, type, cardinality) of every container, read by hand."""
    (count,) = struct.unpack_from("<I", data, 4)
    found = [struct.unpack_from("<QHH", data, 8 + 12 * i) for i in range(count)]
    return [(key, kind, card + 1) for key, kind, card in found]


def test_the_bytes_of_a_small_fragment() -> None:
    """Rows 1, 1, 2, 300 at columns 5, 1048575, 7, 9: bytes that a Pilosa server took and answered from."""
    data = encode_bits(u64(1, 1, 2, 300), u64(5, 1048575, 7, 9))
    keys = b"".join(struct.pack("<QHH", key, 1, 0) for key in (0x10, 0x1F, 0x20, 0x12C0))
    offsets = struct.pack("<4I", 0x48, 0x4A, 0x4C, 0x4E)
    assert data == bytes.fromhex("3c30000004000000") + keys + offsets + bytes.fromhex("0500ffff07000900")


def test_nothing_is_a_header_alone() -> None:
    assert encode(u64()) == bytes.fromhex("3c30000000000000")
    assert decode(encode(u64())).size == 0


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (range(0, 8190, 2), ARRAY),  # 4095 bits apart
        (range(0, 8192, 2), BITMAP),  # 4096: the official layout would still take an array, Pilosa a bitmap
        (range(65536), RUNS),
        ([0], ARRAY),  # one run, and more than half as many as bits
        ([0, 1], RUNS),
        ([0, 1, 3], ARRAY),
        ([c for c in range(0, 65536, 32) for c in (c, c + 1)], RUNS),  # 2048 runs of 2
        ([c for c in range(0, 65536, 31) for c in (c, c + 1) if c < 65536], BITMAP),  # 2115 runs
    ],
    ids=["4095", "4096", "full", "one", "pair", "three", "2048 runs", "2115 runs"],
)
def test_the_container_follows_pilosas_rule(columns: list[int], kind: int) -> None:
    column = u64(*columns)
    data = encode_bits(np.zeros(column.size, np.uint64), column)
    assert kinds(data) == [(0, kind, column.size)]
    assert decode(data).tolist() == column.tolist()


def test_bits_in_any_order_and_repeated() -> None:
    assert encode_bits(u64(3, 1, 3), u64(7, 9, 7)) == encode_bits(u64(1, 3), u64(9, 7))


def test_absolute_columns_are_taken_within_their_shard() -> None:
    assert encode_bits(u64(1), u64(5 * SHARD_WIDTH + 3)) == encode_bits(u64(1), u64(3))


def test_a_row_beyond_the_last_is_refused() -> None:
    assert decode(encode_bits(u64(MAX_ROW), u64(SHARD_WIDTH - 1))).tolist() == [(MAX_ROW + 1) * SHARD_WIDTH - 1]
    with pytest.raises(RoaringError, match=str(MAX_ROW + 1)):
        positions(u64(MAX_ROW + 1), u64(0))
    with pytest.raises(RoaringError, match=str(MAX_ROW + 1)):
        encode_ranges(u64(MAX_ROW + 1), [(0, 1)])


pieces = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, SHARD_WIDTH - 1), st.integers(1, 9000), st.sampled_from([1, 1, 2, 3, 17])),
    max_size=8,
)


def made_of(parts: list[tuple[int, int, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns: from a start, so many columns, each so far from the last."""
    rows, columns = [u64()], [u64()]
    for row, start, many, step in parts:
        column = np.arange(start, min(start + many * step, SHARD_WIDTH), step, dtype=np.uint64)
        rows.append(np.full(column.size, row, np.uint64))
        columns.append(column)
    return np.concatenate(rows), np.concatenate(columns)


@seed(20240131)
@settings(max_examples=examples(50, long=150), deadline=None, database=None)
@given(parts=pieces, wanted=st.sets(st.integers(0, 45), max_size=20), random=st.integers(0, 1000))
def test_rows_counts_and_positions_come_back(parts: list[tuple[int, int, int, int]], wanted: set[int], random: int) -> None:
    rows, columns = made_of(parts)
    position = sorted(set(zip(rows.tolist(), columns.tolist(), strict=True)))
    fragment = Fragment(encode_bits(rows, columns))
    assert fragment.positions().tolist() == [row * SHARD_WIDTH + column for row, column in position]
    per_row: dict[int, set[int]] = {}
    for row, column in position:
        per_row.setdefault(row, set()).add(column)
    found, counts = fragment.row_counts()
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == {row: len(held) for row, held in per_row.items()}

    words = np.zeros(SHARD_WIDTH // 64, np.uint64)
    some = fragment.add_rows(u64(*sorted(wanted)), words)
    union = set().union(*(per_row.get(row, set()) for row in wanted))
    assert some == bool(union)
    assert columns_of_bitmap(words).tolist() == sorted(union)

    flags = np.random.default_rng(random).random(SHARD_WIDTH) < 0.3
    found, counts = fragment.masked_counts(bitmap_of_flags(flags))
    under = {row: int(np.count_nonzero(flags[sorted(held)])) for row, held in per_row.items()}
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == {row: n for row, n in under.items() if n}


@pytest.mark.parametrize("ranges", [[(0, 0)], [(5, 200_000), (200_002, 200_002)], [(0, SHARD_WIDTH - 1)], [(65535, 65536)]])
def test_ranges_are_the_same_bits_as_runs(ranges: list[tuple[int, int]]) -> None:
    rows = u64(0, 7, 100_000)
    data = encode_ranges(rows, ranges)
    column = np.concatenate([np.arange(first, last + 1, dtype=np.uint64) for first, last in ranges])
    want = [row * SHARD_WIDTH + c for row in rows.tolist() for c in column.tolist()]
    assert decode(data).tolist() == want
    assert {kind for _, kind, _ in kinds(data)} == {RUNS}
    assert sum(card for _, _, card in kinds(data)) == len(want)


def test_a_range_beyond_the_shard_is_refused() -> None:
    for wrong in ([(5, 4)], [(-1, 4)], [(0, SHARD_WIDTH)]):
        with pytest.raises(RoaringError, match="not a range"):
            encode_ranges(u64(0), wrong)


@pytest.mark.parametrize("first", [0, 1, 63, 64, 65, 1000])
@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 129, 70_000])
def test_set_range(first: int, length: int) -> None:
    words = np.zeros(SHARD_WIDTH // 64, np.uint64)
    set_range(words, first, first + length - 1)
    assert np.array_equal(words, bitmap_of_columns(np.arange(first, first + length)))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not long enough"),
        (b"\x3c\x30\x00", "not long enough"),
        (b"abcdefgh", "magic number 25185 at byte 0"),
        (bytes.fromhex("3c30010000000000"), "v1"),
        (bytes.fromhex("3c30000004000000") + bytes(52), "want 72 bytes, got 60"),
    ],
)
def test_what_is_not_roaring_is_refused_in_words(data: bytes, says: str) -> None:
    with pytest.raises(RoaringError, match=says):
        decode(data)


def test_sorted_unique() -> None:
    assert sorted_unique(u64(5, 1, 5, 3)).tolist() == [1, 3, 5]
    assert sorted_unique(u64()).size == 0
