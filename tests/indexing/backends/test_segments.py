"""Small batches of any jobs become segments: whatever comes, goes, is merged or compacted, answers are those of the batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from indexing.backends import embedded_compact
from indexing.backends.base import SHARD_WIDTH, BatchBits, BatchRange, FieldSchema, IntBits, SetBits
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.embedded_ints import IntFragment
from indexing.fragment import decode
from tests.indexing.backends.conftest import FIELDS, Bench, bits, compare, of, random_batch, row
from tests.indexing.masking import live

INDEX = "net"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Bench]:
    backend = EmbeddedBackend(tmp_path / "index")
    backend.ensure_index(INDEX, FIELDS)
    yield Bench(backend, INDEX)
    backend.close()


def settle(bench: Bench) -> int:
    """Compacts until nothing is to be done; in how many steps."""
    steps = 0
    while bench.backend.compact():
        steps += 1
        assert steps < 1000
    return steps


def blobs(bench: Bench, field: str = "proto") -> int:
    with bench.backend._opened().read() as snapshot:  # type: ignore[attr-defined]
        return sum(len(list(snapshot.fragments(INDEX, field, shard))) for shard in snapshot.shards(INDEX))


def held(bench: Bench) -> set[BatchRange]:
    return set(bench.backend.batches(INDEX))  # type: ignore[attr-defined]


def check_answers(bench: Bench, batches: dict[int, BatchBits]) -> None:
    """All kinds of calls against Python sets, and what the store says that it holds."""
    naive = bench.naive
    everything = naive.exists
    assert bench.columns(live()) == bench.columns(of("Not", of("Union"))) == sorted(everything)
    some = of("Union", row("proto", 1), compare("length", ">", 39))
    under = naive.columns(some)
    assert bench.columns(some) == sorted(under)
    for field in ("proto", "host"):
        assert bench.pairs(field=field) == naive.topn(field, everything)
        assert bench.pairs(some, field=field, n=3) == naive.topn(field, under, 3)
        rows = sorted(r for r, columns in naive.rows[field].items() if columns)
        assert bench.ask(of("Rows", field=field)).ids == rows
    for field in ("length", "delta"):
        answer, inside = bench.under("Sum", field=field), bench.under("Sum", some, field=field)
        assert (answer.value, answer.count) == naive.sum(field, everything)
        assert (inside.value, inside.count) == naive.sum(field, under)
        for name, pick in (("Min", min), ("Max", max)):
            answer = bench.under(name, field=field)
            assert (answer.value, answer.count) == naive.extreme(field, everything, pick)
        outside = compare(field, "!=", 60)
        assert bench.columns(outside) == sorted(naive.columns(outside))
    answer = bench.ask(of("GroupBy", of("Rows", field="proto"), of("Rows", field="host"), filter=some))
    groups = [(tuple(part[1] for part in group.group), group.count) for group in answer.groups]
    assert groups == naive.groups(["proto", "host"], under)
    column, found = bench.backend.rows_of_columns(INDEX, "host", np.array(sorted(everything), np.uint64))
    assert list(zip(column.tolist(), found.tolist(), strict=True)) == sorted(
        (c, r) for r, columns in naive.rows["host"].items() for c in columns
    )
    assert held(bench) == {BatchRange(one.batch, one.first_column, one.count) for one in batches.values()}
    with bench.backend._opened().read() as snapshot:  # type: ignore[attr-defined]
        for one in batches.values():
            range_ = BatchRange(one.batch, one.first_column, one.count)
            assert snapshot.batches_within(INDEX, range_) == [range_]
            shards = range(one.first_column // SHARD_WIDTH, (one.first_column + one.count - 1) // SHARD_WIDTH + 1)
            assert {"proto", "host", "length", "delta"} >= set(snapshot.names_of(INDEX, one.batch))
            for name, bits_ in one.fields.items():
                found = [(shard, blob) for shard in shards if (blob := snapshot.blob(INDEX, name, shard, range_)) is not None]
                if isinstance(bits_, IntBits):
                    columns = [shard * SHARD_WIDTH + c for shard, blob in found for c in IntFragment(blob).columns.tolist()]
                else:
                    columns = [shard * SHARD_WIDTH + p % SHARD_WIDTH for shard, blob in found for p in decode(blob).tolist()]
                assert set(columns) == set(bits_.column.tolist())


def merged(one: BatchBits, other: BatchBits) -> BatchBits:
    """What two neighbours are as one batch."""
    fields = {}
    for name in {*one.fields, *other.fields}:
        parts = [some.fields[name] for some in (one, other) if name in some.fields]
        columns = np.concatenate([part.column for part in parts])
        if isinstance(parts[0], IntBits):
            fields[name] = IntBits(columns, np.concatenate([part.value for part in parts]))
        else:
            fields[name] = SetBits(np.concatenate([part.row for part in parts]), columns)
    return BatchBits(one.batch, one.first_column, one.count + other.count, fields)


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["import", "import", "compact", "compact", "delete", "retry", "merge", "settle", "shrink"]),
        st.integers(0, 1 << 30),
    ),
    min_size=3,
    max_size=14,
)


# Shrinking takes minutes; what is generated is short already.
@settings(max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(first=st.sampled_from([0, 65536 - 60, SHARD_WIDTH - 70, 2 * SHARD_WIDTH - 9]), operations=OPERATIONS)
def test_whatever_happens_answers_are_those_of_the_batches(tmp_path_factory, first: int, operations) -> None:
    backend = EmbeddedBackend(tmp_path_factory.getbasetemp() / "segments-property")
    backend.ensure_index(INDEX, FIELDS)
    bench = Bench(backend, INDEX)
    batches: dict[int, BatchBits] = {}
    numbers = iter(range(1, 1 << 30))
    try:
        for operation, chance in operations:
            rng = np.random.default_rng(chance)
            if operation == "import":
                fill_holes(bench, batches, numbers, rng, first)
            elif operation == "compact":
                backend.compact()
            elif operation == "settle":
                settle(bench)
            elif operation in ("delete", "retry", "shrink") and batches:
                chosen = rng.choice(sorted(batches), min(len(batches), int(rng.integers(1, 9))), replace=False).tolist()
                old = [batches.pop(number) for number in chosen]
                if operation == "delete":
                    bench.hide(*(BatchRange(one.batch, one.first_column, one.count) for one in old))
                    continue
                for one in old:  # the same batch again, with other bits, or with fewer columns
                    count = one.count if operation == "retry" else max(1, one.count // 2)
                    bench.naive.remove(one.first_column, one.count)
                    batches[one.batch] = random_batch(rng, one.batch, one.first_column, count)
                    bench.add(batches[one.batch])
            elif operation == "merge" and batches:
                merge_some(bench, batches, rng)
        check_answers(bench, batches)
        settle(bench)
        check_answers(bench, batches)
        bench.hide(*(BatchRange(one.batch, one.first_column, one.count) for one in batches.values()))
        settle(bench)
        with backend._opened().read() as snapshot:
            assert list(snapshot._walk(snapshot._fragments, INDEX.encode())) == [], "nothing stays of what was deleted"
    finally:
        backend.drop_index(INDEX)
        backend.close()


def fill_holes(bench: Bench, batches: dict[int, BatchBits], numbers: Iterator[int], rng: np.random.Generator, first: int) -> None:
    """Up to 12 batches at free columns, in holes before others too, some with a gap before them."""
    column = first
    for _ in range(int(rng.integers(1, 13))):
        count = int(rng.integers(1, 12))
        column += int(rng.integers(0, 3))
        while (
            after := next((one for one in batches.values() if one.first_column < column + count and column < end_of(one)), None)
        ) is not None:
            column = end_of(after)
        number = next(numbers)
        batches[number] = random_batch(rng, number, column, count)
        bench.add(batches[number])
        column += count


def end_of(one: BatchBits) -> int:
    return one.first_column + one.count


def merge_some(bench: Bench, batches: dict[int, BatchBits], rng: np.random.Generator) -> None:
    """A run of neighbours becomes one batch."""
    ordered = sorted(batches.values(), key=lambda one: one.first_column)
    at = int(rng.integers(0, len(ordered)))
    run = ordered[at : at + 1]
    while len(run) < 6 and at + len(run) < len(ordered) and ordered[at + len(run)].first_column == end_of(run[-1]):
        run.append(ordered[at + len(run)])
    whole = run[0]
    for one in run[1:]:
        whole = merged(whole, one)
    ranges = [BatchRange(one.batch, one.first_column, one.count) for one in run]
    bench.backend.merge_batches(INDEX, ranges, BatchRange(whole.batch, whole.first_column, whole.count))
    for one in run:
        del batches[one.batch]
    batches[whole.batch] = whole


def many(bench: Bench, number: int, first: int = 0, count: int = 5) -> dict[int, BatchBits]:
    rng = np.random.default_rng(number)
    made = {i + 1: random_batch(rng, i + 1, first + i * count, count) for i in range(number)}
    for one in made.values():
        bench.add(one)
    return made


def test_many_small_batches_become_few_blobs(store: Bench) -> None:
    batches = many(store, 300, SHARD_WIDTH - 700)
    assert blobs(store) >= 300
    settle(store)
    assert blobs(store) < 2 * embedded_compact.FAN_IN
    check_answers(store, batches)


def test_one_call_does_a_bounded_piece_of_work(store: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_compact, "MOST_UNITS", 20)
    batches = many(store, 100)
    assert store.backend.compact()
    assert blobs(store) == 81
    settle(store)
    check_answers(store, batches)


def test_a_deleted_batch_is_out_at_once_and_cut_out_of_its_segment_later(store: Bench) -> None:
    batches = many(store, 64)
    settle(store)
    for number in range(1, 64, 3):
        one = batches.pop(number)
        store.hide(BatchRange(number, one.first_column, one.count))
    check_answers(store, batches)
    settle(store)
    check_answers(store, batches)
    with store.backend._opened().read() as snapshot:  # type: ignore[attr-defined]
        assert snapshot.gone(INDEX, 0) == {}, "a third of it was gone: it was written anew"


def test_little_records_of_what_is_gone_are_made_one(store: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_compact, "_GATHER", 4)
    batches = many(store, 64)
    settle(store)
    for number in (3, 9, 20, 31, 50):
        one = batches.pop(number)
        store.hide(BatchRange(number, one.first_column, one.count))
    settle(store)
    with store.backend._opened().read() as snapshot:  # type: ignore[attr-defined]
        assert snapshot.gone_records(INDEX, 0) == 1
        assert sum(map(len, snapshot.gone(INDEX, 0).values())) == 5
    check_answers(store, batches)


def test_what_changes_while_it_is_compacted_is_not_lost(store: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process deletes, and retries, between the reading and the commit."""
    batches = many(store, 40)
    commit = embedded_compact._commit

    def late(*given) -> None:
        monkeypatch.setattr(embedded_compact, "_commit", commit)
        one = batches.pop(7)
        store.hide(BatchRange(7, one.first_column, one.count))
        store.naive.remove(batches[9].first_column, batches[9].count)
        batches[9] = random_batch(np.random.default_rng(77), 9, batches[9].first_column, batches[9].count)
        store.add(batches[9])
        commit(*given)

    monkeypatch.setattr(embedded_compact, "_commit", late)
    assert store.backend.compact()
    check_answers(store, batches)
    settle(store)
    check_answers(store, batches)


def test_nothing_is_done_twice(store: Bench) -> None:
    many(store, 20)
    settle(store)
    before = store.backend.status()["transaction"]
    assert not store.backend.compact()
    assert store.backend.status()["transaction"] == before


def test_large_batches_stay_as_they_are(store: Bench) -> None:
    columns = 1 << 16
    for number in range(9):
        store.backend.import_batch(INDEX, bits(number + 1, number * columns, columns, proto=[(1, 0), (2, columns - 1)]))
    assert not store.backend.compact()
    assert blobs(store) == 9


def test_an_index_that_was_dropped_needs_no_work(tmp_path: Path) -> None:
    backend = EmbeddedBackend(tmp_path / "index")
    backend.ensure_index("a", [FieldSchema("proto", "set")])
    for number in range(10):
        backend.import_batch("a", bits(number + 1, number, 1, proto=[(1, 0)]))
    backend.drop_index("a")
    while backend.compact():
        pass
    assert backend.indexes() == {}
    backend.close()
