"""Rows of many runs as one bitmap: the same columns, however few or many containers and runs there are."""

from __future__ import annotations

import numpy as np
import pytest

from indexing.fragment import WORDS, Fragment, columns_of_bitmap
from indexing.roaring import encode_bits


@pytest.mark.parametrize("rows", [1, 3, 40, 400])
@pytest.mark.parametrize("runs", [1, 5, 60])
def test_a_union_of_rows_of_runs_has_their_columns(rows: int, runs: int):
    random = np.random.default_rng(rows * 1000 + runs)
    row, column = [], []
    for number in range(rows):
        for _ in range(runs):
            first = int(random.integers(0, (1 << 20) - 300))
            length = int(random.integers(8, 300))
            row += [number * 3] * length
            column += range(first, first + length)
    fragment = Fragment(encode_bits(np.array(row, np.uint64), np.array(column, np.uint64)))
    wanted = np.arange(0, rows, 2, dtype=np.uint64) * np.uint64(3)
    words = np.zeros(WORDS, np.uint64)
    words[100] = np.uint64(5)  # what is set stays set
    assert fragment.add_rows(wanted, words)
    these = set(wanted.tolist())
    chosen = {c for r, c in zip(row, column, strict=True) if r in these} | {6400, 6402}
    assert columns_of_bitmap(words).tolist() == sorted(chosen)
