"""Both backends behind one fixture, a small index with known bits in it, and short spellings of calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from indexing.backends import open_backend
from indexing.backends.base import SHARD_WIDTH, Backend, BatchBits, BatchRange, FieldSchema, IntBits, SetBits
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.pilosa import PilosaBackend
from indexing.calls import Call, Condition, Result, RowRef, RowResult
from tests.indexing.masking import live
from tests.indexing.naive import Naive
from tests.pilosa import pilosa_server, start_pilosa  # noqa: F401

FIELDS = [
    FieldSchema("proto", "set"),
    FieldSchema("host", "set"),
    FieldSchema("length", "int", 0, 70000),
    FieldSchema("delta", "int", -1000, 1000),
]
_numbers = count(1)


def row(name: str, number: int | None) -> Call:
    return Call("Row", args={"row": RowRef(name, number)})


def compare(name: str, op: Any, value: Any) -> Call:
    return Call("Row", args={"condition": (name, Condition(op, value))})


def of(name: str, *children: Call, **args: Any) -> Call:
    return Call(name, list(children), args)


@dataclass
class Bench:
    """An index of its own on a backend. Answers are masked where the backend wants it, as the product does."""

    backend: Backend
    index: str
    naive: Naive = field(default_factory=Naive)

    def add(self, bits: BatchBits) -> None:
        self.backend.import_batch(self.index, bits)
        self.naive.add(bits)

    def hide(self, *batches: BatchRange) -> None:
        self.backend.hide_batches(self.index, batches)
        for batch in batches:
            self.naive.remove(batch.first_column, batch.count)

    def masked(self, call: Call) -> Call:
        return of("Intersect", call, live()) if self.backend.masked else call

    def ask(self, call: Call, **more: Any) -> Any:
        """The answer to a call as it stands. The embedded store gives it again of what it keeps: of fields, and of answers."""
        answer = self.backend.query(self.index, [call], **more)[0]
        if isinstance(self.backend, EmbeddedBackend):
            forget_results(self.backend)
            for kept in ("fields", "answers"):
                again = self.backend.query(self.index, [call], **more)[0]
                assert written(again) == written(answer), f"of kept {kept}"
        return answer

    def columns(self, call: Call, **more: Any) -> list[int]:
        answer = self.ask(self.masked(call), **more)
        assert isinstance(answer, RowResult)
        assert answer.columns.dtype == np.uint64
        return answer.columns.tolist()

    def count(self, call: Call) -> int:
        return self.ask(of("Count", self.masked(call))).count

    def under(self, name: str, *children: Call, **args: Any) -> Any:
        """A call with an input (TopN, Sum, Min ...) under the mask."""
        if self.backend.masked:
            children = (self.masked(children[0]) if children else live(),)
        return self.ask(of(name, *children, **args))

    def pairs(self, *children: Call, **args: Any) -> list[tuple[int, int]]:
        return [(pair.id, pair.count) for pair in self.under("TopN", *children, **args).pairs]


def forget_results(backend: EmbeddedBackend) -> None:
    """What is kept of fields stays, what is kept of answers goes."""
    for view in backend._opened().cache._views.values():
        for state in (view.whole, *view.states.values()):
            for key in list(state.entries):
                if isinstance(key, tuple) and isinstance(key[0], str):
                    del state.entries[key]


def written(answer: Result) -> Any:
    """A result that can be compared."""
    return answer.columns.tolist() if isinstance(answer, RowResult) else answer


def bits(batch: int, first: int, count: int, **fields: Any) -> BatchBits:
    """A batch; a set field is a list of (row, column), an int field a dict column -> value; columns count from `first`."""
    made: dict[str, SetBits | IntBits] = {}
    for name, some in fields.items():
        if isinstance(some, dict):
            columns = np.array(list(some), np.uint64) + np.uint64(first)
            made[name] = IntBits(columns, np.array(list(some.values()), np.int64))
        else:
            pairs = np.array(some, np.uint64).reshape(-1, 2)
            made[name] = SetBits(pairs[:, 0], pairs[:, 1] + np.uint64(first))
    return BatchBits(batch, first, count, made)


class Spread(PilosaBackend):
    """Pilosa with batches spread over generations 0 to 3: all answers are to be those of one index."""

    def import_batch(self, index: str, bits: BatchBits) -> None:
        super().import_batch(index, replace(bits, generation=bits.batch % 4))

    def hide_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        super().hide_batches(index, self._everywhere(batches))

    def clear_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        super().clear_batches(index, self._everywhere(batches))

    @staticmethod
    def _everywhere(batches: Sequence[BatchRange]) -> list[BatchRange]:
        """In all generations: what was merged here came from several, which the product does not do."""
        return [replace(batch, generation=generation) for batch in batches for generation in range(4)]


@pytest.fixture(scope="session", params=["embedded", "pilosa", "generations"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Each backend in turn; its indexes are shared, so tests take one of their own (`bench`)."""
    if request.param == "generations":
        server = start_pilosa(tmp_path_factory.mktemp("generations"))
        spread = Spread([(server.host, server.port)], drop_grace_seconds=0)
        yield spread
        spread.close()
        server.stop()
        return
    url = "embedded:" if request.param == "embedded" else request.getfixturevalue("pilosa_server").url
    opened = open_backend(url, tmp_path_factory.mktemp("index"))
    yield opened
    opened.close()


@pytest.fixture
def bench(backend: Backend) -> Iterator[Bench]:
    """An empty index with FIELDS."""
    index = f"bench-{next(_numbers)}"
    backend.ensure_index(index, FIELDS)
    yield Bench(backend, index)
    backend.drop_index(index)


def random_batch(rng: np.random.Generator, batch: int, first: int, count: int) -> BatchBits:
    """Rows of which some are dense and some rare, columns with none, one or several values."""
    columns = np.arange(first, first + count, dtype=np.uint64)
    some = columns[rng.random(count) < 0.8]
    twice = columns[rng.random(count) < 0.3]
    host = np.concatenate([some, twice])
    lengths = columns[rng.random(count) < 0.9]
    deltas = columns[rng.random(count) < 0.5]
    return BatchBits(
        batch,
        first,
        count,
        {
            "proto": SetBits(np.minimum(rng.geometric(0.5, count), 6).astype(np.uint64), columns),
            "host": SetBits((rng.zipf(1.5, host.size) % 500).astype(np.uint64), host),
            "length": IntBits(lengths, rng.choice([0, 1, 40, 60, 1500, 69999, 70000], lengths.size)),
            "delta": IntBits(deltas, rng.integers(-70, 71, deltas.size)),
        },
    )


@pytest.fixture(scope="session")
def filled(backend: Backend) -> Bench:
    """An index over three shards: batches that cross 2^16 and 2^20, gaps between them, one far away. Not to be changed."""
    index = "filled"
    backend.ensure_index(index, FIELDS)
    made = Bench(backend, index)
    rng = np.random.default_rng(20240131)
    for batch, (first, count_) in enumerate(
        [
            (0, 300),
            (300, 700),
            (65536 - 200, 400),
            (SHARD_WIDTH - 500, 1000),
            (SHARD_WIDTH + 4000, 50),
            (5 * SHARD_WIDTH + 7, 600),
        ],
        1,
    ):
        made.add(random_batch(rng, batch, first, count_))
    return made
