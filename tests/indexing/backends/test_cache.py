"""What a process keeps of the store between queries: never of another state than the query's own, and bounded."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexing.backends import embedded_cache
from indexing.backends.base import SHARD_WIDTH, BatchBits, BatchRange, FieldSchema
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.embedded_cache import Cache, State, limit
from indexing.backends.embedded_cache_ranks import Ranked
from indexing.backends.embedded_cache_results import key_of
from indexing.backends.embedded_cache_rows import CachedRows
from indexing.calls import BoolResult, Call, QueryError, RowRef
from tests.indexing.backends.conftest import FIELDS, Bench, bits, compare, forget_results, of, random_batch, row
from tests.indexing.backends.test_writes import set_

INDEX = "net"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    backend = EmbeddedBackend(tmp_path / "index")
    backend.ensure_index(INDEX, FIELDS)
    yield Bench(backend, INDEX)
    backend.close()


ASKED = [
    of("Count", row("proto", 1)),
    of("Count", of("Intersect", row("proto", 1), row("host", 1))),
    of("Count", compare("length", ">", 59)),
    of("TopN", field="host", n=3),
    of("TopN", row("proto", 1), field="host", n=3),
    of("Sum", field="length"),
    of("Max", field="delta"),
    of("GroupBy", of("Rows", field="proto"), of("Rows", field="host")),
    of("Rows", field="host"),
    row("proto", 2),
    of("Not", row("proto", 1)),
]


def answers(bench: Bench) -> list[object]:
    return [bench.ask(call) for call in ASKED]


def check_answers(bench: Bench) -> None:
    count, both, longer, top, top_under, total, most, groups, rows, columns, others = answers(bench)
    naive, exists = bench.naive, bench.naive.exists
    one = naive.rows["proto"][1]
    assert count.count == len(one)
    assert both.count == len(one & naive.rows["host"][1])
    assert longer.count == sum(value > 59 for value in naive.values["length"].values())
    assert [(pair.id, pair.count) for pair in top.pairs] == naive.topn("host", exists, 3)
    assert [(pair.id, pair.count) for pair in top_under.pairs] == naive.topn("host", one, 3)
    assert (total.value, total.count) == naive.sum("length", exists)
    assert (most.value, most.count) == naive.extreme("delta", exists, max)
    assert [(tuple(part[1] for part in one.group), one.count) for one in groups.groups] == naive.groups(["proto", "host"], exists)
    assert rows.ids == sorted(number for number, held in naive.rows["host"].items() if held)
    assert columns.columns.tolist() == sorted(naive.rows["proto"][2])
    assert others.columns.tolist() == sorted(exists - one)


def test_a_union_that_is_kept_is_of_the_querys_own_state(bench: Bench) -> None:
    rng = np.random.default_rng(11)
    wanted = of("Count", of("Union", *(row("host", number) for number in range(6))))
    for number, first in enumerate((0, 300, SHARD_WIDTH - 100), 1):
        bench.add(random_batch(rng, number, first, 300))
        many = set().union(*(bench.naive.rows["host"].get(one, set()) for one in range(6)))
        for other in ("==", ">", "<"):  # the union comes again, the rest does not
            within = of("Count", of("Intersect", *wanted.children, compare("length", other, 700)))
            assert bench.ask(within).count == len(many & bench.naive.columns(compare("length", other, 700)))
        assert bench.ask(wanted).count == len(many)


def test_every_change_is_seen_by_the_next_query(bench: Bench) -> None:
    rng = np.random.default_rng(7)
    batches = [
        random_batch(rng, number, first, 300)
        for number, first in enumerate((0, 300, 65536 - 100, SHARD_WIDTH - 100, 3 * SHARD_WIDTH), 1)
    ]
    for batch in batches:
        bench.add(batch)
        check_answers(bench)
    bench.add(random_batch(rng, 2, 300, 300))  # a retry
    check_answers(bench)
    assert bench.backend.query(INDEX, [set_(3, "host", 1)])[0].changed == bench.naive.set_bit(3, "host", 1)
    check_answers(bench)
    bench.backend.query(INDEX, [set_(3, "length", 1000)])
    bench.naive.set_value(3, "length", 1000)
    check_answers(bench)
    bench.hide(BatchRange(3, 65536 - 100, 300))
    check_answers(bench)
    bench.backend.merge_batches(INDEX, [BatchRange(1, 0, 300), BatchRange(2, 300, 300)], BatchRange(1, 0, 600))
    check_answers(bench)
    while bench.backend.compact():
        check_answers(bench)
    bench.backend.drop_index(INDEX)
    with pytest.raises(QueryError, match="index not found"):
        bench.ask(ASKED[0])
    bench.backend.ensure_index(INDEX, FIELDS)
    bench.naive.remove(0, 4 * SHARD_WIDTH)
    check_answers(bench)
    bench.add(batches[0])
    check_answers(bench)


def test_columns_that_went_out_of_a_segment(bench: Bench) -> None:
    rng = np.random.default_rng(8)
    for number in range(12):
        bench.add(random_batch(rng, number + 1, 50 * number, 50))
    while bench.backend.compact():
        pass
    check_answers(bench)
    for number in (3, 4, 9):
        bench.hide(BatchRange(number + 1, 50 * number, 50))
        check_answers(bench)


def test_a_commit_to_one_shard_leaves_what_is_kept_of_others(bench: Bench) -> None:
    for number in (0, 1):
        bench.add(bits(number + 1, number * SHARD_WIDTH, 10, proto=[(1, 0), (2, 1)]))
    for call in (row("proto", 1), row("proto", 2)):
        bench.ask(of("Count", call))
    before = _states(bench)
    assert all((CachedRows, "proto") in state.entries for state in before.values())
    bench.add(bits(3, SHARD_WIDTH + 20, 10, proto=[(1, 0)]))
    assert bench.ask(of("Count", row("proto", 1))).count == 3
    after = _states(bench)
    assert after[0] is before[0]
    assert after[1] is not before[1]
    bench.backend.ensure_index("other", FIELDS)
    bench.backend.import_batch("other", bits(1, 0, 10, proto=[(1, 0)]))
    bench.ask(of("Count", row("proto", 2)))
    assert all(state is after[shard] for shard, state in _states(bench).items()), "of another index"


def _states(bench: Bench) -> dict[int, State]:
    return dict(bench.backend._opened().cache._views[INDEX].states)


def test_a_snapshot_that_is_older_than_what_is_kept(bench: Bench) -> None:
    """A reader that began before a commit is answered as of then, also while others have asked for what came after."""
    from indexing.backends.embedded_engine import open_engine

    bench.add(bits(1, 0, 10, proto=[(1, 0)]))
    call = of("Count", row("proto", 1))
    store = bench.backend._opened()
    with store.read() as snapshot:
        older = open_engine(snapshot, INDEX, None)
        added = threading.Thread(target=bench.backend.import_batch, args=(INDEX, bits(2, 100, 10, proto=[(1, 0)])))
        added.start()
        added.join(60)
        seen: list[int] = []
        asked = threading.Thread(target=lambda: seen.extend(bench.ask(call).count for _ in range(3)))
        asked.start()
        asked.join(60)
        assert seen == [2, 2, 2]
        assert older.answer(call).count == 1
        assert open_engine(snapshot, INDEX, None).answer(call).count == 1
    assert bench.ask(call).count == 2
    assert bench.ask(call).count == 2


def _import_when_told(path: Path, wanted, done) -> None:
    backend = EmbeddedBackend(path)
    for number in iter(wanted.get, None):
        backend.import_batch(INDEX, bits(number, 10 * number, 10, proto=[(1, 0)]))
        done.put(number)
    backend.close()


def test_what_another_process_commits_is_in_the_next_answer(bench: Bench) -> None:
    context = multiprocessing.get_context("spawn")
    wanted, done = context.Queue(), context.Queue()
    path = bench.backend._opened().path
    writer = context.Process(target=_import_when_told, args=(path, wanted, done))
    writer.start()
    try:
        for number in range(1, 60):
            wanted.put(number)
            assert done.get(timeout=60) == number
            for _ in range(3):
                assert bench.backend.query(INDEX, [of("Count", row("proto", 1))])[0].count == number
                assert bench.backend.query(INDEX, [of("TopN", field="proto", n=1)])[0].pairs[0].count == number
    finally:
        wanted.put(None)
        writer.join(60)
    assert writer.exitcode == 0


def test_a_write_transaction_that_says_nothing_of_what_it_changes_drops_all(bench: Bench) -> None:
    bench.add(bits(1, 0, 10, proto=[(1, 0)]))
    bench.ask(of("Count", row("proto", 1)))
    before = _states(bench)[0]
    with bench.backend._opened()._write():
        pass
    bench.ask(of("Count", row("proto", 1)))
    assert _states(bench)[0] is not before


def test_an_answer_that_somebody_changes_is_not_what_is_kept(bench: Bench) -> None:
    bench.add(bits(1, 0, 10, proto=[(1, 0), (1, 1)]))
    for _ in range(3):
        pairs, rows, groups, columns = bench.backend.query(
            INDEX,
            [of("TopN", field="proto"), of("Rows", field="proto"), of("GroupBy", of("Rows", field="proto")), row("proto", 1)],
        )
        assert [(pair.id, pair.key, pair.count) for pair in pairs.pairs] == [(1, None, 2)]
        assert (rows.ids, rows.keys) == ([1], None)
        assert groups.groups[0].group == [("proto", 1, None)]
        assert columns.columns.tolist() == [0, 1]
        pairs.pairs[0].key, pairs.pairs[0].count = "tcp", 0
        rows.ids.append(7)
        rows.keys = ["tcp", "udp"]
        groups.groups[0].group[0] = ("proto", 1, "tcp")
        columns.columns[:] = 9


def test_arguments_that_are_equal_in_python_are_not_one_call(bench: Bench) -> None:
    bench.add(bits(1, 0, 10, proto=[(1, 0)]))
    call = of("Count", row("proto", 1))
    assert key_of(call) == key_of(of("Count", row("proto", 1)))
    assert bench.ask(call).count == 1
    for other in (True, 1.0):
        with pytest.raises(QueryError, match="could not convert"):
            bench.ask(of("Count", Call("Row", args={"row": RowRef("proto", other)})))
    assert len({key_of(of("Rows", field="proto", limit=limit)) for limit in (None, 0, 1, True)}) == 4
    deep = row("proto", 1)
    for _ in range(5000):
        deep = of("Union", deep)
    assert key_of(deep) is None
    assert bench.ask(of("Count", deep)).count == 1


def test_it_stays_below_its_limit_and_answers_stay_right(bench: Bench) -> None:
    cache = bench.backend._opened().cache = Cache(40_000)
    rng = np.random.default_rng(9)
    for number in range(6):
        bench.add(random_batch(rng, number + 1, number * SHARD_WIDTH, 400))
    for _ in range(2):
        check_answers(bench)
        assert 0 < _held(cache) <= 40_000


def _held(cache: Cache) -> int:
    states = [state for view in cache._views.values() for state in (view.whole, *view.states.values())]
    return sum(kept.size for state in states for kept in state.entries.values())


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache, state = Cache(10_000), State(0)
    cache._views[INDEX] = type("View", (), {"whole": state, "states": {}})()
    for key in range(8):
        cache.put(state, key, key, 1000)
    for key in (0, 1, 2):
        assert cache.get(state, key) == key
    cache.put(state, 8, 8, 1000)
    assert sorted(state.entries) == [0, 1, 2, 6, 7, 8], "three quarters of the limit are left"
    cache.put(state, "large", 1, 9000)
    assert "large" not in state.entries


def test_the_setting(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    monkeypatch.setenv("PICAPWEB_QUERY_CACHE", "12345")
    assert limit() == 12345
    monkeypatch.setenv("PICAPWEB_QUERY_CACHE", "0")
    bench.backend._opened().cache = cache = Cache()
    bench.add(random_batch(np.random.default_rng(10), 1, 0, 300))
    check_answers(bench)
    assert _held(cache) == 0


@pytest.mark.parametrize(("gigabytes", "megabytes"), [(1, 128), (3, 128), (6, 256), (24, 1024), (500, 1024)])
def test_without_a_setting_it_is_a_part_of_the_memory(monkeypatch: pytest.MonkeyPatch, gigabytes: int, megabytes: int) -> None:
    monkeypatch.delenv("PICAPWEB_QUERY_CACHE", raising=False)
    monkeypatch.setattr(embedded_cache, "memory", lambda: gigabytes << 30)
    assert limit() == megabytes << 20


def test_tops_under_a_filter_are_exact_where_many_rows_tie(bench: Bench) -> None:
    """The rows that have most columns are not those that have most under the filter, and many have as many."""
    rng = np.random.default_rng(11)
    columns = np.arange(6000)
    rows = np.concatenate([np.repeat(np.arange(200), 20), rng.integers(200, 700, 2000)])
    bench.add(
        bits(1, SHARD_WIDTH - 3000, 6000, host=list(zip(rows, columns, strict=True)), proto=[(1, c) for c in range(3900, 6000)])
    )
    assert isinstance(bench.naive.rows["proto"][1], set)
    for n in (1, 3, 10, 64, 65, 300):
        for threshold in (0, 5, 20):
            call = of("TopN", row("proto", 1), field="host", n=n, threshold=threshold)
            want = bench.naive.topn("host", bench.naive.rows["proto"][1], n, threshold)
            for _ in range(3):
                assert [(pair.id, pair.count) for pair in bench.ask(call).pairs] == want
    whole = bench.backend._opened().cache._views[INDEX].whole
    assert (Ranked, "host") in whole.entries
    forget_results(bench.backend)
    plain = of("TopN", field="host", n=30, threshold=20)
    assert [(pair.id, pair.count) for pair in bench.ask(plain).pairs] == bench.naive.topn("host", bench.naive.exists, 30, 20)


def test_a_new_field_is_known_at_once(bench: Bench) -> None:
    bench.add(bits(1, 0, 10, proto=[(1, 0)]))
    with pytest.raises(QueryError, match="field not found"):
        bench.ask(of("Count", row("later", 1)))
    bench.backend.ensure_index(INDEX, [FieldSchema("later", "set")])
    assert bench.ask(of("Count", row("later", 1))).count == 0
    bench.backend.import_batch(INDEX, BatchBits(2, 10, 10, bits(2, 10, 10, later=[(1, 0)]).fields))
    assert bench.ask(of("Count", row("later", 1))).count == 1
    assert bench.backend.query(INDEX, [set_(1, "later", 1)]) == [BoolResult(True)]
    assert bench.ask(of("Count", row("later", 1))).count == 2
