"""The picture of a live job's rates: fixed size, gaps as gaps, drops marked."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from proxy.sparkline import HEIGHT, SECONDS, ceiling, sparkline

rate = st.floats(0, 1e8, allow_nan=False)


def test_nothing_yet():
    found = sparkline([])
    assert (found.packets, found.indexed, found.dropped, found.top) == ("", "", [], 10)


def test_the_newest_second_is_at_the_right_edge():
    found = sparkline([[1000, 10, 0, 0, 5]])
    assert found.packets == "M119,40 119,2.0 119.5,2.0 120,2.0 120,40Z"
    assert found.indexed == "M119,21.0 119.5,21.0 120,21.0"


def test_what_is_too_old_is_not_shown():
    found = sparkline([[1000, 999, 0, 7, 999], [1000 + SECONDS, 10, 0, 1, 10]])
    assert (found.most, found.lost, found.dropped) == (10, 1, [SECONDS - 1])


def test_a_gap_is_a_gap_and_a_late_tick_is_none():
    at = [1000, 1001, 1003, 1010, 1011]
    assert sparkline([[second, 5, 0, 0, 5] for second in at]).packets.count("M") == 2


def test_seconds_without_a_word_move_the_picture_on():
    assert sparkline([[1000, 10, 0, 0, 10]], end=1060).packets.startswith("M59,")


@given(st.floats(0, 1e12, allow_nan=False))
def test_the_scale_has_round_ends(value):
    top = ceiling(value)
    assert value <= top
    assert re.fullmatch(r"[125]0+", str(top))
    assert top == 10 or top <= 5 * value


@given(st.lists(st.tuples(rate, rate), max_size=200))
def test_everything_is_inside(rates):
    found = sparkline([[1000 + n, packets, 0, 0, indexed] for n, (packets, indexed) in enumerate(rates)])
    for x, y in re.findall(r"([-\d.]+),([-\d.]+)", f"{found.packets} {found.indexed}"):
        assert 0 <= float(x) <= SECONDS
        assert 0 <= float(y) <= HEIGHT
