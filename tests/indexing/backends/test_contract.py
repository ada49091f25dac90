"""What every backend owes (indexing.backends.base.Backend), asked of both."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from indexing.backends.base import SHARD_WIDTH, BackendError, BatchRange, FieldSchema
from indexing.calls import Pair, QueryError
from tests.indexing.backends.conftest import FIELDS, Bench, bits, compare, of, row
from tests.indexing.masking import live, rows_as_topn, rows_of_topn


def test_a_set_row_is_the_columns_that_hold_it(bench: Bench) -> None:
    bench.add(bits(1, 0, 10, proto=[(6, 1), (6, 3), (17, 3), (6, 1)]))
    assert bench.columns(row("proto", 6)) == [1, 3]
    assert bench.columns(row("proto", 17)) == [3]
    assert bench.count(row("proto", 6)) == 2


def test_an_unknown_value_and_an_unused_row_are_empty(bench: Bench) -> None:
    bench.add(bits(1, 0, 10, proto=[(6, 1)]))
    assert bench.columns(row("proto", None)) == []
    assert bench.columns(row("proto", 99)) == []
    assert bench.count(of("Union", row("proto", None), row("proto", 6))) == 1


def test_the_greatest_row_id_is_stored(bench: Bench) -> None:
    greatest = (1 << 44) - 2
    bench.add(bits(1, 0, 10, proto=[(greatest, 9), (1_700_000_000, 2)]))
    assert bench.columns(row("proto", greatest)) == [9]
    assert bench.under("TopN", field="proto").pairs == [Pair(1_700_000_000, 1), Pair(greatest, 1)]


def test_existence_is_the_columns_of_the_batches(bench: Bench) -> None:
    bench.add(bits(1, 5, 3, proto=[(6, 0)]))
    bench.add(bits(2, 8, 2))
    assert bench.columns(of("Not", row("proto", 6))) == [6, 7, 8, 9]
    assert bench.columns(of("Not", of("Union"))) == [5, 6, 7, 8, 9]
    assert bench.columns(live()) == [5, 6, 7, 8, 9]


def test_an_index_without_a_batch_answers_nothing(bench: Bench) -> None:
    assert bench.columns(row("proto", 6)) == []
    assert bench.count(of("Not", row("proto", 6))) == 0
    assert bench.pairs(field="proto") == []
    assert bench.ask(of("Rows", field="proto")).ids == []
    for name in ("Sum", "Min", "Max"):
        answer = bench.under(name, field="length")
        assert (answer.value, answer.count) == (0, 0)


@pytest.mark.parametrize("edge", [65536, SHARD_WIDTH, 3 * SHARD_WIDTH])
def test_a_batch_crosses_container_and_shard_boundaries(bench: Bench, edge: int) -> None:
    bench.add(bits(1, edge - 3, 6, proto=[(1, c) for c in range(6)], length={c: c * 10 for c in range(6)}))
    around = list(range(edge - 3, edge + 3))
    assert bench.columns(row("proto", 1)) == around
    assert bench.columns(compare("length", ">=", 20)) == around[2:]
    assert bench.columns(of("Not", row("proto", 2))) == around
    assert bench.under("Sum", field="length").value == 150


def test_a_retry_of_a_batch_gives_the_same_index(bench: Bench) -> None:
    batch = bits(1, SHARD_WIDTH - 2, 4, proto=[(6, 0), (6, 1), (17, 3)], length={0: 5, 3: 7})
    for _ in range(3):
        bench.add(batch)
    assert bench.pairs(field="proto") == [(6, 2), (17, 1)]
    assert bench.count(live()) == 4
    total = bench.under("Sum", field="length")
    assert (total.value, total.count) == (12, 2)


def test_a_retry_after_a_half_done_run_completes_it(bench: Bench) -> None:
    bench.add(bits(1, 0, 6, proto=[(6, 0)]))
    bench.add(bits(1, 0, 6, proto=[(6, 0), (6, 5)], length={0: 9}))
    assert bench.columns(row("proto", 6)) == [0, 5]
    assert bench.columns(compare("length", "==", 9)) == [0]


def test_hidden_batches_are_gone_from_every_answer_at_once(bench: Bench) -> None:
    bench.add(bits(1, 0, 5, proto=[(6, 0), (17, 1)], length={0: 100}))
    bench.add(bits(2, 5, 5, proto=[(6, 0), (58, 1)], length={0: 7}))
    bench.hide(BatchRange(1, 0, 5))
    assert bench.columns(row("proto", 6)) == [5]
    assert bench.columns(of("Not", row("proto", 6))) == [6, 7, 8, 9]
    assert bench.pairs(field="proto") == [(6, 1), (58, 1)]
    assert bench.under("Sum", field="length").value == 7
    assert bench.under("Max", field="length").value == 7
    rows = of("Rows", field="proto")
    assert rows_of_topn(rows, bench.ask(rows_as_topn(rows, live()))).ids == [6, 58]


def test_cleared_batches_leave_no_bit_behind(bench: Bench) -> None:
    many = [(r, c) for r in range(40) for c in range(0, 900, 7)]
    bench.add(bits(4, SHARD_WIDTH - 450, 900, proto=many, length=dict.fromkeys(range(900), 3), delta={1: -5}))
    bench.add(bits(8, SHARD_WIDTH + 450, 10, proto=[(3, 0)], length={0: 1}, delta={2: -7}))
    gone = BatchRange(4, SHARD_WIDTH - 450, 900)
    for _ in range(2):
        bench.hide(gone)
        bench.backend.clear_batches(bench.index, [gone])
    # Without the mask, so that a bit left behind would be seen.
    assert bench.ask(of("Count", row("proto", 3))).count == 1
    assert bench.ask(of("Count", row("proto", 14))).count == 0
    assert bench.ask(of("Count", of("Not", of("Union")))).count == 10
    assert bench.ask(compare("length", "!=", None)).columns.tolist() == [SHARD_WIDTH + 450]
    assert bench.ask(compare("delta", "!=", None)).columns.tolist() == [SHARD_WIDTH + 452]
    assert bench.ask(of("Sum", field="length")).value == 1


def test_columns_of_a_cleared_batch_can_be_used_again(bench: Bench) -> None:
    bench.add(bits(1, 0, 5, proto=[(6, 0)], length={0: 1}))
    bench.hide(BatchRange(1, 0, 5))
    bench.backend.clear_batches(bench.index, [BatchRange(1, 0, 5)])
    bench.add(bits(2, 0, 5, proto=[(17, 0)], length={1: 2}))
    assert bench.pairs(field="proto") == [(17, 1)]
    assert bench.under("Sum", field="length").value == 2


def test_hiding_what_is_not_there_changes_nothing(bench: Bench) -> None:
    bench.add(bits(1, 0, 5, proto=[(6, 0)]))
    bench.backend.hide_batches(bench.index, [BatchRange(7, 100, 5)])
    bench.backend.clear_batches(bench.index, [BatchRange(7, 100, 5)])
    bench.backend.hide_batches(bench.index, [])
    bench.backend.hide_batches("no-such-index", [BatchRange(1, 0, 5)])
    assert bench.columns(row("proto", 6)) == [0]


def test_columns_are_those_asked_for_of_shards_asked_for(filled: Bench) -> None:
    everything = filled.columns(row("proto", 1))
    assert filled.columns(row("proto", 1), shards=[1]) == [c for c in everything if c // SHARD_WIDTH == 1]
    assert filled.columns(row("proto", 1), shards=[0, 5]) == [c for c in everything if c // SHARD_WIDTH in (0, 5)]
    assert filled.columns(row("proto", 1), shards=[77]) == []
    assert filled.columns(row("proto", 1), shards=[]) == []


def test_rows_of_columns_gives_pairs_by_column_and_row(filled: Bench) -> None:
    wanted = [5 * SHARD_WIDTH + 9, 3, SHARD_WIDTH - 1, SHARD_WIDTH, 17, 3, 10_000_000_000]
    column, found = filled.backend.rows_of_columns(filled.index, "host", np.array(wanted, np.uint64))
    rows = filled.naive.rows["host"]
    assert list(zip(column.tolist(), found.tolist(), strict=True)) == sorted(
        (c, r) for c in set(wanted) for r, columns in rows.items() if c in columns
    )
    column, found = filled.backend.rows_of_columns(filled.index, "host", np.zeros(0, np.uint64))
    assert column.size == found.size == 0


def test_numbers_of_columns_gives_those_that_have_one(filled: Bench) -> None:
    every = sorted(filled.naive.values["length"])
    wanted = [*every[::-3], every[0], every[0], 10_000_000_000]
    column, found = filled.backend.numbers_of_columns(filled.index, "length", np.array(wanted, np.uint64))
    assert dict(zip(column.tolist(), found.tolist(), strict=True)) == {
        c: filled.naive.values["length"][c] for c in set(wanted) & set(every)
    }
    assert column.tolist() == sorted(column.tolist()) and found.dtype == np.int64
    for field, columns in (("length", []), ("host", every)):
        column, found = filled.backend.numbers_of_columns(filled.index, field, np.array(columns, np.uint64))
        assert column.size == found.size == 0
    with pytest.raises(QueryError, match="field not found"):
        filled.backend.numbers_of_columns(filled.index, "nothing", np.zeros(1, np.uint64))


def test_several_calls_are_answered_in_order(filled: Bench) -> None:
    under = [live()] if filled.backend.masked else []
    calls = [
        of("Count", row("proto", 1)),
        of("Max", *under, field="length"),
        of("TopN", *under, field="proto", n=1),
        row("proto", 6),
    ]
    count, greatest, top, columns = filled.backend.query(filled.index, calls)
    assert count.count == len(filled.naive.rows["proto"][1])
    assert (greatest.value, greatest.count) == filled.naive.extreme("length", filled.naive.exists, max)
    assert (top.pairs[0].id, top.pairs[0].count) == filled.naive.topn("proto", filled.naive.exists)[0]
    assert columns.columns.tolist() == sorted(filled.naive.rows["proto"][6])
    assert filled.backend.query(filled.index, []) == []


def test_the_schema_is_what_was_made(bench: Bench) -> None:
    found = bench.backend.indexes()[bench.index]
    assert sorted(found, key=lambda f: f.name) == sorted(FIELDS, key=lambda f: f.name)


def test_ensuring_an_index_again_adds_fields_and_keeps_bits(bench: Bench) -> None:
    bench.add(bits(1, 0, 3, proto=[(6, 0)]))
    bench.backend.ensure_index(bench.index, [*FIELDS, FieldSchema("vlan", "set")])
    bench.add(bits(2, 3, 3, vlan=[(100, 0)]))
    assert bench.columns(of("Union", row("proto", 6), row("vlan", 100))) == [0, 3]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (FieldSchema("proto", "int", 0, 5), "proto"),
        (FieldSchema("length", "set"), "length"),
        (FieldSchema("length", "int", 0, 5), "0 to 70000"),
        (FieldSchema("Upper", "set"), "Upper"),
        (FieldSchema("access", "int", 0, 1), None),
        (FieldSchema("odd", "text"), "text"),
        (FieldSchema("odd", "int", 5, 1), "minimum 5"),
    ],
)
def test_a_field_that_exists_otherwise_is_refused_by_name(bench: Bench, wanted: FieldSchema, says: str | None) -> None:
    if says is None:  # the system field is not the caller's to declare: it stays what it is
        bench.backend.ensure_index(bench.index, [wanted])
        assert bench.columns(live()) == []
        return
    with pytest.raises(BackendError, match=says):
        bench.backend.ensure_index(bench.index, [wanted])


def test_a_batch_that_does_not_fit_is_refused_and_nothing_of_it_is_kept(bench: Bench) -> None:
    for wrong, says in [
        (bits(1, 0, 5, nosuch=[(1, 1)]), "no field nosuch"),
        (bits(1, 0, 5, proto=[(1, 5)]), "column 5"),
        (bits(1, 100, 5, proto={1: 1}), "kind set"),
        (bits(1, 0, 5, length={1: 70001}), "70001"),
        (bits(1, 0, 5, delta={1: -1001}), "-1001"),
        (bits(1, 0, 5, proto=[((1 << 44) - 1, 1)]), "row"),
        (bits(1, 0, 0), "0 columns"),
    ]:
        with pytest.raises(BackendError, match=says):
            bench.backend.import_batch(bench.index, wrong)
    assert bench.count(live()) == 0
    with pytest.raises(BackendError, match="no-such-index"):
        bench.backend.import_batch("no-such-index", bits(1, 0, 5))


def test_a_dropped_index_is_unknown_and_can_be_made_anew(bench: Bench) -> None:
    bench.add(bits(1, 0, 5, proto=[(6, 0)], length={1: 1}))
    for _ in range(2):
        bench.backend.drop_index(bench.index)
    assert bench.index not in bench.backend.indexes()
    with pytest.raises(QueryError, match=r"^index not found$"):
        bench.ask(row("proto", 6))
    bench.backend.ensure_index(bench.index, FIELDS)
    assert bench.count(row("proto", 6)) == 0
    assert bench.columns(compare("length", "!=", None)) == []


def test_threads_ask_while_batches_come(bench: Bench) -> None:
    wrong: list[object] = []
    done = threading.Event()

    def reader() -> None:
        while not done.is_set():
            try:
                count, odd = (answer.count for answer in bench.backend.query(bench.index, [counted, counted_odd]))
            except Exception as error:
                wrong.append(error)
                return
            # A batch is there as a whole or not at all. Pilosa answers one call after the other, and batches may come in between.
            if count % 50 or odd % 25 or odd * 2 < count or (odd * 2 > count and not bench.backend.masked):
                wrong.append((count, odd))

    counted = of("Count", bench.masked(of("Not", of("Union"))))
    counted_odd = of("Count", bench.masked(row("proto", 1)))
    threads = [threading.Thread(target=reader) for _ in range(3)]
    for thread in threads:
        thread.start()
    for batch in range(20):
        bench.add(bits(batch + 1, batch * 50, 50, proto=[(c % 2, c) for c in range(50)]))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert bench.count(row("proto", 1)) == 500


def test_status_names_the_backend_and_its_state(backend) -> None:
    status = backend.status()
    assert status["name"] == backend.name
    assert status["state"] == "NORMAL"
    assert status["detail"]
