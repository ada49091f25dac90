"""Bytes that say what is not so: refused in words, and nothing is read outside of them."""

from __future__ import annotations

import numpy as np
import pytest

from indexing.backends.embedded_ints import IntFragment
from indexing.backends.embedded_ints import encode as encode_ints
from indexing.fragment import EVERY, WORDS, Fragment, positions_of_many
from indexing.roaring import RoaringError, encode_bits


def sample() -> bytes:
    """An array, a bitmap and runs."""
    rng = np.random.default_rng(1)
    dense = np.flatnonzero(rng.random(1 << 16) < 0.5)
    columns = np.concatenate([np.arange(0, 600, 3), dense, np.arange(70_000, 80_000)]).astype(np.uint64)
    rows = np.repeat(np.array([1, 2, 3], np.uint64), [200, dense.size, 10_000])
    return encode_bits(rows, columns)


def read_all(data: bytes) -> None:
    fragment = Fragment(data)
    fragment.row_counts()
    fragment.masked_counts(EVERY)
    fragment.add_rows(np.arange(5, dtype=np.uint64), np.zeros(WORDS, np.uint64))
    fragment.positions()
    positions_of_many([data, data])


def test_each_byte_of_the_head_changed_is_read_or_refused() -> None:
    good = sample()
    refused = 0
    head = 8 + 16 * int.from_bytes(good[4:8], "little")
    for at in range(head + 4):
        for value in (0, 1, 0x7F, 0xFF):
            bad = bytearray(good)
            bad[at] = value
            try:
                read_all(bytes(bad))
            except RoaringError:
                refused += 1
    assert refused > 50


@pytest.mark.parametrize("size", [7, 8, 20, 60, 300, 1000])
def test_bytes_that_are_cut_off_are_refused(size: int) -> None:
    with pytest.raises(RoaringError):
        read_all(sample()[:size])


def test_a_run_that_is_longer_than_the_head_says_is_refused() -> None:
    data = bytearray(encode_bits(np.ones(100, np.uint64), np.arange(100, dtype=np.uint64)))
    data[-2:] = b"\xff\xff"
    with pytest.raises(RoaringError):
        Fragment(bytes(data)).positions()


def test_an_int_fragment_that_is_cut_off_is_refused() -> None:
    good = encode_ints(np.array([1, 5, 900], np.int64), np.array([5, 70_000, -3], np.int64))
    for size in (0, 3, 20, 40, len(good) - 1):
        with pytest.raises(ValueError, match=r"int fragment|bytes"):
            IntFragment(good[:size])


def test_columns_beyond_the_shard_are_passed_over() -> None:
    good = bytearray(encode_ints(np.array([1, 5, 900], np.int64), np.array([5, 6, 7], np.int64)))
    good[32:36] = b"\xff\xff\xff\xff"
    fragment = IntFragment(bytes(good))
    words = np.zeros(WORDS, np.uint64)
    fragment.compare(0, 100, False, words)
    assert int(np.bitwise_count(words).sum()) == 2
    assert fragment.sum(EVERY) == (13, 2)


def test_a_union_of_many_rows_of_which_some_are_missing() -> None:
    """Rows that are not there came to stand for their neighbours once."""
    rows = np.arange(0, 4000, 2, dtype=np.uint64)
    fragment = Fragment(encode_bits(rows, rows))
    wanted = np.array([1, 3, 5, 8, 9, 10, 11, 400, 401, 3998, 3999, 9999], np.uint64)
    words = np.zeros(WORDS, np.uint64)
    assert fragment.add_rows(wanted, words)
    assert np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little")).tolist() == [8, 10, 400, 3998]
