"""What PQL wrote beside the blobs: whatever comes, goes, is retried, merged or compacted, answers are those of Python sets."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import lmdb
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from indexing.backends import embedded_overlay
from indexing.backends.base import SHARD_WIDTH, BackendError, BatchBits, BatchRange
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.embedded_keys import CHANGED
from indexing.backends.embedded_overlay import IntOverlay, SetOverlay
from indexing.backends.embedded_snapshot import Snapshot
from indexing.calls import BoolResult, Call
from tests.indexing.backends.conftest import FIELDS, Bench, bits, compare, of, random_batch, row
from tests.indexing.backends.test_segments import check_answers, end_of, fill_holes, many, merge_some, settle
from tests.indexing.backends.test_writes import clear, clear_row, set_, store
from tests.indexing.masking import live

INDEX = "net"
KEEP = [Phase.generate]  # shrinking takes minutes; what is generated is short already


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    backend = EmbeddedBackend(tmp_path / "index")
    backend.ensure_index(INDEX, FIELDS)
    yield Bench(backend, INDEX)
    backend.close()


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["import", "compact", "settle", "delete", "retry", "merge", *["write"] * 6]),
        st.integers(0, 1 << 30),
    ),
    min_size=3,
    max_size=16,
)


@seed(20240202)
@settings(max_examples=35, deadline=None, database=None, phases=KEEP, suppress_health_check=list(HealthCheck))
@given(first=st.sampled_from([0, 65536 - 30, SHARD_WIDTH - 40, 2 * SHARD_WIDTH - 9]), operations=OPERATIONS)
def test_whatever_is_written_answers_are_those_of_python_sets(tmp_path_factory, first: int, operations) -> None:
    backend = EmbeddedBackend(tmp_path_factory.getbasetemp() / "overlay-property")
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
            elif operation in ("delete", "retry") and batches:
                some_go(bench, batches, rng, operation == "retry")
            elif operation == "merge" and batches:
                merge_some(bench, batches, rng)
            elif operation == "write":
                write_some(bench, rng, first)
        check_all(bench, batches)
        settle(bench)
        check_all(bench, batches)
        bench.hide(*(range_of(one) for one in batches.values()))
        check_all(bench, {})
        assert backend.written_columns(INDEX).tolist() == sorted(bench.naive.exists)
    finally:
        backend.drop_index(INDEX)
        with backend._opened().read() as snapshot:
            left = [key for key, _ in snapshot._walk(snapshot._overlay, b"")]
        assert left == [CHANGED]  # the transaction of the drop itself
        backend.close()


def range_of(one: BatchBits) -> BatchRange:
    return BatchRange(one.batch, one.first_column, one.count)


def some_go(bench: Bench, batches: dict[int, BatchBits], rng: np.random.Generator, again: bool) -> None:
    """Some batches are deleted, or come again with other bits and perhaps fewer columns."""
    chosen = rng.choice(sorted(batches), min(len(batches), int(rng.integers(1, 6))), replace=False).tolist()
    old = [batches.pop(number) for number in chosen]
    if not again:
        bench.hide(*(range_of(one) for one in old))
        return
    for one in old:
        bench.naive.remove(one.first_column, one.count)
        batches[one.batch] = random_batch(rng, one.batch, one.first_column, int(rng.integers(1, one.count + 1)))
        bench.add(batches[one.batch])


def write_some(bench: Bench, rng: np.random.Generator, first: int) -> None:
    """One request of several writes, to columns of batches, beside them and far away; each returns what it is to return."""
    naive, calls, want = bench.naive, [], []
    for _ in range(int(rng.integers(1, 6))):
        column = int(first + rng.integers(-5, 90)) if rng.random() < 0.9 else 5 * SHARD_WIDTH + int(rng.integers(0, 3))
        column = max(0, column)
        field, number = ("proto", int(rng.integers(1, 5))) if rng.random() < 0.6 else ("host", int(rng.integers(0, 6)))
        kind = rng.choice(["set", "set", "int", "int", "clear", "clear", "held", "clear row", "store"])
        if kind == "set":
            calls.append(set_(column, field, number))
            want.append(naive.set_bit(column, field, number))
        elif kind == "int":
            name, value = (
                ("length", int(rng.choice([0, 40, 60, 70000]))) if rng.random() < 0.5 else ("delta", int(rng.integers(-3, 3)))
            )
            calls.append(set_(column, name, value))
            want.append(naive.set_value(column, name, value))
        elif kind == "clear row":
            calls.append(clear_row(field, number))
            want.append(naive.store_row(set(), field, number))
        elif kind == "store":
            source = sources(rng, number)
            calls.append(store(source, field, number + 1))
            naive.store_row(naive.columns(source), field, number + 1)
            want.append(True)
        else:
            held = sorted(naive.rows[field][number])
            column = int(rng.choice(held)) if kind == "held" and held else column
            calls.append(clear(column, field, number))
            want.append(naive.clear_bit(column, field, number))
    assert bench.backend.query(INDEX, calls) == [BoolResult(one) for one in want]


def sources(rng: np.random.Generator, number: int) -> Call:
    choices = [
        row("proto", number),
        of("Not", row("host", number)),
        compare("length", ">", 40),
        of("Xor", row("proto", 1), row("host", 1)),
    ]
    return choices[int(rng.integers(0, len(choices)))]


def check_all(bench: Bench, batches: dict[int, BatchBits]) -> None:
    """As segments are checked, and what reads single columns and rows."""
    check_answers(bench, batches)
    naive = bench.naive
    backend = bench.backend
    shards = {column // SHARD_WIDTH for column in naive.exists}
    with backend._opened().read() as snapshot:  # type: ignore[attr-defined]
        assert set(snapshot.shards(INDEX)) >= shards
    for column in sorted(naive.exists)[::7]:
        rows = sorted(number for number, columns in naive.rows["host"].items() if column in columns)
        assert bench.ask(of("Rows", field="host", column=column)).ids == rows
    for shard in shards:
        inside = {column for column in naive.rows["proto"][1] if column // SHARD_WIDTH == shard}
        assert bench.ask(of("Count", row("proto", 1)), shards=[shard]).count == len(inside)
    for number in (1, 2):
        for call in (
            row("proto", number),
            of("Intersect", row("proto", number), row("host", 1)),
            of("Union", row("host", 1), row("host", 2)),
        ):
            assert bench.columns(call) == sorted(naive.columns(call))
    answer = bench.ask(of("GroupBy", of("Rows", field="host"), of("Rows", field="proto"), of("Rows", field="access")))
    groups = [(tuple(part[1] for part in group.group), group.count) for group in answer.groups]
    assert groups == naive.groups(["host", "proto", "access"], naive.exists)
    held = sorted(number for number, columns in naive.rows["host"].items() if columns)
    pair = bench.ask(of("MaxRow", field="host")).pairs[0]
    assert pair.id == (held[-1] if held else 0)
    own = {column for one in batches.values() for column in range(one.first_column, end_of(one))}
    assert backend.written_columns(INDEX).tolist() == sorted(naive.exists - own)  # type: ignore[attr-defined]


@pytest.mark.parametrize("columns", [(0, 65535, 65536, SHARD_WIDTH - 1, SHARD_WIDTH, 2 * SHARD_WIDTH + 5)])
def test_a_large_batch_under_writes_at_the_edges(bench: Bench, columns: tuple[int, ...]) -> None:
    """Rows of every kind of container, of which single bits go and come."""
    rng = np.random.default_rng(5)
    bench.add(random_batch(rng, 1, 65000, 3000))
    bench.add(random_batch(rng, 2, SHARD_WIDTH - 3000, 6000))
    for column in columns:
        for number in (1, 2):
            assert bench.backend.query(INDEX, [clear(column, "proto", number)]) == [
                BoolResult(bench.naive.clear_bit(column, "proto", number))
            ]
        assert bench.backend.query(INDEX, [set_(column, "proto", 3)]) == [BoolResult(bench.naive.set_bit(column, "proto", 3))]
        assert bench.backend.query(INDEX, [set_(column, "length", 60)]) == [
            BoolResult(bench.naive.set_value(column, "length", 60))
        ]
    source = of("Xor", row("proto", 1), row("host", 1))
    bench.backend.query(INDEX, [store(source, "host", 2), clear_row("proto", 4)])
    bench.naive.store_row(bench.naive.columns(source), "host", 2)
    bench.naive.store_row(set(), "proto", 4)
    naive = bench.naive
    for field in ("proto", "host"):
        assert bench.pairs(field=field) == naive.topn(field, naive.exists)
        assert bench.pairs(source, field=field) == naive.topn(field, naive.columns(source))
    answer = bench.under("Sum", source, field="length")
    assert (answer.value, answer.count) == naive.sum("length", naive.columns(source))
    for call in (row("host", 2), of("Union", row("proto", 1), row("proto", 4)), compare("length", "==", 60), live()):
        assert bench.columns(call) == sorted(naive.columns(call))
    for fields in (["proto", "host"], ["host", "proto"]):
        answer = bench.ask(of("GroupBy", *(of("Rows", field=field) for field in fields)))
        assert [(tuple(p[1] for p in g.group), g.count) for g in answer.groups] == naive.groups(fields, naive.exists)


def test_writes_over_a_segment_of_which_some_is_gone(bench: Bench) -> None:
    """Columns that went with their batch stay gone, whatever is written to those beside them."""
    batches = many(bench, 40)
    settle(bench)
    for number in (3, 7, 20):
        bench.hide(range_of(batches.pop(number)))
    for column in (0, 9, 15, 16, 29, 36, 100):  # 10 to 14, 30 to 34 and 95 to 99 are gone
        for number in (1, 2):
            assert bench.backend.query(INDEX, [clear(column, "proto", number)]) == [
                BoolResult(bench.naive.clear_bit(column, "proto", number))
            ]
        for field, value in (("length", 40), ("delta", 69)):
            assert bench.backend.query(INDEX, [set_(column, field, value)]) == [
                BoolResult(bench.naive.set_value(column, field, value))
            ]
    with bench.backend._opened().read() as snapshot:  # type: ignore[attr-defined]
        assert snapshot.gone(INDEX, 0)
    check_all(bench, batches)


def test_bits_that_come_and_go_again_and_again(bench: Bench) -> None:
    """Of a column of a batch, with and without the bit, and of one beside it."""
    bench.backend.import_batch(INDEX, bits(1, 0, 2, proto=[(1, 0)]))
    for column, held in ((0, True), (1, False), (2, False)):
        for _ in range(3):
            done = [(clear, False), (set_, True)] if held else [(set_, True), (clear, False)]
            for change, there in done:
                assert bench.backend.query(INDEX, [change(column, "proto", 1)]) == [BoolResult(True)]
                assert (column in bench.columns(row("proto", 1))) == there
        with bench.backend._opened().read() as snapshot:  # type: ignore[attr-defined]
            assert snapshot.overlay(INDEX, "proto", 0) is None, "all is as the blob has it"
    for _ in range(2):
        bench.backend.query(INDEX, [store(live(), "proto", 1)])
        assert bench.columns(row("proto", 1)) == [0, 1, 2]
        bench.backend.query(INDEX, [clear_row("proto", 1)])
        assert bench.columns(row("proto", 1)) == []


def test_what_goes_with_a_batch(bench: Bench) -> None:
    """Bits added, bits removed, ints and existence of its columns; those beside it stay."""
    backend = bench.backend
    batch = bits(1, 10, 4, proto=[(1, 0), (1, 1), (1, 2), (1, 3)], length={0: 5})
    backend.query(
        INDEX, [set_(column, "proto", 9) for column in (9, 10, 13, 14)] + [set_(10, "length", 7), set_(14, "length", 8)]
    )
    assert bench.columns(live()) == [9, 10, 13, 14]
    backend.import_batch(INDEX, batch)
    assert bench.columns(row("proto", 9)) == [9, 14]
    assert bench.columns(live()) == [9, 10, 11, 12, 13, 14]
    assert bench.under("Sum", field="length").value == 13
    backend.query(INDEX, [clear_row("proto", 1), set_(11, "proto", 9), set_(9, "proto", 1), set_(10, "length", 6)])
    backend.import_batch(INDEX, batch)
    assert bench.columns(row("proto", 1)) == [9, 10, 11, 12, 13]
    assert bench.columns(row("proto", 9)) == [9, 14]
    backend.query(INDEX, [clear_row("proto", 1), set_(11, "proto", 9), set_(10, "length", 6)])
    backend.hide_batches(INDEX, [BatchRange(1, 10, 4)])
    backend.clear_batches(INDEX, [BatchRange(1, 10, 4)])
    assert bench.columns(live()) == bench.columns(row("proto", 9)) == [9, 14]
    assert bench.under("Sum", field="length").value == 8
    # What is written where a batch was is of no batch, and stays when it is deleted once more
    backend.query(INDEX, [set_(11, "proto", 9)])
    backend.hide_batches(INDEX, [BatchRange(1, 10, 4)])
    assert bench.columns(row("proto", 9)) == [9, 11, 14]
    assert backend.batches(INDEX) == []  # type: ignore[attr-defined]


def test_a_shorter_retry_forgets_what_was_written_to_all_its_columns(bench: Bench) -> None:
    bench.backend.import_batch(INDEX, bits(1, 0, 4, proto=[(1, 3)]))
    bench.backend.query(INDEX, [clear(3, "proto", 1), set_(3, "proto", 2)])
    bench.backend.import_batch(INDEX, bits(1, 0, 2, proto=[(1, 0)]))
    assert bench.columns(of("Union", row("proto", 1), row("proto", 2))) == [0]
    with bench.backend._opened().read() as snapshot:  # type: ignore[attr-defined]
        assert not snapshot.overlaid(INDEX)


def test_another_index_has_an_overlay_of_its_own(bench: Bench) -> None:
    other = INDEX + "2"
    bench.backend.ensure_index(other, FIELDS)
    bench.backend.query(INDEX, [set_(1, "proto", 1)])
    bench.backend.query(other, [set_(2, "proto", 1)])
    bench.backend.drop_index(other)
    bench.backend.ensure_index(other, FIELDS)
    assert bench.columns(row("proto", 1)) == [1]
    assert bench.backend.query(other, [of("Count", live())])[0].count == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["a bit", "cut", "empty", "kind"])
@pytest.mark.parametrize(("field", "value", "ask"), [("proto", 1, row("proto", 1)), ("length", 5, of("Sum", field="length"))])
def test_damage_is_named(tmp_path: Path, how: str, field: str, value: int, ask: Call) -> None:
    backend = EmbeddedBackend(tmp_path / "index")
    backend.ensure_index(INDEX, FIELDS)
    backend.query(INDEX, [set_(SHARD_WIDTH + 1, field, value)])
    backend.close()
    with lmdb.open(str(tmp_path / "index"), map_size=1 << 40, max_dbs=4) as env:
        table = env.open_db(b"overlay")
        with env.begin(write=True) as change:
            (key,) = [key for key, _ in change.cursor(db=table) if key.endswith(field.encode())]
            whole = change.get(key, db=table)
            other = (
                SetOverlay(np.array([1], np.uint64), np.zeros(0, np.uint64))
                if field == "length"
                else IntOverlay(np.array([1]), np.array([1]))
            )
            broken = {"a bit": whole[:-1] + bytes([whole[-1] ^ 1]), "cut": whole[:-1], "empty": b"", "kind": other.packed()}
            change.put(key, broken[how], db=table)
    words = f"what PQL wrote to field {field} of index {INDEX} in shard 1 is damaged"
    with pytest.raises(BackendError, match=words):
        backend.query(INDEX, [ask])
    with pytest.raises(BackendError, match=words):
        backend.query(INDEX, [set_(SHARD_WIDTH + 1, field, value + 1)])
    assert backend.query(INDEX, [of("Count", live())])[0].count == 1  # type: ignore[union-attr]
    backend.drop_index(INDEX)
    backend.close()


@pytest.mark.parametrize("position", range(60))
def test_no_byte_of_an_overlay_can_be_another(position: int) -> None:
    for overlay in (
        SetOverlay(np.array([5, 1 << 21], np.uint64), np.array([6], np.uint64)),
        IntOverlay(np.array([4, 9]), np.array([-3, 70000])),
    ):
        packed = bytearray(overlay.packed())
        packed[position % len(packed)] ^= 0x10
        with pytest.raises(ValueError, match=r"checksum|begins with"):
            embedded_overlay.unpack(bytes(packed))


def test_packing() -> None:
    overlay = SetOverlay(np.array([5, 1 << 21], np.uint64), np.array([6], np.uint64))
    back = embedded_overlay.unpack(overlay.packed())
    assert isinstance(back, SetOverlay)
    assert (back.added.tolist(), back.removed.tolist()) == ([5, 1 << 21], [6])
    assert [embedded_overlay.touches(overlay.packed(), [span]) for span in ((0, 0), (7, 9), (6, 9), (0, 3))] == [
        True,
        False,
        True,
        True,
    ]


def test_where_nothing_was_written_one_look_is_all_that_it_costs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    for number, first in enumerate((0, SHARD_WIDTH - 20, 3 * SHARD_WIDTH), 1):
        bench.add(random_batch(rng, number, first, 40))
    looks: list[str] = []
    shards_of, overlay = Snapshot._shards_of_overlay, Snapshot.overlay

    def counted(snapshot: Snapshot, index: str) -> Iterator[int]:
        looks.append("index")
        return shards_of(snapshot, index)

    def got(snapshot: Snapshot, index: str, field: str, shard: int) -> memoryview | None:
        if shard in snapshot.overlaid(index):
            looks.append(field)
        return overlay(snapshot, index, field, shard)

    monkeypatch.setattr(Snapshot, "_shards_of_overlay", counted)
    monkeypatch.setattr(Snapshot, "overlay", got)
    calls = [
        of("TopN", row("proto", 1), field="host"),
        of("Sum", field="length"),
        of("Count", live()),
        of("Options", live(), shards=[0]),
    ]
    bench.backend.query(INDEX, calls)
    assert looks == ["index"]
    bench.backend.query(INDEX, [set_(5, "proto", 3)])
    looks.clear()
    bench.backend.query(INDEX, calls)
    assert sorted(looks) == ["_exists", "host", "index", "length", "proto"], "of one shard alone"


def _set_many(path: Path, start: int, number: int) -> None:
    backend = EmbeddedBackend(path)
    for i in range(number):
        backend.query(INDEX, [set_(start + 2 * i, "proto", 1), set_(start + 2 * i, "length", 1)])
    backend.close()


def test_writers_in_two_processes_lose_nothing(bench: Bench, tmp_path: Path) -> None:
    """Read, change and write are in one transaction; a third process imports batches meanwhile."""
    bench.backend.query(INDEX, [of("Count", live())])
    context = multiprocessing.get_context("fork")
    path = tmp_path / "index"
    writers = [context.Process(target=_set_many, args=(path, start, 60)) for start in (0, 1)]
    for writer in writers:
        writer.start()
    for number in range(20):
        bench.backend.import_batch(INDEX, bits(number + 1, 1000 + number, 1, proto=[(1, 0)]))
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert bench.columns(row("proto", 1)) == [*range(120), *range(1000, 1020)]
    assert bench.under("Sum", field="length").value == 120
