"""A query's budget: what it may take, and what is said when that is too little."""

from __future__ import annotations

import time

import pytest

from indexing import limits
from indexing.limits import Budget, LimitExceeded, current, within


def test_nobody_has_set_a_limit() -> None:
    budget = current()
    budget.check()
    budget.take(1 << 50, "much")
    assert budget.left() is None


def test_memory_that_is_too_much_is_named_with_the_setting() -> None:
    with within(None, 1 << 20) as budget:
        assert current() is budget
        budget.take(1 << 19, "half")
        budget.free(1 << 19)
        budget.take(1 << 20, "all")
        with pytest.raises(LimitExceeded) as raised:
            budget.take(1 << 20, "the columns of a row")
    assert raised.value.status == 413
    assert str(raised.value) == (
        "the query was ended: it needs 2.0 MiB of memory or more, for the columns of a row, and may hold 1.0 MiB "
        "(PICAPWEB_QUERY_MEMORY)"
    )
    assert current().memory is None


def test_time_that_is_over() -> None:
    budget = Budget(0.01, None)
    assert 0 < (budget.left() or 0) <= 0.01
    time.sleep(0.02)
    assert budget.left() == 0
    with pytest.raises(LimitExceeded) as raised:
        budget.check()
    assert raised.value.status == 504
    assert str(raised.value) == "the query took longer than 0.01 s and was ended (PICAPWEB_QUERY_SECONDS)"


def test_what_grows_counts_once() -> None:
    budget = Budget(None, 100)
    one, other = object(), object()
    budget.hold(one, 40, "rows")
    budget.hold(one, 60, "rows")
    budget.hold(other, 40, "rows")
    assert budget.held == 100
    with pytest.raises(LimitExceeded):
        budget.hold(one, 61, "rows")


def test_the_outer_limit_holds() -> None:
    with within(5, 10) as outer:
        with within(50, 1000) as inner:
            assert inner is outer
        assert current() is outer
    with within() as usual:
        assert (usual.seconds, usual.memory) == (limits.SECONDS, limits.MEMORY)
