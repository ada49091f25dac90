"""Counts are added up by key, however the keys came in."""

from __future__ import annotations

import numpy as np

from indexing.backends.tally import Tally


def u64(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def test_equal_keys_of_one_add_are_added_up():
    tally = Tally()
    tally.add([u64(3, 1, 3)], np.array([1, 5, 1]))
    keys, counts = tally.result()
    assert (keys[0].tolist(), counts.tolist()) == ([1, 3], [5, 2])


def test_equal_keys_of_several_adds_are_added_up():
    tally = Tally(2)
    tally.add([u64(1, 1), u64(2, 3)], np.array([1, 1]))
    tally.add([u64(1), u64(3)], np.array([4]))
    keys, counts = tally.result()
    assert ([key.tolist() for key in keys], counts.tolist()) == ([[1, 1], [2, 3]], [1, 5])


def test_nothing_added_is_nothing():
    keys, counts = Tally().result()
    assert (keys[0].size, counts.size) == (0, 0)
