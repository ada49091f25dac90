"""A range of seconds as time rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.packets.registry import FIELDS
from proxy.spans import cover

DAY = 86400


@pytest.mark.parametrize(
    ("low", "high", "rows"),
    [
        (0, 0, []),
        (5, 5, []),
        (59, 61, [("time-second", 59), ("time-second", 60)]),
        (60, 120, [("time-minute", 60)]),
        (3540, 7200 + 1, [("time-minute", 3540), ("time-hour", 3600), ("time-second", 7200)]),
        (0, 2 * DAY, [("time-day", 0), ("time-day", DAY)]),
    ],
)
def test_the_longest_rows_that_fit(low, high, rows):
    assert cover(low, high) == rows


@given(st.integers(0, 10**9), st.integers(0, 40 * DAY))
def test_rows_follow_each_other_without_gap_or_overlap(low, length):
    at = low
    for name, begin in cover(low, low + length):
        assert begin == at
        at += FIELDS[name].seconds
    assert at == low + length
