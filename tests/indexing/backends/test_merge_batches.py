"""Small neighbouring batches become one: no answer changes, and the embedded store is as if it had been one from the start."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.backends.base import SHARD_WIDTH, BackendError, BatchBits, BatchRange, FieldSchema, IntBits, MergeRefused, SetBits
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.embedded_join import join
from indexing.roaring import RoaringError, encode_bits
from tests.indexing.backends.conftest import FIELDS, Bench, bits, compare, of, random_batch, row
from tests.indexing.masking import live

LOW, HIGH = -(1 << 63), (1 << 63) - 1


def cut(whole: BatchBits, at: list[int], first_id: int) -> list[BatchBits]:
    """A batch cut in front of these of its packets."""
    edges = [0, *sorted(set(at)), whole.count]
    return [
        part(whole, first_id + i, whole.first_column + low, whole.first_column + high)
        for i, (low, high) in enumerate(pairwise(edges))
        if low < high
    ]


def part(whole: BatchBits, batch: int, low: int, high: int) -> BatchBits:
    fields: dict[str, SetBits | IntBits] = {}
    for name, some in whole.fields.items():
        inside = (some.column >= np.uint64(low)) & (some.column < np.uint64(high))
        if isinstance(some, SetBits):
            fields[name] = SetBits(some.row[inside], some.column[inside])
        else:
            fields[name] = IntBits(some.column[inside], some.value[inside])
    return BatchBits(batch, low, high - low, fields)


def range_of(some: BatchBits) -> BatchRange:
    return BatchRange(some.batch, some.first_column, some.count)


def contents(backend: EmbeddedBackend, index: str) -> dict[str, list[tuple[bytes, bytes]]]:
    """Every key and blob of the index, without the numbers of the transactions that wrote them."""
    with backend._opened().read() as snapshot:
        prefix = index.encode() + b"\0"
        tables = {"batches": snapshot._batches, "fragments": snapshot._fragments}
        return {
            name: [
                (key.removeprefix(prefix), b"" if key.removeprefix(prefix).startswith(b"_exists\0") else bytes(value))
                for key, value in snapshot._walk(table, prefix)
            ]
            for name, table in tables.items()
        }


def answers(bench: Bench, columns: np.ndarray) -> list[object]:
    """Counts, tops, sums, extremes, cross-tabulations, comparisons and values of columns."""
    found: list[object] = [bench.columns(of("Not", row("proto", 1))), bench.columns(compare("length", ">", 60))]
    found += [bench.pairs(field="proto"), bench.pairs(row("proto", 2), field="host")]
    for name in ("Sum", "Min", "Max"):
        found += [bench.under(name, field="length"), bench.under(name, row("proto", 1), field="length")]
    groups = [of("Rows", field="proto"), of("Rows", field="host")]
    found.append(bench.ask(of("GroupBy", *groups, filter=live()) if bench.backend.masked else of("GroupBy", *groups)))
    for name in ("proto", "host"):
        pair = bench.backend.rows_of_columns(bench.index, name, columns)
        found.append([part.tolist() for part in pair])
    return found


@pytest.fixture
def embedded(tmp_path: Path):
    opened = EmbeddedBackend(tmp_path / "index")
    opened.ensure_index("whole", FIELDS)
    opened.ensure_index("merged", FIELDS)
    yield opened
    opened.close()


@pytest.mark.parametrize("first", [0, 65536 - 700, SHARD_WIDTH - 1000, 3 * SHARD_WIDTH - 65536 - 3])
def test_no_answer_changes(bench: Bench, first: int) -> None:
    rng = np.random.default_rng(first)
    if first:
        bench.add(random_batch(rng, 1, first - 500, 500))
    parts = cut(random_batch(rng, 0, first, 2000), [100, 101, 350, 700, 701, 1000, 1500], 10)
    for some in parts:
        bench.add(some)
    bench.add(random_batch(rng, 30, first + 2000, 400))
    columns = np.arange(max(0, first - 50), first + 2300, dtype=np.uint64)
    before = answers(bench, columns)
    for _ in range(2):
        bench.backend.merge_batches(bench.index, [range_of(some) for some in parts], BatchRange(10, first, 2000))
        assert answers(bench, columns) == before
    assert bench.columns(row("proto", 1)) == sorted(bench.naive.columns(row("proto", 1)))
    bench.hide(BatchRange(10, first, 2000))
    assert bench.columns(of("Not", row("proto", 77))) == sorted(bench.naive.exists)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    first=st.sampled_from([0, 5, 65536 - 40, SHARD_WIDTH - 33, 2 * SHARD_WIDTH - 1]),
    count=st.integers(2, 90),
    data=st.data(),
)
def test_the_store_is_as_if_it_had_been_one_batch_from_the_start(tmp_path_factory, seed, first, count, data):
    """Cut anywhere, merged in any order of neighbours: the same keys, and blobs that are the same byte for byte."""
    backend = EmbeddedBackend(tmp_path_factory.getbasetemp() / "merge-property")
    whole, merged = f"whole-{os.urandom(8).hex()}", f"merged-{os.urandom(8).hex()}"
    try:
        for index in (whole, merged):
            backend.ensure_index(index, FIELDS)
        full = random_batch(np.random.default_rng(seed), 1, first, count)
        if data.draw(st.booleans()):
            del full.fields["host"]
        backend.import_batch(whole, full)
        parts = cut(full, data.draw(st.lists(st.integers(1, count - 1), max_size=8)), 1)
        for some in parts:
            backend.import_batch(merged, some)
        here = [range_of(some) for some in parts]
        while len(here) > 1:
            low = data.draw(st.integers(0, len(here) - 2))
            high = data.draw(st.integers(low + 2, len(here)))
            run = here[low:high]
            into = BatchRange(run[0].batch, run[0].first_column, sum(batch.count for batch in run))
            backend.merge_batches(merged, run, into)
            here[low:high] = [into]
            assert backend.batches(merged) == here
        assert contents(backend, merged) == contents(backend, whole)
    finally:
        backend.drop_index(whole)
        backend.drop_index(merged)
        backend.close()


def test_dense_rows_and_runs_across_containers_and_shards(embedded: EmbeddedBackend) -> None:
    """Containers of every type: arrays, bitmaps, runs."""
    first, count = SHARD_WIDTH - 70_000, 131_072
    columns = np.arange(first, first + count, dtype=np.uint64)
    rng = np.random.default_rng(5)
    half = columns[rng.random(count) < 0.5]
    protos = np.concatenate([np.full(count, 1), np.full(half.size, 2), rng.integers(3, 2000, count)]).astype(np.uint64)
    full = BatchBits(
        1,
        first,
        count,
        {
            "proto": SetBits(protos, np.concatenate([columns, half, columns])),
            "length": IntBits(columns, rng.integers(0, 70_000, count)),
        },
    )
    embedded.import_batch("whole", full)
    parts = cut(full, [int(at) for at in rng.integers(1, count, 16)], 1)
    for some in parts:
        embedded.import_batch("merged", some)
    embedded.merge_batches("merged", [range_of(some) for some in parts], BatchRange(1, first, count))
    assert contents(embedded, "merged") == contents(embedded, "whole")


def test_int_values_of_the_whole_range(tmp_path: Path) -> None:
    backend = EmbeddedBackend(tmp_path / "wide")
    fields = [FieldSchema("value", "int", LOW, HIGH)]
    for index in ("whole", "merged"):
        backend.ensure_index(index, fields)
    full = bits(1, 7, 6, value={0: HIGH, 1: -3, 2: LOW, 3: 0, 5: -1})
    backend.import_batch("whole", full)
    parts = cut(full, [1, 2, 3, 4, 5], 1)
    for some in parts:
        backend.import_batch("merged", some)
    backend.merge_batches("merged", [range_of(some) for some in parts], BatchRange(1, 7, 6))
    assert contents(backend, "merged") == contents(backend, "whole")
    backend.close()


def test_a_merge_that_is_asked_for_again_with_more_batches_takes_up_what_there_is(embedded: EmbeddedBackend) -> None:
    full = random_batch(np.random.default_rng(1), 1, 50, 300)
    embedded.import_batch("whole", full)
    parts = cut(full, [50, 100, 150, 200, 250], 1)
    for some in parts:
        embedded.import_batch("merged", some)
    ranges = [range_of(some) for some in parts]
    embedded.merge_batches("merged", ranges[:3], BatchRange(1, 50, 150))
    embedded.merge_batches("merged", ranges[3:5], BatchRange(4, 200, 100))
    embedded.merge_batches("merged", ranges, BatchRange(1, 50, 300))
    assert contents(embedded, "merged") == contents(embedded, "whole")


def test_what_does_not_make_up_the_whole_is_refused_and_stays_as_it_is(embedded: EmbeddedBackend) -> None:
    parts = [bits(number, 100 * number, 100, proto=[(6, 3)]) for number in range(1, 6)]
    for some in parts:
        embedded.import_batch("merged", some)
    one, two, three, four, _ = ranges = [range_of(some) for some in parts]
    embedded.merge_batches("merged", [one, two, three], BatchRange(1, 100, 300))
    before = contents(embedded, "merged")
    with pytest.raises(MergeRefused, match="batch 1 of .* holds columns 100 to 399: more than columns 300 to 499") as refused:
        embedded.merge_batches("merged", [three, four], BatchRange(3, 300, 200))
    assert refused.value.held == BatchRange(1, 100, 300)
    with pytest.raises(MergeRefused, match="are also those of batch 5") as refused:
        embedded.merge_batches("merged", [one, two, three, four], BatchRange(1, 100, 500))
    assert refused.value.held is None
    with pytest.raises(MergeRefused, match="of columns 0 to 599 of index merged only 500 are in the store"):
        embedded.merge_batches("merged", ranges, BatchRange(1, 0, 600))
    with pytest.raises(MergeRefused, match="only 0"):
        embedded.merge_batches("nowhere", [one, two], BatchRange(1, 100, 200))
    assert contents(embedded, "merged") == before
    assert issubclass(MergeRefused, BackendError)


def test_a_blob_that_is_no_roaring_is_refused() -> None:
    good = encode_bits(np.array([1], np.uint64), np.array([1], np.uint64))
    with pytest.raises(RoaringError, match="unknown roaring magic number"):
        join([(good, None), (b"INT1" + bytes(20), None)])


def _merge_until_killed(path: Path) -> None:
    backend = EmbeddedBackend(path)
    rng = np.random.default_rng(3)
    while True:
        full = random_batch(rng, 1, 0, 2000)
        parts = cut(full, list(range(100, 2000, 100)), 1)
        for some in parts:
            backend.import_batch("merged", some)
        backend.merge_batches("merged", [range_of(some) for some in parts], BatchRange(1, 0, 2000))
        backend.hide_batches("merged", [BatchRange(1, 0, 2000)])


def test_readers_see_the_small_batches_or_the_large_one_and_a_killed_merger_leaves_one_of_them(embedded, tmp_path) -> None:
    embedded.import_batch("whole", bits(1, 0, 1))
    process = multiprocessing.get_context("spawn").Process(target=_merge_until_killed, args=(tmp_path / "index",))
    process.start()
    try:
        seen: set[int] = set()
        until = time.monotonic() + 300
        while not {1, 20} <= seen and time.monotonic() < until:
            if seen <= {0}:
                time.sleep(0.01)  # the other one begins: it needs the core more
            with embedded._opened().read() as snapshot:
                ranges = sorted((batch.first_column, batch.count) for batch in snapshot.batches("merged"))
            edges = 0
            for first, count in ranges:
                assert first == edges
                edges += count
            seen.add(len(ranges))
    finally:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    assert {1, 20} <= seen
    total = embedded.query("merged", [of("Count", of("Not", of("Union")))])[0].count
    assert total % 100 == 0
