"""Making and deleting: what goes with an index or field, names that the store uses itself, stores of before."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import lmdb
import numpy as np
import pytest

from indexing.backends.base import FieldSchema
from indexing.backends.embedded import EmbeddedBackend
from indexing.calls import Call, QueryError, RowRef
from indexing.client.contract import ClientIndex, FieldOptions, IndexOptions, Wanted
from tests.indexing.client.embedded.conftest import INDEX, Asker, change, row

ATTRS = Call("SetRowAttrs", [], {"row": RowRef("t", 1), "attrs": {"a": 1}})
EXISTING = Call("Not", [Call("Union")])


def fill(people: Asker) -> None:
    people.query(change("Set", 1, "t", 1, "2018-01-01T00:00"), change("Set", 2, "s", 1), change("Set", 3, "i", 9), ATTRS)
    people.query(Call("SetColumnAttrs", [], {"column": 1, "attrs": {"a": 1}}))


def noted(path: Path) -> list[bytes]:
    """The keys of all tables but those of versions and of the format."""
    found = []
    with lmdb.open(str(path), max_dbs=4, readonly=True, lock=False) as env:
        tables = [env.open_db(name) for name in (b"schema", b"overlay", b"fragments", b"batches")]
        with env.begin() as txn:
            for table in tables:
                found += [key for key, _ in txn.cursor(db=table) if not key.startswith((b"\0version", b"\0changed", b"\0format"))]
    return found


def test_a_deleted_index_leaves_nothing_and_begins_anew(people: Asker, backend: EmbeddedBackend, tmp_path: Path) -> None:
    other = Asker(people.clients, replace(INDEX, name="people-2"))
    people.clients.create_index(other.index)
    fill(people)
    fill(other)
    people.clients.delete_index(INDEX)
    people.clients.delete_index(INDEX)
    with pytest.raises(QueryError, match="^index not found$"):
        people.query(change("Set", 1, "s", 1))
    people.clients.create_index(INDEX)
    assert people.columns(EXISTING) == []
    assert people.clients.attributes(INDEX, "t") == people.clients.attributes(INDEX, None) == {}
    assert people.clients.bit_depths(INDEX)["i"] == 0
    assert other.columns(EXISTING) == [1, 2, 3]
    for one in (INDEX, other.index):
        people.clients.delete_index(one)
    backend.close()
    assert noted(tmp_path / "store") == []


def test_a_deleted_field_goes_with_its_views_attributes_and_depth_and_no_other_does(people: Asker) -> None:
    fill(people)
    between = {"from": "2018-01-01T00:00", "to": "2019-01-01T00:00"}
    assert people.columns(row("t", 1, **between)) == [1]
    for name in ("t", "i", "t"):
        people.clients.delete_field(INDEX, name)
    with pytest.raises(QueryError, match="^field not found$"):
        people.query(change("Set", 1, "t", 1))
    for name in ("t", "i"):
        people.clients.create_field(INDEX, name)
    assert people.columns(row("t", 1, **between)) == people.columns(row("t", 1)) == []
    assert people.clients.attributes(INDEX, "t") == {}
    assert people.clients.bit_depths(INDEX)["i"] == 0
    assert people.columns(row("s", 1)) == [2]
    assert people.clients.attributes(INDEX, None) == {1: {"a": 1}}


def test_deleting_existence_forgets_it(people: Asker) -> None:
    fill(people)
    people.clients.delete_field(INDEX, "_exists")
    assert people.columns(EXISTING) == []
    untracked = Asker(people.clients, replace(INDEX, options=IndexOptions(track_existence=False)))
    untracked.query(change("Set", 7, "s", 1))
    assert people.columns(EXISTING) == []
    with pytest.raises(QueryError, match="^map reduce: index does not support existence tracking: people$"):
        untracked.query(EXISTING)


def test_fields_may_have_the_names_of_the_stores_own(backend: EmbeddedBackend) -> None:
    index = ClientIndex("net", IndexOptions(), {name: FieldOptions() for name in ("access", "exists", "t", "t2018")})
    backend.clients.create_index(index)
    asker = Asker(backend.clients, index)
    asker.query(change("Set", 4, "access", 0), change("Set", 5, "access", 1), change("Set", 6, "exists", 0))
    assert asker.columns(row("access", 0)) == [4]
    assert asker.columns(row("exists", 0)) == [6]
    assert asker.columns(EXISTING) == [4, 5, 6]


def test_client_indexes_are_none_of_the_packet_indexes(people: Asker, backend: EmbeddedBackend) -> None:
    backend.ensure_index("people", [FieldSchema("s", "set")])
    assert list(backend.indexes()) == ["people"]
    fill(people)
    assert backend.query("people", [row("s", 1)])[0].columns.size == 0  # type: ignore[union-attr]
    backend.drop_index("people")
    assert people.columns(row("s", 1)) == [2]


def test_what_was_written_is_there_when_the_store_is_opened_again(
    people: Asker, backend: EmbeddedBackend, tmp_path: Path
) -> None:
    fill(people)
    backend.close()
    again = Asker(EmbeddedBackend(tmp_path / "store", 1 << 30).clients, INDEX)
    assert again.columns(EXISTING) == [1, 2, 3]
    assert again.clients.attributes(INDEX, "t") == {1: {"a": 1}}


def test_threads_write_and_read_at_once_and_nothing_is_lost(people: Asker) -> None:
    wrong: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(25):
                people.query(change("Set", number << 20 | i, "s", i % 2, None), change("Set", i, "m", number))
                assert len(people.columns(Call("Union", [row("s", 0), row("s", 1)]), shards=[number])) == i + 1
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(people.columns(Call("Union", [row("m", number) for number in range(4)]))) == 25
    assert sum(len(people.columns(row("m", number))) for number in range(4)) == 25


def test_bits_of_a_large_field_are_changed_one_by_one_as_in_small_ones(people: Asker) -> None:
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(0, 50, 200_000).astype(np.uint64), rng.integers(0, 1 << 20, 200_000).astype(np.uint64)
    rows[:70_000], columns[:70_000] = 60, np.arange(70_000)  # containers of runs
    people.clients.import_bits(INDEX, "s", rows, columns)
    bits = set(zip(rows.tolist(), columns.tolist(), strict=True))
    for i in range(40):
        number, column = (int(rows[i * 3000]), int(columns[i * 3000])) if i % 2 else (i + 20, i * 1000)
        there = (number, column) in bits
        assert people.changed(change("Clear" if i % 2 else "Set", column, "s", number)) == [there if i % 2 else not there]
        (bits.discard if i % 2 else bits.add)((number, column))
    got = [some.tolist() for some in people.clients.export(INDEX, "s", 0)]
    assert list(zip(*got, strict=True)) == sorted(bits)
    assert people.clients.query(INDEX, [], Wanted()).results == []
