"""TopN, Rows, GroupBy, MinRow, MaxRow: which rows there are and how often, exactly, in one order."""

from __future__ import annotations

import numpy as np
import pytest

from indexing.backends.base import SHARD_WIDTH, BatchBits, SetBits
from tests.indexing.backends.conftest import Bench, bits, compare, of, row
from tests.indexing.masking import live


def test_topn_orders_by_count_and_equal_counts_by_row(filled: Bench) -> None:
    assert filled.pairs(field="host") == filled.naive.topn("host", filled.naive.exists)


@pytest.mark.parametrize("n", [1, 2, 10, 10_000])
def test_topn_cuts_exactly(filled: Bench, n: int) -> None:
    assert filled.pairs(field="host", n=n) == filled.naive.topn("host", filled.naive.exists, n)


def test_topn_under_a_filter(filled: Bench) -> None:
    for under in (row("proto", 2), compare("length", ">", 1000), of("Not", row("proto", 1)), row("proto", 99)):
        assert filled.pairs(under, field="host", n=7) == filled.naive.topn("host", filled.naive.columns(under), 7)


def test_a_row_that_leads_in_no_shard_can_still_lead_in_sum(bench: Bench) -> None:
    """Pilosa takes n per shard first: it would miss row 9, second in all three shards."""
    for shard in range(3):
        leader = [(shard, c) for c in range(10)]
        bench.add(bits(shard + 1, shard * SHARD_WIDTH, 30, proto=[*leader, *((9, c) for c in range(10, 19))]))
    assert bench.pairs(field="proto", n=1) == [(9, 27)]


def test_threshold_is_of_the_whole_count(filled: Bench) -> None:
    everything = filled.naive.topn("host", filled.naive.exists)
    least = everything[5][1]
    assert filled.pairs(field="host", threshold=least) == [pair for pair in everything if pair[1] >= least]


def test_ids_choose_rows_and_n_is_not_applied(filled: Bench) -> None:
    ids = [1, 2, 3, 499, 100_000, 1 << 50]
    assert filled.pairs(field="host", ids=ids, n=1) == filled.naive.topn("host", filled.naive.exists, ids=ids)
    assert filled.pairs(field="host", ids=[1 << 50]) == []
    assert filled.pairs(field="host", ids=[], n=2) == filled.naive.topn("host", filled.naive.exists, 2)


def test_topn_of_no_field_is_empty(filled: Bench) -> None:
    assert filled.ask(of("TopN")).pairs == []


def test_small_fields_are_exact(filled: Bench) -> None:
    assert filled.under("TopN", field="host", n=3).exact is True


def test_rows_ascending_with_previous_and_limit(filled: Bench) -> None:
    every = sorted(filled.naive.rows["host"])
    assert filled.ask(of("Rows", field="host")).ids == every
    assert filled.ask(of("Rows", field="host", limit=3)).ids == every[:3]
    assert filled.ask(of("Rows", field="host", limit=0)).ids == []
    assert filled.ask(of("Rows", field="host", previous=every[4], limit=2)).ids == every[5:7]
    assert filled.ask(of("Rows", field="host", previous=every[-1])).ids == []
    assert filled.ask(of("Rows", field="host", previous=(1 << 64) - 1)).ids == []
    assert filled.ask(of("Rows", field="length")).ids == []


def test_rows_of_one_column(filled: Bench) -> None:
    for column in (0, 299, SHARD_WIDTH - 1, SHARD_WIDTH, 5 * SHARD_WIDTH + 7, 2 * SHARD_WIDTH, 77 * SHARD_WIDTH):
        held = sorted(r for r, columns in filled.naive.rows["host"].items() if column in columns)
        assert filled.ask(of("Rows", field="host", column=column)).ids == held


def test_extreme_rows(filled: Bench) -> None:
    under = row("host", 7)
    counts = dict(filled.naive.topn("proto", filled.naive.columns(under)))
    for name, pick in [("MinRow", min), ("MaxRow", max)]:
        (pair,) = filled.under(name, under, field="proto").pairs
        assert (pair.id, pair.count) == (pick(counts), counts[pick(counts)])
        (pair,) = filled.ask(of(name, field="host")).pairs
        assert (pair.id, pair.count) == (pick(filled.naive.rows["host"]), 1)
        (pair,) = filled.under(name, row("host", 99_999), field="proto").pairs
        assert (pair.id, pair.count) == (0, 0)


def _groups(answer) -> list[tuple[tuple[int, ...], int]]:
    return [(tuple(part[1] for part in group.group), group.count) for group in answer.groups]


def test_group_by_counts_every_combination(filled: Bench) -> None:
    rows = [of("Rows", field="proto"), of("Rows", field="host")]
    answer = filled.ask(of("GroupBy", *rows))
    assert _groups(answer) == filled.naive.groups(["proto", "host"], filled.naive.exists)
    assert [part[0] for part in answer.groups[0].group] == ["proto", "host"]
    under = compare("length", "==", 1500)
    want = filled.naive.groups(["proto", "host"], filled.naive.columns(under))
    assert _groups(filled.ask(of("GroupBy", *rows, filter=under))) == want
    assert _groups(filled.ask(of("GroupBy", *rows, filter=filled.masked(under), limit=5))) == want[:5]
    assert _groups(filled.ask(of("GroupBy", *rows, filter=under, limit=7, offset=2))) == want[2:7]  # limit first, as in Pilosa


def test_group_by_children_choose_rows_and_go_on_after_a_group(filled: Bench) -> None:
    every = filled.naive.groups(["proto", "host"], filled.naive.exists)
    host = of("Rows", field="host")
    two = filled.ask(of("GroupBy", of("Rows", field="proto", limit=2), host))
    assert _groups(two) == [group for group in every if group[0][0] < 3]
    held = sorted(r for r, columns in filled.naive.rows["host"].items() if 17 in columns)
    one = filled.ask(of("GroupBy", of("Rows", field="proto"), of("Rows", field="host", column=17)))
    assert _groups(one) == [group for group in every if group[0][1] in held]
    for at in (0, 14, 200, len(every) - 1):
        proto, last = every[at][0]
        after = of("GroupBy", of("Rows", field="proto", previous=proto), of("Rows", field="host", previous=last))
        assert _groups(filled.ask(after)) == every[at + 1 :]


def test_shift_moves_columns_within_a_shard(filled: Bench) -> None:
    below = {c for c in filled.naive.rows["proto"][2] if c % SHARD_WIDTH < SHARD_WIDTH - 600}
    inside = of("Intersect", row("proto", 2), of("Union", *(row("proto", r) for r in range(9))))
    answer = filled.ask(of("Shift", inside, n=3), shards=[5])
    assert answer.columns.tolist() == sorted(c + 3 for c in below if c // SHARD_WIDTH == 5)
    assert filled.ask(of("Shift", inside), shards=[5]).columns.tolist() == sorted(c for c in below if c // SHARD_WIDTH == 5)


def test_options_leave_columns_out_and_choose_shards(filled: Bench) -> None:
    assert filled.ask(of("Options", row("proto", 1), excludeColumns=True)).columns.size == 0
    counted = filled.ask(of("Options", of("Count", row("proto", 1)), shards=[5]))
    assert counted.count == len([c for c in filled.naive.rows["proto"][1] if c // SHARD_WIDTH == 5])


def test_a_field_of_a_hundred_thousand_rows(bench: Bench) -> None:
    rng = np.random.default_rng(7)
    column = np.arange(200_000, dtype=np.uint64)
    rows = rng.integers(0, 100_000, column.size).astype(np.uint64)
    bench.backend.import_batch(
        bench.index, BatchBits(1, 0, column.size, {"host": SetBits(rows, column), "proto": SetBits(rows % 7, column)})
    )
    counts = np.bincount(rows.astype(np.int64))
    order = np.lexsort((np.arange(counts.size), -counts))[:50]
    assert bench.pairs(field="host", n=50) == [(int(r), int(counts[r])) for r in order]
    counts = np.bincount(rows[rows % 7 == 3].astype(np.int64))
    order = np.lexsort((np.arange(counts.size), -counts))[:50]
    assert bench.pairs(row("proto", 3), field="host", n=50) == [(int(r), int(counts[r])) for r in order]
    some = of("Union", *(row("host", r) for r in range(0, 20_000, 2)))
    assert bench.count(some) == np.count_nonzero((rows < 20_000) & (rows % 2 == 0))
    assert bench.ask(of("Count", live())).count == 200_000


def test_a_column_is_looked_up_whatever_shards_are_chosen(filled: Bench) -> None:
    column = 5 * SHARD_WIDTH + 9
    of_it = sorted(number for number, columns in filled.naive.rows["proto"].items() if column in columns)
    assert of_it
    rows = of("Rows", field="proto", column=column)
    assert filled.ask(of("Options", rows, shards=[0])).ids == of_it
    groups = filled.ask(
        of("Options", of("GroupBy", rows, filter=filled.masked(of("Union", row("proto", of_it[0])))), shards=[0])
    ).groups
    in_first = {c for c in filled.naive.rows["proto"][of_it[0]] if c < SHARD_WIDTH}
    assert [(one.group[0][1], one.count) for one in groups] == [(of_it[0], len(in_first))]


def test_a_shift_of_a_shift_has_a_carry_of_its_own(filled: Bench) -> None:
    """Columns that one moves over a shard's end are not the other's."""
    if filled.backend.masked:
        pytest.skip("Pilosa's own Shift: see docs/query-language.md")
    exists = filled.naive.exists
    moved = {column + 3 for column in filled.naive.rows["proto"][99]}
    assert filled.columns(of("Shift", of("Not", of("Shift", row("proto", 99), n=3)), n=2)) == sorted(
        c + 2 for c in exists - moved
    )
    some = {column + 700 for column in filled.naive.rows["proto"][2]}
    call = of("Shift", of("Union", of("Shift", row("proto", 2), n=700), row("proto", 1)), n=400)
    assert filled.columns(call) == sorted(c + 400 for c in some | filled.naive.rows["proto"][1])
