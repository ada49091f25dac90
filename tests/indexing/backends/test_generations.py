"""Generations: indexes beside an index, on Pilosa, that are dropped whole. Every answer is that of one index."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from indexing.backends.base import SHARD_WIDTH, Backend, BackendAway, BackendError, BatchBits, BatchRange, FieldSchema
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.generation_names import generation_name, generations_among, is_generation_name
from indexing.backends.pilosa import PilosaBackend
from indexing.calls import Call, GroupCountsResult, PairsResult, QueryError, Result, RowResult, RowsResult
from tests.indexing.backends.conftest import FIELDS, bits, of, random_batch, row
from tests.indexing.backends.test_random_trees import trees
from tests.indexing.masking import live
from tests.long import examples
from tests.pilosa import PilosaServer, start_pilosa

LONG = "a-name-that-is-as-long-as-pilosa-lets-the-name-of-an-index-be-64"


def own(server: PilosaServer) -> PilosaBackend:
    return PilosaBackend([(server.host, server.port)], drop_grace_seconds=0)


@pytest.fixture
def pilosa(pilosa_server: PilosaServer) -> Iterator[PilosaBackend]:
    opened = own(pilosa_server)
    yield opened
    for index in opened.indexes():
        if index.startswith("gen-"):
            opened.drop_index(index)
    opened.close()


def within(batch: BatchBits, generation: int) -> BatchBits:
    return replace(batch, generation=generation)


def count(backend: Backend, index: str, call: Call | None = None, **more: Any) -> int:
    return backend.query(index, [of("Count", of("Intersect", live(), *([call] if call else [])))], **more)[0].count  # type: ignore[union-attr]


# Names


@pytest.mark.parametrize("index", ["n", "net", "a" * 49, "a" * 50, LONG])
def test_names_are_read_back_and_fit(index: str, pilosa: PilosaBackend) -> None:
    for generation in (1, 7, 10**12 - 1):
        name = generation_name(index, generation)
        assert is_generation_name(name)
        assert len(name) <= 64
        assert generations_among(["x", index, name, f"{index[:40]}-g1"], index) == [generation]
        assert generations_among([name], "another") == []
    assert generation_name(index, 0) == index
    assert not is_generation_name(index)


def test_long_names_that_begin_alike_are_told_apart() -> None:
    one, two = "a" * 60 + "b", "a" * 60 + "c"
    assert generations_among([generation_name(two, 1)], one) == []
    nested = generation_name("net_-gx", 5)
    assert generations_among([nested], "net") == []
    assert generations_among([nested], "net_-gx") == [5]


@pytest.mark.parametrize("generation", [-1, 10**12])
def test_what_is_no_generation_is_refused(generation: int, pilosa: PilosaBackend) -> None:
    with pytest.raises(ValueError, match=str(generation)):
        generation_name("net", generation)
    pilosa.ensure_index("gen-a", FIELDS)
    with pytest.raises(BackendError, match=f"{generation} is not a generation"):
        pilosa.import_batch("gen-a", within(bits(1, 0, 5), generation))
    with pytest.raises(BackendError, match="index itself"):
        pilosa.drop_generation("gen-a", 0)


def test_the_name_of_a_generation_is_no_users(pilosa: PilosaBackend, tmp_path: Path) -> None:
    pilosa.ensure_index("gen-b", FIELDS)
    pilosa.import_batch("gen-b", within(bits(1, 0, 5, proto=[(6, 0)]), 1))
    name = generation_name("gen-b", 1)
    embedded = EmbeddedBackend(tmp_path)
    for backend in (pilosa, embedded):
        with pytest.raises(BackendError, match="a generation of another index"):
            backend.ensure_index(name, FIELDS)
        with pytest.raises(QueryError, match=r"^index not found$"):
            backend.query(name, [of("Count", live())])
        with pytest.raises(QueryError, match=r"^index not found$"):
            backend.rows_of_columns(name, "proto", np.array([0], np.uint64))
        with pytest.raises(BackendError, match="does not exist"):
            backend.import_batch(name, bits(2, 5, 5))
        assert name not in backend.indexes()
    assert "gen-b" in pilosa.indexes()
    embedded.close()


def test_an_index_of_a_long_name_has_generations(pilosa: PilosaBackend) -> None:
    index = f"gen-{LONG[4:]}"
    pilosa.ensure_index(index, FIELDS)
    pilosa.import_batch(index, within(bits(1, 0, 5, proto=[(6, 0)]), 3))
    assert count(pilosa, index, row("proto", 6)) == 1
    assert pilosa.generations(index) == [3]
    pilosa.drop_index(index)
    assert pilosa.generations(index) == []


def test_embedded_ignores_generations(tmp_path: Path) -> None:
    embedded = EmbeddedBackend(tmp_path)
    assert not embedded.generational
    embedded.ensure_index("net", FIELDS)
    embedded.import_batch("net", within(bits(1, 0, 5, proto=[(6, 0)]), 3))
    embedded.import_batch("net", within(bits(2, 5, 5, proto=[(6, 0)]), 4))
    embedded.merge_batches("net", [BatchRange(1, 0, 5, 3), BatchRange(2, 5, 5, 4)], BatchRange(1, 0, 10, 4))
    embedded.merge_batches("net", [BatchRange(1, 0, 5, 3), BatchRange(2, 5, 5, 4)], BatchRange(1, 0, 10, 4))
    embedded.drop_generation("net", 3)
    assert embedded.generations("net") == []
    assert count(embedded, "net", row("proto", 6)) == 2
    embedded.hide_batches("net", [BatchRange(1, 0, 10, 9)])
    assert count(embedded, "net") == 0
    embedded.close()


# Answers


@pytest.fixture(scope="module")
def three(pilosa_server: PilosaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Backend]]:
    """The same batches in one index of Pilosa, over generations of another, and in the embedded store. Shards are shared."""
    index = "three"
    whole, spread, embedded = own(pilosa_server), own(pilosa_server), EmbeddedBackend(tmp_path_factory.mktemp("embedded"))
    backends: dict[str, Backend] = {"whole": whole, "spread": spread, "embedded": embedded}
    for name, backend in backends.items():
        backend.ensure_index(f"{index}-{name}", FIELDS)
    rng = np.random.default_rng(5)
    firsts = [(0, 300), (300, 200), (65536 - 200, 400), (SHARD_WIDTH - 500, 700), (SHARD_WIDTH + 200, 90), (4 * SHARD_WIDTH, 500)]
    for number, (first, size) in enumerate(firsts):
        batch = random_batch(rng, number + 1, first, size)
        for name, backend in backends.items():
            backend.import_batch(f"{index}-{name}", within(batch, number % 4) if name == "spread" else batch)
    yield backends
    for name, backend in backends.items():
        backend.drop_index(f"{index}-{name}")
        backend.close()


COLUMNS = [0, 17, 299, 300, 480, 65400, SHARD_WIDTH - 1, SHARD_WIDTH, SHARD_WIDTH + 250, 4 * SHARD_WIDTH + 7, 9 * SHARD_WIDTH]
_masked = trees.map(lambda tree: of("Intersect", tree, live()))
_small = st.one_of(st.none(), st.integers(0, 12))


def _given(name: str, *children: Call, **args: Any) -> Call:
    return of(name, *children, **{key: value for key, value in args.items() if value is not None})


_fields = st.sampled_from(["proto", "host"])
_row_calls = st.builds(
    lambda field, previous, limit, column: _given("Rows", field=field, previous=previous, limit=limit, column=column),
    _fields, _small, _small, st.one_of(st.none(), st.sampled_from(COLUMNS)),
)  # fmt: skip


@st.composite
def _group_calls(draw: st.DrawFn) -> Call:
    children = draw(st.lists(_row_calls, min_size=1, max_size=2))
    if len(children) == 2 and children[0].args.get("previous") is None:
        children[1].args.pop("previous", None)  # depends on the first row of each shard, in Pilosa
    return _given("GroupBy", *children, filter=draw(_masked), limit=draw(_small), offset=draw(_small))


_calls = st.one_of(
    _masked,
    st.builds(lambda tree: of("Count", tree), _masked),
    st.builds(lambda name, tree: of(name, tree, field="length"), st.sampled_from(["Sum", "Min", "Max"]), _masked),
    st.builds(lambda name, tree: of(name, tree, field="delta"), st.sampled_from(["Min", "Max"]), _masked),
    st.builds(
        lambda field, tree, n, threshold, ids: _given("TopN", tree, field=field, n=n, threshold=threshold, ids=ids),
        _fields, _masked, _small, _small, st.one_of(st.none(), st.lists(st.integers(0, 40), max_size=5)),
    ),
    _row_calls,
    _group_calls(),
    st.builds(lambda name, field, tree: of(name, tree, field=field), st.sampled_from(["MinRow", "MaxRow"]), _fields, _masked),
    st.builds(lambda name, field: of(name, field=field), st.sampled_from(["MinRow", "MaxRow"]), _fields),
    st.builds(lambda field: of("TopN", live(), field=field), _fields),
    st.builds(lambda tree: of("Shift", tree, n=1), st.just(of("Intersect", row("proto", 2), row("proto", 3)))),
)  # fmt: skip
_optional = st.one_of(
    _calls,
    st.builds(
        lambda call, shards, columns: _given("Options", call, shards=shards, excludeColumns=columns),
        _calls,
        st.one_of(st.none(), st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True)),
        st.one_of(st.none(), st.just(True)),
    ),
)  # fmt: skip


def plain(result: Result) -> Any:
    """A result that can be compared."""
    if isinstance(result, RowResult):
        assert result.columns.dtype == np.uint64
        return result.columns.tolist(), result.attrs
    if isinstance(result, PairsResult):
        return [(pair.id, pair.count) for pair in result.pairs], result.field, result.exact
    if isinstance(result, GroupCountsResult):
        return [(group.group, group.count) for group in result.groups]
    if isinstance(result, RowsResult):
        return result.ids, result.field
    return result


@seed(20261125)
@settings(max_examples=examples(80, long=400), deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(calls=st.lists(_optional, min_size=1, max_size=3), shards=st.sampled_from([None, None, [], [0], [1], [0, 4], [1, 77]]))
def test_answers_are_those_of_one_index(three: dict[str, Backend], calls: list[Call], shards: list[int] | None) -> None:
    answers = {}
    for name, backend in three.items():
        if name == "embedded" and any(_differs(call, shards) for call in calls):
            continue
        answers[name] = [plain(result) for result in backend.query(f"three-{name}", calls, shards)]
    assert answers["spread"] == answers["whole"]
    if "embedded" in answers:
        assert answers["spread"] == answers["embedded"]


def _differs(call: Call, shards: list[int] | None) -> bool:
    """Where the embedded store and Pilosa are of two minds already: the column of another shard than those asked for."""
    inner = call.children[0] if call.name == "Options" else call
    chosen = shards is not None or (call.name == "Options" and call.args.get("shards") is not None)
    names = [inner, *inner.children]
    return chosen and any(one.name == "Rows" and one.args.get("column") is not None for one in names)


def test_rows_of_columns_of_every_generation(three: dict[str, Backend]) -> None:
    wanted = np.array([*COLUMNS, *range(0, 600, 3), *range(SHARD_WIDTH - 500, SHARD_WIDTH + 290)], np.uint64)
    for field in ("proto", "host", "length"):
        answers = {name: backend.rows_of_columns(f"three-{name}", field, wanted) for name, backend in three.items()}
        for name in ("whole", "embedded"):
            assert [part.tolist() for part in answers["spread"]] == [part.tolist() for part in answers[name]]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (of("Intersect", of("Shift", row("proto", 1), n=1), live()), "Shift"),
        (of("Count", of("Union", of("Shift", row("proto", 1), n=1), live())), "Shift"),
        (of("Sum", of("Shift", row("proto", 1), n=1), field="length"), "Sum"),
        (of("TopN", of("Shift", live(), n=1), field="host"), "TopN"),
        (of("TopN", live(), field="host", attrName="a", attrValues=["b"]), "attributes"),
        (of("GroupBy", of("Rows", field="proto"), filter=of("Shift", live(), n=1)), "GroupBy"),
        (of("GroupBy", of("Rows", field="proto"), of("Rows", field="host", previous=3)), "previous"),
        (of("Options", of("Not", of("Shift", row("proto", 1), n=1)), excludeColumns=True), "Shift"),
    ],
)
def test_what_the_parts_cannot_answer_is_refused(three: dict[str, Backend], pilosa: PilosaBackend, call: Call, says: str) -> None:
    with pytest.raises(QueryError, match=f"{says}.*spread over several indexes"):
        three["spread"].query("three-spread", [call])
    three["whole"].query("three-whole", [call])
    pilosa.ensure_index("gen-c", FIELDS)  # with the last generation gone it is answered again
    pilosa.import_batch("gen-c", within(bits(1, 0, 5, proto=[(1, 0)]), 1))
    with pytest.raises(QueryError):
        pilosa.query("gen-c", [call])
    pilosa.drop_generation("gen-c", 1)
    pilosa.query("gen-c", [call])


def test_shifts_that_do_not_move_are_answered(three: dict[str, Backend]) -> None:
    call = of("Count", of("Intersect", of("Shift", row("proto", 1), n=0), live()))
    assert three["spread"].query("three-spread", [call]) == three["whole"].query("three-whole", [call])


def test_a_field_that_outgrew_its_cache_in_one_generation_is_counted_without_it(
    pilosa: PilosaBackend, pilosa_server: PilosaServer
) -> None:
    pilosa.ensure_index("gen-d", FIELDS)
    pilosa_server.post("/index/gen-d/field/small", '{"options":{"type":"set","cacheType":"ranked","cacheSize":10}}')
    pilosa.import_batch("gen-d", within(bits(1, 0, 50, small=[(c % 5, c) for c in range(40)]), 1))
    assert pilosa.query("gen-d", [of("TopN", live(), field="small")])[0].exact  # type: ignore[union-attr]
    pilosa.import_batch("gen-d", within(bits(2, 50, 50, small=[(c, c) for c in range(40)]), 2))
    (found,) = pilosa.query("gen-d", [of("TopN", live(), field="small")])
    assert found.exact  # type: ignore[union-attr]
    assert sum(pair.count for pair in found.pairs) == 80  # type: ignore[union-attr]


# Coming


def test_a_generation_has_the_schema_of_its_index(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    pilosa.ensure_index("gen-e", [*FIELDS, FieldSchema("whole", "int", -(1 << 63), (1 << 63) - 1)])
    pilosa_server.post("/index/gen-e/field/small", '{"options":{"type":"set","cacheType":"ranked","cacheSize":10}}')
    pilosa.import_batch("gen-e", within(bits(1, 0, 5), 1))
    found = {one["name"]: one for one in json.loads(_get(pilosa, "/schema"))["indexes"]}
    base, made = found["gen-e"], found[generation_name("gen-e", 1)]
    assert made["fields"] == base["fields"]
    assert made["options"] == base["options"]
    pilosa.ensure_index("gen-e", [FieldSchema("later", "set")])
    found = {one["name"]: one for one in json.loads(_get(pilosa, "/schema"))["indexes"]}
    assert found[generation_name("gen-e", 1)]["fields"] == found["gen-e"]["fields"]


def _get(backend: PilosaBackend, path: str) -> bytes:
    return backend._http.ask("GET", path)[1]


def test_what_another_process_makes_and_drops_is_known_at_once(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    pilosa.ensure_index("gen-f", FIELDS)
    pilosa.import_batch("gen-f", bits(1, 0, 5, proto=[(6, 0)]))
    columns = np.array([0, 5, 10, 15], np.uint64)

    def seen() -> tuple[int, list[int], list[int]]:
        (rows,) = pilosa.query("gen-f", [of("Rows", field="proto")])
        return count(pilosa, "gen-f"), rows.ids, pilosa.rows_of_columns("gen-f", "proto", columns)[0].tolist()  # type: ignore[union-attr]

    assert seen() == (5, [6], [0])
    other = own(pilosa_server)
    for generation in (1, 2, 3):
        other.import_batch("gen-f", within(bits(2, 5 * generation, 5, proto=[(6 + generation, 0)]), generation))
        assert seen() == (5 + 5 * generation, list(range(6, 7 + generation)), columns[: 1 + generation].tolist())
    for generation in (1, 2, 3):
        other.hide_batches("gen-f", [BatchRange(2, 5 * generation, 5, generation)])
        other.drop_generation("gen-f", generation)
        assert seen() == (20 - 5 * generation, [6, *range(7 + generation, 10)], [0, *columns[1 + generation :].tolist()])
    assert pilosa.generations("gen-f") == []
    other.close()


def test_a_field_that_came_while_a_generation_was_made(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    """The maker had read the schema before: the field is made when it is missed."""
    pilosa.ensure_index("gen-g", FIELDS)
    pilosa.import_batch("gen-g", within(bits(1, 0, 5, proto=[(6, 0)]), 1))
    pilosa_server.post("/index/gen-g/field/later", '{"options":{"type":"set","cacheType":"ranked"}}')
    other = own(pilosa_server)
    assert other.query("gen-g", [row("later", 1)])[0].columns.tolist() == []  # type: ignore[union-attr]
    other.import_batch("gen-g", within(bits(2, 5, 5, later=[(1, 0)]), 1))
    assert pilosa.query("gen-g", [row("later", 1)])[0].columns.tolist() == [5]  # type: ignore[union-attr]
    other.close()


def test_a_generation_that_was_half_made(
    pilosa: PilosaBackend, pilosa_server: PilosaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its maker ended between any two steps: the next import completes it, and a drop finds it."""
    pilosa.ensure_index("gen-h", FIELDS)
    ask, calls = pilosa._http.ask, 0

    def breaks_at(limit: int) -> Any:
        def broken(method: str, *args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += method == "POST"
            if calls > limit:
                raise BackendAway("broke off")
            return ask(method, *args, **more)

        return broken

    # Index, four fields, `access`, that it is there, two fields' bits, existence, `access`: all but the last.
    for generation, limit in enumerate(range(1, 11), 1):
        batch = within(bits(generation, 10 * generation, 5, proto=[(6, 0)], length={0: 5}), generation)
        calls = 0
        monkeypatch.setattr(pilosa._http, "ask", breaks_at(limit))
        with pytest.raises(BackendAway):
            pilosa.import_batch("gen-h", batch)
        monkeypatch.undo()
        other = own(pilosa_server)
        assert pilosa.generations("gen-h") == list(range(1, generation + 1))
        assert count(pilosa, "gen-h") == count(other, "gen-h") == 5 * (generation - 1)
        (pilosa if limit % 2 else other).import_batch("gen-h", batch)
        assert count(pilosa, "gen-h") == count(other, "gen-h") == 5 * generation
        assert pilosa.query("gen-h", [of("Sum", live(), field="length")])[0].value == 5 * generation  # type: ignore[union-attr]
        other.close()


def test_an_import_into_a_generation_that_was_dropped_makes_it_anew(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    pilosa.ensure_index("gen-i", FIELDS)
    pilosa.import_batch("gen-i", within(bits(1, 0, 5), 1))
    other = own(pilosa_server)
    other.drop_generation("gen-i", 1)
    pilosa.import_batch("gen-i", within(bits(2, 5, 5), 1))  # believes that it is there
    assert count(pilosa, "gen-i") == count(other, "gen-i") == 5
    other.close()


# Going


def test_batches_are_hidden_where_they_are(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    pilosa.ensure_index("gen-j", FIELDS)
    ranges = [BatchRange(number, 5 * number, 5, number) for number in range(4)]
    for one in ranges:
        pilosa.import_batch("gen-j", within(bits(one.batch, one.first_column, 5, proto=[(one.batch + 1, 0)]), one.generation))
    pilosa.hide_batches("gen-j", [replace(ranges[2], generation=1)])  # not there
    assert count(pilosa, "gen-j") == 20
    pilosa.hide_batches("gen-j", [ranges[0], ranges[2]])
    assert count(pilosa, "gen-j") == 10
    assert [pair.id for pair in pilosa.query("gen-j", [of("TopN", live(), field="proto")])[0].pairs] == [2, 4]  # type: ignore[union-attr]
    for _ in range(2):
        pilosa.clear_batches("gen-j", [ranges[0], ranges[2]])
        assert count(pilosa, "gen-j") == 10
    other = own(pilosa_server)
    for generation in (1, 2, 3):
        other.drop_generation("gen-j", generation)
        other.drop_generation("gen-j", generation)
    pilosa.hide_batches("gen-j", ranges)  # believes that they are there
    pilosa.clear_batches("gen-j", ranges)
    assert count(pilosa, "gen-j") == 0
    other.drop_generation("gen-no-such", 1)
    assert other.generations("gen-no-such") == []
    other.close()


def test_the_generations_of_a_dropped_index_do_not_come_back(pilosa: PilosaBackend) -> None:
    pilosa.ensure_index("gen-k", FIELDS)
    for generation in range(3):
        pilosa.import_batch("gen-k", within(bits(generation, 5 * generation, 5, proto=[(6, 0)]), generation))
    pilosa.drop_index("gen-k")
    assert pilosa.generations("gen-k") == []
    pilosa.ensure_index("gen-k", FIELDS)
    assert count(pilosa, "gen-k") == 0
    pilosa.import_batch("gen-k", within(bits(1, 0, 5, proto=[(7, 0)]), 1))
    assert pilosa.query("gen-k", [of("Rows", field="proto")])[0].ids == [7]  # type: ignore[union-attr]
    assert pilosa.rows_of_columns("gen-k", "proto", np.arange(9, dtype=np.uint64))[1].tolist() == [7]


def test_questions_while_generations_come_and_go(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    """What stays is answered in full by every question, and none fails."""
    pilosa.ensure_index("gen-l", FIELDS)
    pilosa.import_batch("gen-l", bits(1, 0, 100, proto=[(1, c) for c in range(100)], length={0: 5}))
    pilosa.import_batch("gen-l", within(bits(2, 100, 100, proto=[(1, c) for c in range(100)], length={0: 5}), 1))
    done, wrong = threading.Event(), []
    asked = [0]

    def reader() -> None:
        mine = own(pilosa_server)
        calls = [
            of("Count", of("Intersect", row("proto", 1), live())),
            of("TopN", live(), field="proto", n=1),
            of("Sum", live(), field="length"),
            of("GroupBy", of("Rows", field="proto", limit=1), filter=live()),
        ]
        while not done.is_set():
            try:
                stays, top, total, groups = mine.query("gen-l", calls)
                found = stays.count, top.pairs[0].count, total.value, groups.groups[0].count  # type: ignore[union-attr]
                if found != (200, 200, 10, 200):
                    raise AssertionError(found)
                column, _ = mine.rows_of_columns("gen-l", "proto", np.arange(95, 105, dtype=np.uint64))
                if column.tolist() != list(range(95, 105)):
                    raise AssertionError(column)
            except Exception as error:
                wrong.append(error)
                return
            asked[0] += 1
        mine.close()

    threads = [threading.Thread(target=reader) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(2, 22):
        columns = range(2000)
        pilosa.import_batch("gen-l", within(bits(turn, 2000 * turn, 2000, proto=[(c % 50 + 2, c) for c in columns]), turn))
        pilosa.hide_batches("gen-l", [BatchRange(turn, 2000 * turn, 2000, turn)])
        pilosa.drop_generation("gen-l", turn)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert asked[0] > 20
    assert pilosa.generations("gen-l") == [1]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_ring_that_turns_takes_no_more_room(tmp_path: Path) -> None:
    """Three generations are kept of twenty-three: bytes on the disk, schema, and answers before and after a restart."""
    server = start_pilosa(tmp_path)
    pilosa = own(server)
    pilosa.ensure_index("net", FIELDS)
    pilosa.import_batch("net", bits(1, 0, 10, proto=[(1, 0)]))
    rng = np.random.default_rng(3)
    sizes, kept = [], []
    for generation in range(1, 24):
        first = generation * SHARD_WIDTH - 3000  # each shares shards with its neighbours
        batch = random_batch(rng, generation, first, 6000)
        marked = SetOf(batch, 1000 + generation)
        pilosa.import_batch("net", within(marked, generation))
        kept.append(BatchRange(generation, first, 6000, generation))
        if len(kept) > 3:
            gone = kept.pop(0)
            pilosa.hide_batches("net", [gone])
            pilosa.clear_batches("net", [gone])
            pilosa.drop_generation("net", gone.generation)
        sizes.append(_size(tmp_path / "data"))
    assert pilosa.generations("net") == [21, 22, 23]
    assert list(pilosa.indexes()) == ["net"]
    assert len(json.loads(_get(pilosa, "/schema"))["indexes"]) == 4
    assert max(sizes[4:]) < 1.05 * sizes[4], sizes
    calls = [
        of("TopN", live(), field="host"),
        of("Rows", field="host", previous=500),
        of("Rows", field="proto"),
        of("Sum", live(), field="length"),
        of("Count", live()),
        of("GroupBy", of("Rows", field="proto"), of("Rows", field="host"), filter=live()),
    ]
    before = [plain(one) for one in pilosa.query("net", calls)]
    assert before[1] == ([1021, 1022, 1023], "host")
    assert [pair for pair in before[0][0] if pair[0] >= 1000] == [(1021, 1), (1022, 1), (1023, 1)]
    assert before[4].count == 3 * 6000 + 10
    pilosa.close()
    server.stop()
    server = start_pilosa(tmp_path, server.port)
    again = own(server)
    assert [plain(one) for one in again.query("net", calls)] == before
    assert again.generations("net") == [21, 22, 23]
    for gone in kept:
        again.drop_generation("net", gone.generation)
    assert [plain(one) for one in again.query("net", calls[:2])] == [([], "host", True), ([], "host")]
    again.close()
    server.stop()


def SetOf(batch: BatchBits, host: int) -> BatchBits:
    """The batch with one more host, at its first column."""
    had = batch.fields["host"]
    rows, columns = np.append(had.row, np.uint64(host)), np.append(had.column, np.uint64(batch.first_column))  # type: ignore[union-attr]
    return replace(batch, fields={**batch.fields, "host": type(had)(rows, columns)})
