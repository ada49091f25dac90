"""Comparisons, sums and extremes of int fields: right for every bound, whatever values are stored (Pilosa's own are not)."""

from __future__ import annotations

import pytest

from indexing.calls import QueryError
from tests.indexing.backends.conftest import FIELDS, Bench, bits, compare, of, row
from tests.indexing.masking import live

# The data on which Pilosa 1.4.1 answers `< 64`, `> -63`, `< 0`, `< -1` and `> -1` wrongly.
VALUES = [-63, -2, -1, 0, 1, 2, 63]
BOUNDS = [-2000, -1001, -1000, -999, -64, -63, -62, -3, -2, -1, 0, 1, 2, 3, 62, 63, 64, 999, 1000, 1001, 2000]


@pytest.fixture(scope="module")
def deltas(backend):
    backend.ensure_index("deltas", FIELDS)
    made = Bench(backend, "deltas")
    made.add(
        bits(1, 10, 20, delta=dict(enumerate(VALUES)), length={0: 70000, 5: 0, 6: 3, 9: 70000}, proto=[(1, 0), (1, 5), (1, 6)])
    )
    return made


@pytest.mark.parametrize("op", ["<", "<=", "==", "!=", ">", ">="])
def test_every_comparison_with_every_bound(deltas: Bench, op: str) -> None:
    for bound in BOUNDS:
        call = compare("delta", op, bound)
        assert deltas.columns(call) == sorted(deltas.naive.columns(call)), (op, bound)


def test_closed_ranges_also_inverted_and_beyond_the_field(deltas: Bench) -> None:
    for low in BOUNDS:
        for high in BOUNDS[::3]:
            call = compare("delta", "><", [low, high])
            assert deltas.columns(call) == sorted(deltas.naive.columns(call)), (low, high)


def test_not_null_is_the_columns_with_a_value(deltas: Bench) -> None:
    assert deltas.columns(compare("delta", "!=", None)) == list(range(10, 17))
    assert deltas.columns(of("Not", compare("delta", "!=", None))) == list(range(17, 30))


def test_bounds_beyond_64_bits(deltas: Bench) -> None:
    assert deltas.count(compare("delta", "<", 1 << 70)) == 7
    assert deltas.count(compare("delta", ">", 1 << 70)) == 0
    assert deltas.count(compare("delta", "!=", -(1 << 70))) == 7


def test_a_row_of_an_int_field_is_empty(deltas: Bench) -> None:
    assert deltas.columns(row("length", 3)) == []


def test_sum_min_max_count_all_columns_that_have_the_value(deltas: Bench) -> None:
    for name, want in [("Sum", (140003, 4)), ("Min", (0, 1)), ("Max", (70000, 2))]:
        answer = deltas.under(name, field="length")
        assert (answer.value, answer.count) == want, name
    for name, want in [("Min", (-63, 1)), ("Max", (63, 1))]:
        answer = deltas.under(name, field="delta")
        assert (answer.value, answer.count) == want, name


def test_sum_min_max_of_chosen_columns(deltas: Bench) -> None:
    chosen = row("proto", 1)
    for name, want in [("Sum", (70003, 3)), ("Min", (0, 1)), ("Max", (70000, 1))]:
        answer = deltas.under(name, chosen, field="length")
        assert (answer.value, answer.count) == want, name
    for name in ("Sum", "Min", "Max"):
        answer = deltas.under(name, row("proto", 99), field="length")
        assert (answer.value, answer.count) == (0, 0), name


def test_extremes_are_counted_over_all_shards(filled: Bench) -> None:
    for name, pick in [("Min", min), ("Max", max)]:
        for field in ("length", "delta"):
            answer = filled.under(name, field=field)
            assert (answer.value, answer.count) == filled.naive.extreme(field, filled.naive.exists, pick)


def test_sum_of_values_that_may_be_negative(deltas: Bench) -> None:
    whole = deltas.ask(of("Sum", field="delta"))
    assert (whole.value, whole.count) == (0, 7)
    chosen = of("Sum", compare("delta", "==", 63), field="delta")
    if deltas.backend.name == "pilosa":  # it would say -3: refused rather than wrong
        with pytest.raises(QueryError, match="negative"):
            deltas.ask(chosen)
    else:
        assert deltas.ask(chosen).value == 63


def test_fields_without_values_give_zero(deltas: Bench) -> None:
    for field in ("proto", "nosuch", None):
        answer = deltas.ask(of("Sum", live(), field=field))
        assert (answer.value, answer.count) == (0, 0)
