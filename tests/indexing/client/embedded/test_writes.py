"""Writes: what they return, in which order they are done, and what stays when one is refused."""

from __future__ import annotations

import pytest

from indexing.backends.embedded import EmbeddedBackend
from indexing.calls import Call, CountResult, QueryError, RowRef
from tests.indexing.client.embedded.conftest import Asker, W, change, row


def test_each_write_sees_those_before_it(people: Asker) -> None:
    calls = [change("Set", 1, "s", 5), change("Set", 1, "s", 5), change("Clear", 1, "s", 5), change("Clear", 1, "s", 5)]
    assert people.changed(*calls) == [True, False, True, False]


def test_a_mutex_and_a_bool_keep_one_row_a_column(people: Asker) -> None:
    assert people.changed(change("Set", W, "m", 3), change("Set", W, "m", 4), change("Set", W, "m", 4)) == [True, True, False]
    assert people.changed(change("Set", W, "b", 0), change("Set", W, "b", 1)) == [True, True]
    assert [people.columns(row(*one)) for one in (("m", 3), ("m", 4), ("b", 0), ("b", 1))] == [[], [W], [], [W]]
    assert people.changed(change("Set", W, "m", 3)) == [True]
    assert people.columns(row("m", 4)) == []


def test_store_and_clear_row_see_the_sets_before_them_in_a_request(people: Asker) -> None:
    store = Call("Store", [row("s", 1)], {"row": RowRef("none", 9)})
    clear = Call("ClearRow", [], {"row": RowRef("s", 1)})
    assert people.changed(change("Set", 3, "s", 1), store, clear, change("Set", 4, "s", 1), clear, clear) == [
        *[True] * 5,
        False,
    ]
    assert people.columns(row("none", 9)) == [3]


def test_what_was_written_before_a_refused_write_stays_and_what_follows_is_not_done(people: Asker) -> None:
    with pytest.raises(QueryError, match="^bsigroup value too high$"):
        people.query(change("Set", 1, "s", 1), change("Set", 2, "i", 1001), change("Set", 3, "s", 1))
    assert people.columns(row("s", 1)) == [1]
    assert people.columns(Call("Not", [Call("Union")])) == [1]


def test_five_thousand_writes_are_one_transaction_and_one_more_are_refused_undone(
    people: Asker, backend: EmbeddedBackend
) -> None:
    before = backend.status()["transaction"]
    sets = [change("Set", column, "s", column % 3) for column in range(5000)]
    assert all(people.changed(*sets))
    assert backend.status()["transaction"] == before + 1
    assert people.one(Call("Count", [row("s", 2)])) == CountResult(1666)
    with pytest.raises(QueryError, match="^too many write commands$"):
        people.query(*(change("Clear", column, "s", 0) for column in range(5001)))
    assert people.one(Call("Count", [row("s", 0)])) == CountResult(1667)


def test_clear_of_an_int_does_nothing_and_columns_go_on_existing(people: Asker) -> None:
    assert people.changed(change("Set", 5, "i", -7), change("Set", 5, "i", -7), change("Clear", 5, "i", -7)) == [
        True,
        False,
        False,
    ]
    assert people.changed(change("Set", 6, "s", 1), change("Clear", 6, "s", 1)) == [True, True]
    assert people.columns(Call("Not", [Call("Union")])) == [5, 6]


def test_options_around_a_write_keep_store_to_its_shards(people: Asker) -> None:
    people.query(*(change("Set", column, "s", 1) for column in (1, W, 2 * W)))
    store = Call("Store", [row("s", 1)], {"row": RowRef("s", 2)})
    assert people.changed(Call("Options", [store], {"shards": [1, 2]})) == [True]
    assert people.columns(row("s", 2)) == [W, 2 * W]


def test_bit_depth_is_the_greatest_ever_needed(people: Asker) -> None:
    assert people.clients.bit_depths(people.index) == {"i": 0, "far": 0}
    people.query(change("Set", 1, "i", -64), change("Set", 1, "i", 1), change("Set", 1, "far", 103))
    assert people.clients.bit_depths(people.index) == {"i": 7, "far": 2}
