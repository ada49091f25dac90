"""A Pilosa that was killed comes back with its caches as it last wrote them: what comes first is right all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexing.backends.base import SHARD_WIDTH, BatchBits, BatchRange, FieldSchema, SetBits
from indexing.backends.pilosa import PilosaBackend
from tests.indexing.backends.conftest import Bench, of, row
from tests.indexing.masking import live
from tests.pilosa import PilosaServer, free_port, start_pilosa

COUNT = 3000
FIELDS = [FieldSchema("host", "set"), FieldSchema("proto", "set")]


class Killed:
    """A Pilosa that can be ended without a word, and begins again on its data."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self.server: PilosaServer = start_pilosa(folder, self.port)

    def again(self) -> None:
        self.server.process.kill()
        self.server.process.wait()
        self.server = start_pilosa(self._folder, self.port)


@pytest.fixture
def pilosa(tmp_path: Path) -> Iterator[Killed]:
    made = Killed(tmp_path / "pilosa")
    yield made
    made.server.stop()


def batch(number: int, first: int) -> BatchBits:
    columns = np.arange(first, first + COUNT, dtype=np.uint64)
    hosts = (columns % np.uint64(97)) + np.uint64(number)
    return BatchBits(number, first, COUNT, {"host": SetBits(hosts, columns), "proto": SetBits(columns % np.uint64(3), columns)})


def answers(bench: Bench) -> list[object]:
    def pairs(**args: object) -> list[tuple[int, int]]:
        return [(pair.id, pair.count) for pair in bench.under("TopN", **args).pairs]

    under = of("Intersect", row("proto", 1), live())
    return [
        pairs(field="host"),
        pairs(field="host", n=5),
        pairs(field="proto"),
        [(pair.id, pair.count) for pair in bench.ask(of("TopN", under, field="host", n=3)).pairs],
        bench.ask(of("MaxRow", under, field="host")).pairs,
        bench.ask(of("MinRow", under, field="host")).pairs,
    ]


@pytest.mark.parametrize("known", [True, False], ids=["by the same process", "by a new one"])
def test_what_comes_first_is_right_after_a_kill(pilosa: Killed, known: bool) -> None:
    backend = PilosaBackend([("127.0.0.1", pilosa.port)])
    backend.ensure_index("killed", FIELDS)
    bench = Bench(backend, "killed")
    bench.add(batch(1, 0))
    bench.add(batch(2, SHARD_WIDTH))
    before = answers(bench)
    assert len(before[0]) == 98
    pilosa.again()
    if not known:
        backend.close()
        bench.backend = backend = PilosaBackend([("127.0.0.1", pilosa.port)])
    assert answers(bench) == before
    # What comes now is in the caches, and what came before is not.
    bench.add(batch(3, 2 * SHARD_WIDTH))
    bench.hide(BatchRange(1, 0, COUNT))
    after = answers(bench)
    fresh = PilosaBackend([("127.0.0.1", pilosa.port)])
    assert answers(Bench(fresh, "killed")) == after
    assert sum(count for _, count in after[2]) == 2 * COUNT
    fresh.close()
    backend.close()


def test_caches_that_hold_everything_are_gone_by(pilosa: Killed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second question asks no more than the first one's second part: nothing is looked at twice while the nodes run."""
    backend = PilosaBackend([("127.0.0.1", pilosa.port)])
    backend.ensure_index("killed", FIELDS)
    bench = Bench(backend, "killed")
    bench.add(batch(1, 0))
    answers(bench)
    asked: list[str] = []
    post = backend._questions.post

    def noted(index: str, pql: str, *more: Any) -> list[Any]:
        asked.append(pql)
        return post(index, pql, *more)

    monkeypatch.setattr(backend._questions, "post", noted)
    bench.under("TopN", field="host")
    assert asked
    assert all("TopN(host" in one and "GroupBy" not in one for one in asked)
    backend.close()
