"""An int fragment compares and adds up as arrays do: its numbers as they lie, bit planes, masks of few and of many columns."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexing.backends.embedded_int_planes import MOST_BITS, IntPlanes
from indexing.backends.embedded_ints import IntFragment, encode
from indexing.fragment import WORDS, bitmap_of_columns, columns_of_bitmap
from indexing.roaring import SHARD_WIDTH

SHAPES = {
    "dense, lengths": (np.arange(64, 40_064), 40, 1_514),
    "dense, from a column in the middle of a word": (np.arange(1_003, 31_003), 0, 255),
    "with gaps": (np.arange(5, 1_000_005, 37), -700, 9_000),
    "the last columns of a shard": (np.arange(SHARD_WIDTH - 20_000, SHARD_WIDTH), 1, 1 << 19),
    "all alike": (np.arange(20_000), 7, 7),
    "too wide for planes": (np.arange(20_000), -(1 << 40), 1 << 40),
}


def made(shape: str, planes: bool) -> tuple[IntFragment, NDArray[np.int64], NDArray[np.int64]]:
    """The fragment, its columns and its values."""
    columns, low, high = SHAPES[shape]
    values = np.random.default_rng(len(shape)).integers(low, high, columns.size, endpoint=True)
    values[:2] = low, high
    fragment = IntFragment(encode(columns.astype(np.int64), values))
    if planes:
        fragment.make_planes()
        assert fragment.has_planes == (high - low < 1 << MOST_BITS)
    return fragment, columns, values


def bounds(shape: str) -> list[tuple[int, int]]:
    _, low, high = SHAPES[shape]
    some = sorted({low - 1, low, (low + high) // 2, high - 1, high, high + 1, 1 << 70})
    return [(a, b) for a in [-(1 << 70), *some] for b in some[::2]]


def within(values: NDArray[np.int64], low: int, high: int) -> NDArray[np.bool_]:
    return (values >= max(low, -(1 << 62))) & (values <= min(high, 1 << 62)) if low < 1 << 62 else np.zeros(values.size, bool)


@pytest.mark.parametrize("planes", [False, True], ids=["numbers", "planes"])
@pytest.mark.parametrize("shape", SHAPES)
def test_comparing_and_adding_up(shape: str, planes: bool) -> None:
    fragment, columns, values = made(shape, planes)
    rng = np.random.default_rng(3)
    few, many = np.zeros(SHARD_WIDTH, bool), np.zeros(SHARD_WIDTH, bool)
    few[rng.choice(columns, 500)] = True
    many[rng.choice(SHARD_WIDTH, 900_000)] = True
    for low, high in bounds(shape):
        for outside in (False, True):
            right = within(values, low, high) != outside
            words = np.zeros(WORDS, np.uint64)
            fragment.compare(low, high, outside, words)
            assert np.array_equal(columns_of_bitmap(words), columns[right]), (low, high, outside)
            for mask in (few, many):
                both = right & mask[columns]
                total = int(values[both].sum()), int(both.sum())
                packed = np.packbits(mask, bitorder="little").view(np.uint64)
                if fragment.dense or fragment.has_planes:
                    words = np.zeros(WORDS, np.uint64)
                    fragment.narrow(low, high, outside, packed, words)
                    assert np.array_equal(columns_of_bitmap(words), columns[both]), (low, high, outside)
                assert fragment.sum(bitmap_of_columns(columns[both])) == total, (low, high, outside)
                assert fragment.compared_sum(low, high, outside, packed) in (None, total), (low, high, outside)


def test_both_at_once_where_there_are_planes() -> None:
    fragment, columns, values = made("dense, lengths", planes=True)
    chosen = (values >= 100) & (values <= 900)
    every = bitmap_of_columns(columns)
    assert fragment.compared_sum(100, 900, False, every) == (int(values[chosen].sum()), int(chosen.sum()))
    assert fragment.compared_sum(100, 900, True, every) == (int(values[~chosen].sum()), int((~chosen).sum()))


def test_planes_of_numbers_that_are_too_great() -> None:
    with pytest.raises(ValueError, match="more than 20 bits"):
        IntPlanes(np.arange(3), np.array([0, 1, 1 << 20], np.uint32), 1 << 20)
