"""Columns for small batches come from a reservation, one behind the other; nobody gets a column twice."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexing import batches
from indexing.batches import RESERVED, SMALL, Reservation
from indexing.models import PacketIndex

pytestmark = pytest.mark.django_db


def next_column() -> int:
    return PacketIndex.objects.get(name="net").next_column


def test_small_batches_lie_one_behind_the_other_whatever_others_do():
    held = Reservation()
    _, first, held = batches.take_columns("net", 100, held)
    assert batches.allocate_columns("net", 7)[1] == 100 + RESERVED
    _, second, held = batches.take_columns("net", 50, held)
    assert (first, second) == (0, 100)


def test_what_is_not_used_is_given_back_where_nobody_took_columns_behind_it():
    _, _, held = batches.take_columns("net", 100, Reservation())
    batches.give_back("net", held)
    assert next_column() == 100


def test_else_it_is_a_hole():
    _, _, held = batches.take_columns("net", 100, Reservation())
    batches.allocate_columns("net", 1)
    batches.give_back("net", held)
    assert next_column() == 100 + RESERVED + 1


def test_a_reservation_at_the_end_is_prolonged():
    _, _, held = batches.take_columns("net", 10, Reservation())
    _, first, held = batches.take_columns("net", RESERVED + 5, held)
    assert first == 10
    assert next_column() == 10 + RESERVED + 5
    assert held.left == 0


def test_a_large_batch_reserves_nothing():
    _, first, held = batches.take_columns("net", SMALL, Reservation())
    assert (first, held.left, next_column()) == (0, 0, SMALL)


def test_a_transaction_that_is_rolled_back_took_nothing():
    with transaction.atomic():
        batches.take_columns("net", 10, Reservation())
        transaction.set_rollback(True)
    assert not PacketIndex.objects.filter(name="net", next_column__gt=0).exists()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 3, SMALL - 1, SMALL, RESERVED, RESERVED + 1])), max_size=30))
def test_no_column_is_given_twice(orders: list[tuple[int, int]]):
    PacketIndex.objects.all().delete()
    held = {0: Reservation(), 1: Reservation()}
    taken: list[tuple[int, int]] = []
    for who, count in orders:
        if who == 2:
            first = batches.allocate_columns("net", count)[1]
        else:
            _, first, held[who] = batches.take_columns("net", count, held[who])
        taken.append((first, first + count))
    ordered = sorted(taken)
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))
    for one in held.values():
        assert not any(first < one.first + one.left and one.first < end for first, end in taken)
