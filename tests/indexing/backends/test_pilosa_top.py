"""TopN(n=) on Pilosa, of few rows that are sent: the same as of all rows, or it is known that it might not be."""

from __future__ import annotations

import numpy as np
import pytest

from indexing.backends import pilosa_schema, pilosa_top
from indexing.backends.base import ACCESS_FIELD, LIVE_ROW, SHARD_WIDTH, BatchBits, FieldSchema, SetBits
from indexing.backends.pilosa import PilosaBackend
from indexing.calls import Call, PairsResult, RowRef

MASK = Call("Row", args={"row": RowRef(ACCESS_FIELD, LIVE_ROW)})


@pytest.fixture
def backend(pilosa_server):
    backend = PilosaBackend([(pilosa_server.host, pilosa_server.port)])
    yield backend
    backend.close()


@pytest.fixture
def asked(backend, monkeypatch) -> list[str]:
    """The texts that Pilosa is sent."""
    texts: list[str] = []
    ask = backend._cluster.http.ask_any

    def record(method, path, body=None, proto=False):
        if body is not None:
            texts.append(body.decode("latin-1"))
        return ask(method, path, body, proto)

    monkeypatch.setattr(backend._cluster.http, "ask_any", record)
    return texts


def load(backend: PilosaBackend, index: str, batches: list[np.ndarray]) -> np.ndarray:
    """Batch i begins with shard i; rows of its columns. All rows."""
    backend.ensure_index(index, [FieldSchema("host", "set")])
    for i, rows in enumerate(batches):
        columns = np.arange(rows.size, dtype=np.uint64) + np.uint64(i * SHARD_WIDTH)
        backend.import_batch(index, BatchBits(i + 1, i * SHARD_WIDTH, rows.size, {"host": SetBits(rows, columns)}))
    return np.concatenate(batches)


def top(backend: PilosaBackend, index: str, n: int) -> list[tuple[int, int]]:
    (result,) = backend.query(index, [Call("TopN", [MASK], {"field": "host", "n": n})])
    assert isinstance(result, PairsResult)
    return [(pair.id, pair.count) for pair in result.pairs]


def expected(rows: np.ndarray, n: int) -> list[tuple[int, int]]:
    ids, counts = np.unique(rows, return_counts=True)
    order = np.lexsort((ids, -counts))[:n]
    return [(int(ids[i]), int(counts[i])) for i in order]


def skewed(seed: int, n: int = 6000) -> np.ndarray:
    return (np.random.default_rng(seed).zipf(1.3, n) % 900 + 1).astype(np.uint64)


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_few_rows_are_sent_and_the_first_are_right(backend, asked, monkeypatch, shards: int):
    monkeypatch.setattr(pilosa_schema, "SETTLED_SECONDS", -1.0)
    rows = load(backend, f"top-skewed-{shards}", [skewed(i) for i in range(shards)])
    top(backend, f"top-skewed-{shards}", 3)  # it learns of the cache and the shards
    asked.clear()
    for n in (1, 3, 5):
        assert top(backend, f"top-skewed-{shards}", n) == expected(rows, n)
    assert all("n=" in text or "ids=" in text for text in asked)


@pytest.mark.parametrize("n", [1, 4, 10, 40])
def test_ties_at_the_end_come_in_the_order_of_rows(backend, monkeypatch, n: int):
    """All rows of a shard have as many columns: whichever Pilosa sends, there is no proof in them."""
    monkeypatch.setattr(pilosa_schema, "SETTLED_SECONDS", -1.0)
    rows = load(backend, f"top-ties-{n}", [np.tile(np.arange(1, 301, dtype=np.uint64), 3)[::-1].copy() for _ in range(2)])
    for _ in range(2):
        assert top(backend, f"top-ties-{n}", n) == expected(rows, n)


def test_a_row_that_is_first_in_no_shard_is_found(backend, monkeypatch):
    """Fifty others are before it in each shard, and are in that shard alone."""
    monkeypatch.setattr(pilosa_schema, "SETTLED_SECONDS", -1.0)
    shards = [np.concatenate([np.repeat(np.arange(i * 50, i * 50 + 50), 10), np.repeat(999, 9)]) for i in range(3)]
    rows = load(backend, "top-hidden", [some.astype(np.uint64) for some in shards])
    for _ in range(2):
        assert top(backend, "top-hidden", 1) == expected(rows, 1) == [(999, 27)]


def test_a_shard_that_is_new_is_seen(backend, monkeypatch):
    monkeypatch.setattr(pilosa_schema, "SETTLED_SECONDS", -1.0)
    load(backend, "top-new", [skewed(1)])
    top(backend, "top-new", 2)
    top(backend, "top-new", 2)
    rows = np.repeat(np.uint64(7), 9000)
    columns = np.arange(9000, dtype=np.uint64) + np.uint64(5 * SHARD_WIDTH)
    backend.import_batch("top-new", BatchBits(9, 5 * SHARD_WIDTH, 9000, {"host": SetBits(rows, columns)}))
    assert top(backend, "top-new", 2) == expected(np.concatenate([skewed(1), rows]), 2)


def test_what_has_just_changed_is_asked_for_whole(backend, asked):
    """Pilosa's order of rows may be old then."""
    rows = load(backend, "top-changing", [skewed(2)])
    for _ in range(3):
        asked.clear()
        assert top(backend, "top-changing", 2) == expected(rows, 2)
        assert any("TopN(host,Row(access=0))" in text for text in asked)


def test_a_question_of_chosen_shards_is_of_these(backend, monkeypatch):
    monkeypatch.setattr(pilosa_schema, "SETTLED_SECONDS", -1.0)
    shards = [skewed(3), skewed(4)]
    rows = load(backend, "top-chosen", shards)
    call = Call("TopN", [MASK], {"field": "host", "n": 3})
    for _ in range(2):
        (first,) = backend.query("top-chosen", [call], [1])
        (second,) = backend.query("top-chosen", [Call("Options", [call], {"shards": [1]})])
        for result in (first, second):
            assert isinstance(result, PairsResult)
            assert [(pair.id, pair.count) for pair in result.pairs] == expected(shards[1], 3)
        assert top(backend, "top-chosen", 3) == expected(rows, 3)


def test_shards_are_counted_in_powers_of_two():
    assert pilosa_top.shards_of([5, 9, 9, 9, 9, 9, 9, 9]) == 2
    assert pilosa_top.shards_of([1, 2, 3, 4, 5, 6, 7, 8]) == 0
    assert len(pilosa_top.shards_asked()) == 8
