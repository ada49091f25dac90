"""A field's bits of a shard in one piece, against Python sets: whatever the containers are, in however many parts they come."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from indexing.backends.embedded_cache_rows import CachedRows
from indexing.backends.embedded_overlay import SetOverlay
from indexing.fragment import Fragment, bitmap_of_columns, columns_of
from indexing.roaring import ARRAY, BITMAP, DESCRIPTOR, HEADER, RUNS, SHARD_WIDTH, RoaringError, encode
from tests.long import examples

Bits = dict[int, set[int]]  # row -> columns
SHAPES = ("none", "few", "array", "bitmap", "run", "runs", "many runs", "short runs", "full")


def shape(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Columns of a container."""
    if kind == "few":
        return rng.choice(65536, 3, replace=False)
    if kind == "array":
        return rng.choice(65536, 3000, replace=False)
    if kind == "bitmap":
        return np.flatnonzero(rng.random(65536) < 0.5)
    if kind == "run":
        return np.arange(100, 60000)
    if kind == "runs":
        return np.flatnonzero(np.arange(65536) % 3000 > 5)
    if kind == "many runs":
        return np.flatnonzero(np.arange(65536) % 100 > 5)
    if kind == "short runs":
        return np.flatnonzero(np.arange(65536) % 200 < 4)
    return np.arange(65536) if kind == "full" else np.zeros(0, np.int64)


def made(choice: list[tuple[int, int, str]], number: int) -> tuple[Bits, np.ndarray]:
    rng = np.random.default_rng(number)
    bits: Bits = {}
    for row, container, kind in choice:
        bits.setdefault(row, set()).update((shape(kind, rng) + (container << 16)).tolist())
    bits = {row: columns for row, columns in bits.items() if columns}
    position = np.array(sorted(row << 20 | column for row, columns in bits.items() for column in columns), np.uint64)
    return bits, position


def parts(position: np.ndarray, cuts: list[int]) -> list[tuple[Fragment, np.ndarray | None]]:
    """The same bits in parts of consecutive columns."""
    column = position & np.uint64(SHARD_WIDTH - 1)
    edges = [0, *sorted(cuts), SHARD_WIDTH]
    pieces = [position[(column >= low) & (column < high)] for low, high in pairwise(edges)]
    return [(Fragment(encode(some)), None) for some in pieces if some.size]


choices = st.lists(st.tuples(st.sampled_from([0, 1, 2, 70000]), st.sampled_from([0, 1, 15]), st.sampled_from(SHAPES)), max_size=5)
cuts = st.lists(st.sampled_from([1, 40, 30000, 65535, 65536, 65537, 100000, SHARD_WIDTH - 1]), max_size=4, unique=True)


@seed(20241124)
@settings(max_examples=examples(60, long=300), deadline=None, database=None)
@given(first=choices, second=choices, its_cuts=cuts, other_cuts=cuts, number=st.integers(0, 9))
def test_counts_columns_and_pairs(first, second, its_cuts, other_cuts, number) -> None:
    bits, position = made(first, number)
    others, other_position = made(second, number + 100)
    rows = CachedRows(parts(position, its_cuts))
    other = CachedRows(parts(other_position, other_cuts))
    assert dict(zip(rows.rows.tolist(), rows.row_counts.tolist(), strict=True)) == {row: len(bits[row]) for row in sorted(bits)}
    assert rows.positions(None).tolist() == position.tolist()
    for row in (0, 1, 2, 3, 70000):
        columns = bits.get(row, set())
        assert rows.count(row) == len(columns)
        out = np.empty(len(columns), np.uint64)
        rows.columns(row, 5 << 20, out)
        assert out.tolist() == [column + (5 << 20) for column in sorted(columns)]
        words = np.zeros(16384, np.uint64)
        assert rows.add_rows(np.array([row], np.uint64), words) == bool(columns)
        assert columns_of(words).tolist() == sorted(columns)
        if columns:
            ids, counts = other.counts(words)
            want = {its: len(columns & held) for its, held in sorted(others.items()) if columns & held}
            assert dict(zip(ids.tolist(), counts.tolist(), strict=True)) == want
            wanted = np.array([3, 70000, 0], np.uint64)
            added = np.array([1, 2, 3])
            other.add_counts(wanted, words, added)
            assert added.tolist() == [i + want.get(its, 0) for i, its in zip((1, 2, 3), wanted.tolist(), strict=True)]
            want_positions = [one for one in other_position.tolist() if one & 0xFFFFF in columns]
            assert other.positions(words).tolist() == want_positions
        for its in (0, 1, 2, 3):
            assert rows.count_both(row, other, its) == len(columns & others.get(its, set()))
    pairs = rows.cross(rows.rows, other, other.rows)
    assert pairs.tolist() == [[len(bits[a] & others[b]) for b in sorted(others)] for a in sorted(bits)]


def test_every_kind_of_container_occurs() -> None:
    rng = np.random.default_rng(1)
    kinds = []
    for kind in SHAPES[1:]:
        blob = encode(np.sort(shape(kind, rng)).astype(np.uint64))
        kinds.append(int(np.frombuffer(blob, DESCRIPTOR, 1, HEADER.size)["type"][0]))
    assert kinds == [ARRAY, ARRAY, BITMAP, RUNS, RUNS, RUNS, RUNS, RUNS]


def test_what_has_gone_and_what_was_written() -> None:
    one, two = np.array([5, 6, 7, (3 << 20) + 5], np.uint64), np.array([70000, (1 << 20) + 70001], np.uint64)
    alive = ~bitmap_of_columns(np.array([6]))
    written = SetOverlay(np.array([6, (9 << 20) + 70000], np.uint64), np.array([7, 70000], np.uint64))
    rows = CachedRows([(Fragment(encode(one)), alive), (Fragment(encode(two)), None)], written)
    assert rows.positions(None).tolist() == [5, 6, (1 << 20) + 70001, (3 << 20) + 5, (9 << 20) + 70000]


def test_nothing_at_all() -> None:
    rows = CachedRows([])
    assert rows.rows.size == 0
    assert rows.count(0) == 0
    rows.columns(0, 0, np.empty(0, np.uint64))
    assert rows.positions(None).tolist() == []


def test_a_blob_that_is_cut_is_refused() -> None:
    blob = encode(np.arange(0, 10000, 2, dtype=np.uint64))
    with pytest.raises(RoaringError, match="not where the header says"):
        CachedRows([(Fragment(blob[:-2]), None)])
