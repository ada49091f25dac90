"""Fields of a batch that come later than the others: beside them, in one step, again and again, wherever the batch lies."""

from __future__ import annotations

import numpy as np
import pytest

from indexing.backends.base import SHARD_WIDTH, BackendError, BatchRange
from indexing.backends.embedded import EmbeddedBackend
from tests.indexing.backends.conftest import Bench, bits, compare, row

# Batches of the fixture `backend` that lie in generation 0 there.
ONE, TWO = 4, 8


def more(bench: Bench, batch: int, first: int, count: int, fields: list[str], again: bool = False, **found: object) -> None:
    bench.backend.import_more(bench.index, bits(batch, first, count, **found), fields, again)


def facts(bench: Bench) -> tuple[list[int], list[int], list[int], list[int]]:
    return (
        bench.columns(row("proto", 1)),
        bench.columns(row("host", 7)),
        bench.columns(compare("length", ">=", 0)),
        bench.columns(compare("delta", ">", 0)),
    )


def test_fields_come_beside_those_that_are_there(bench: Bench) -> None:
    bench.add(bits(ONE, 10, 5, proto=[(1, 0), (1, 4)], length={0: 60, 1: 70}))
    more(bench, ONE, 10, 5, ["host", "delta"], host=[(7, 1), (7, 2)], delta={2: 9})
    assert facts(bench) == ([10, 14], [11, 12], [10, 11], [12])
    assert [(pair.id, pair.count) for pair in bench.under("TopN", field="host").pairs] == [(7, 2)]


def test_the_same_again_changes_nothing(bench: Bench) -> None:
    bench.add(bits(ONE, 0, 5, proto=[(1, 0)]))
    for _ in range(3):
        more(bench, ONE, 0, 5, ["host", "delta"], host=[(7, 1)], delta={2: 9})
    assert facts(bench) == ([0], [1], [], [2])


def test_what_is_known_later_takes_the_place_of_what_was(bench: Bench) -> None:
    bench.add(bits(ONE, 0, 5, proto=[(1, 0)], host=[(7, 0)], delta={0: 1}))
    more(bench, ONE, 0, 5, ["host", "delta"], again=True, host=[(7, 3), (8, 3)])
    assert facts(bench) == ([0], [3], [], [])
    assert bench.columns(row("host", 8)) == [3]


def test_other_batches_keep_what_they_have(bench: Bench) -> None:
    bench.add(bits(ONE, 0, 5, proto=[(1, 0)], host=[(7, 0)], delta={1: 1}))
    bench.add(bits(TWO, 5, 5, proto=[(1, 0)], host=[(7, 0)], delta={1: 1}))
    more(bench, TWO, 5, 5, ["host", "delta"], again=True, host=[(7, 4)], delta={4: 3})
    assert facts(bench) == ([0, 5], [0, 9], [], [1, 9])


def test_a_batch_over_two_shards(bench: Bench) -> None:
    bench.add(bits(ONE, SHARD_WIDTH - 2, 4, proto=[(1, 0), (1, 3)]))
    more(bench, ONE, SHARD_WIDTH - 2, 4, ["host", "delta"], host=[(7, 1), (7, 2)], delta={0: 1, 3: 1})
    first = SHARD_WIDTH - 2
    assert facts(bench) == ([first, first + 3], [first + 1, first + 2], [], [first, first + 3])


def test_what_queries_wrote_stays(bench: Bench) -> None:
    bench.add(bits(ONE, 0, 5, proto=[(1, 0)]))
    bench.backend.write_row(bench.index, "host", 9, {0: np.array([2], np.uint64)})
    more(bench, ONE, 0, 5, ["delta"], delta={1: 4})
    assert bench.columns(row("host", 9)) == [2]


def test_a_batch_that_goes_takes_them_along(bench: Bench) -> None:
    bench.add(bits(ONE, 0, 5, proto=[(1, 0)]))
    bench.add(bits(TWO, 5, 5, proto=[(1, 0)]))
    more(bench, ONE, 0, 5, ["host", "delta"], host=[(7, 1)], delta={2: 9})
    more(bench, TWO, 5, 5, ["host", "delta"], host=[(7, 1)], delta={2: 9})
    gone = [BatchRange(ONE, 0, 5)]
    bench.backend.hide_batches(bench.index, gone)
    bench.backend.clear_batches(bench.index, gone)
    assert facts(bench) == ([5], [6], [], [7])


def test_a_field_that_nobody_knows_is_refused(bench: Bench) -> None:
    bench.add(bits(ONE, 0, 5, proto=[(1, 0)]))
    with pytest.raises(BackendError, match="no field cost"):
        more(bench, ONE, 0, 5, ["cost"], cost=[(1, 0)])


def test_a_column_of_another_batch_is_refused(bench: Bench) -> None:
    bench.add(bits(ONE, 0, 5, proto=[(1, 0)]))
    with pytest.raises(BackendError, match="column 5"):
        more(bench, ONE, 0, 5, ["host"], host=[(7, 5)])


def embedded(bench: Bench) -> EmbeddedBackend:
    if not isinstance(bench.backend, EmbeddedBackend):
        pytest.skip("of the embedded store only: Pilosa knows of columns, and of no batches")
    return bench.backend


def test_a_batch_that_is_not_there_as_it_is_said_is_refused(bench: Bench) -> None:
    embedded(bench)
    bench.add(bits(ONE, 0, 5, proto=[(1, 0)]))
    for batch, first, count in ((TWO, 0, 5), (ONE, 0, 4), (ONE, 1, 5)):
        with pytest.raises(BackendError, match="not in the store as its row says"):
            more(bench, batch, first, count, ["host"], host=[(7, 1)])
    assert facts(bench) == ([0], [], [], [])


def test_batches_that_were_compacted_and_are_compacted_again(bench: Bench) -> None:
    """Small batches share a segment: one of them comes out with all that it has, and goes in again."""
    backend = embedded(bench)
    expected: tuple[list[int], ...] = ([], [], [], [])
    for at in range(20):
        first = 100 * at
        bench.add(bits(at + 1, first, 100, proto=[(1, 3), (2, 4)], length={5: 60}))
        expected[0].append(first + 3)
        expected[2].append(first + 5)
    while backend.compact():
        pass
    assert facts(bench) == expected
    for at in (0, 7, 19, 7):
        more(bench, at + 1, 100 * at, 100, ["host", "delta"], host=[(7, 8)], delta={9: 1})
    expected[1].extend([8, 708, 1908])
    expected[3].extend([9, 709, 1909])
    assert facts(bench) == expected
    while backend.compact():
        pass
    assert facts(bench) == expected
    backend.hide_batches(bench.index, [BatchRange(8, 700, 100)])
    assert facts(bench) == tuple([one for one in some if not 700 <= one < 800] for some in expected)


def test_batches_that_become_one_keep_them(bench: Bench) -> None:
    backend = embedded(bench)
    for at in range(3):
        bench.add(bits(at + 1, 10 * at, 10, proto=[(1, 0)]))
        more(bench, at + 1, 10 * at, 10, ["host"], host=[(7, 8)])
    backend.merge_batches(bench.index, [BatchRange(at + 1, 10 * at, 10) for at in range(3)], BatchRange(1, 0, 30))
    assert facts(bench) == ([0, 10, 20], [8, 18, 28], [], [])
    more(bench, 1, 0, 30, ["host"], again=True, host=[(7, 9)])
    assert facts(bench) == ([0, 10, 20], [9], [], [])
