"""Columns of several parts as one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.packets.columns import IntValues, SetValues
from capture.packets.fast.interning import NONE
from capture.packets.fast.merging import bits_as_rows, either, merged, merged_ints

CELL = st.one_of(st.none(), st.integers(0, 9))


def pairs(column: SetValues) -> list:
    return [(packet, column.values[code]) for packet, code in zip(column.packet.tolist(), column.code.tolist(), strict=True)]


@given(st.lists(st.tuples(CELL, CELL), max_size=50))
@settings(max_examples=60, deadline=None)
def test_either_of_two_cells(cells):
    a, b = (np.array([NONE if cell[side] is None else cell[side] for cell in cells], np.uint32) for side in (0, 1))
    found = pairs(SetValues(*either(a, b, 10)))
    wanted = [(i, value) for i, cell in enumerate(cells) for value in dict.fromkeys(cell) if value is not None]
    assert found == wanted


def test_sets_become_rows():
    column = bits_as_rows(np.array([0, 2, 5], np.uint32), np.array([1, 0, 1], np.uint32), [[1, 3], [0]])
    assert pairs(column) == [(0, 0), (2, 1), (2, 3), (5, 0)]


def test_a_set_without_members_has_no_rows():
    column = bits_as_rows(np.array([0, 1], np.uint32), np.array([0, 1], np.uint32), [[], [7]])
    assert pairs(column) == [(1, 7)]


def test_parts_are_joined_in_order_of_packets_each_pair_once():
    one = SetValues(np.array([0, 3], np.uint32), np.array([0, 1], np.uint32), [b"a", b"b"])
    other = SetValues(np.array([0, 2, 3], np.uint32), np.array([0, 1, 0], np.uint32), [b"b", b"c"])
    assert sorted(pairs(merged([one, other]))) == [(0, b"a"), (0, b"b"), (2, b"c"), (3, b"b")]
    assert merged([one, other]).packet.tolist() == [0, 0, 2, 3]


def test_a_part_without_values_does_not_decide_the_kind():
    empty = SetValues(np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0, np.uint64))
    full = SetValues(np.array([1], np.uint32), np.array([0], np.uint32), [b"x"])
    assert pairs(merged([empty, full, full])) == [(1, b"x")]


def test_numbers_are_joined():
    one = IntValues(np.array([1, 4], np.uint32), np.array([10, 40], np.int64))
    other = IntValues(np.array([2], np.uint32), np.array([20], np.int64))
    column = merged_ints([one, other])
    assert column.packet.tolist() == [1, 2, 4] and column.value.tolist() == [10, 20, 40]
