"""A real cluster of three: nodes are killed, hang and come back. Every answer is exact, or an exception says why there is none.

PILOSA_CLUSTER_ROUNDS=n runs the test of a lost node n times, each time another node, another way and another moment.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import indexing.backends.pilosa_cluster
from indexing.backends import open_backend
from indexing.backends.base import SHARD_WIDTH, Backend, BackendAway, BackendError, BatchBits, BatchRange, IntBits, SetBits
from indexing.backends.generation_names import generation_name
from indexing.backends.pilosa import PilosaBackend
from indexing.calls import Call, GroupCountsResult, PairsResult, Result, RowResult
from tests.indexing.backends.conftest import FIELDS, compare, of, random_batch, row
from tests.indexing.masking import live
from tests.pilosa import PilosaCluster, PilosaNode, PilosaServer, pilosa_cluster, start_cluster, started_cluster  # noqa: F401

ROUNDS = int(os.environ.get("PILOSA_CLUSTER_ROUNDS", "1"))
PACKETS = 1000
BATCHES = 24
_numbers = count(1)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that works may be slow to say so: three of them and the tests share the cores."""
    monkeypatch.setattr(indexing.backends.pilosa_cluster, "_LOOK_SECONDS", 10.0)


def opened(cluster: PilosaCluster) -> PilosaBackend:
    backend = open_backend(cluster.url, Path())
    assert isinstance(backend, PilosaBackend)
    return backend


@pytest.fixture
def backend(pilosa_cluster: PilosaCluster) -> Iterator[PilosaBackend]:  # noqa: F811
    made = opened(pilosa_cluster)
    yield made
    pilosa_cluster.whole()
    for index in made.indexes():
        made.drop_index(index)
    made.close()


@pytest.fixture
def index() -> str:
    return f"cluster-{next(_numbers)}"


@pytest.fixture(scope="module")
def two_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PilosaCluster]:
    """Three nodes, and two of them hold each shard."""
    cluster = start_cluster(tmp_path_factory.mktemp("two"), replicas=2)
    yield cluster
    cluster.stop()


def batch(number: int, generation: int = 0) -> BatchBits:
    """PACKETS packets; each batch has a shard of its own, so that many nodes have a part in every answer."""
    columns = np.arange(number * SHARD_WIDTH, number * SHARD_WIDTH + PACKETS, dtype=np.uint64)
    fields = {
        "proto": SetBits(np.full(PACKETS, 6, np.uint64), columns),
        "host": SetBits(np.arange(PACKETS, dtype=np.uint64) % np.uint64(10), columns),
        "length": IntBits(columns, np.full(PACKETS, 7)),
    }
    return BatchBits(number + 1, number * SHARD_WIDTH, PACKETS, dict(fields), generation)


def range_of(bits: BatchBits) -> BatchRange:
    return BatchRange(bits.batch, bits.first_column, bits.count, bits.generation)


def plain(result: Result) -> Any:
    """A result that can be compared."""
    if isinstance(result, RowResult):
        return result.columns.tolist()
    if isinstance(result, PairsResult):
        return [(pair.id, pair.count) for pair in result.pairs]
    return result.groups if isinstance(result, GroupCountsResult) else result


def every_call() -> list[Call]:
    under = of("Intersect", of("Union", row("proto", 1), compare("length", ">", 40)), live())
    return [
        of("Intersect", row("proto", 2), live()),
        of("Count", of("Intersect", of("Not", row("proto", 1)), live())),
        of("Count", live()),
        of("TopN", under, field="host", n=7),
        of("TopN", live(), field="proto"),
        of("Sum", under, field="length"),
        of("Min", under, field="delta"),
        of("Max", under, field="length"),
        of("Rows", field="host", limit=9),
        of("MinRow", under, field="host"),
        of("MaxRow", under, field="host"),
        of("GroupBy", of("Rows", field="proto"), of("Rows", field="host"), filter=under, limit=50),
        of("Options", of("Count", under), shards=[0, 5]),
    ]


def local_count(node: PilosaNode, index: str, name: str, number: int) -> int:
    """The bits of a row that a node itself has: its answer to another node's part of a question."""
    from indexing.backends.pilosa_protobuf import length_delimited, varint

    shards = b"".join(b"\x10" + varint(shard) for shard in range(200))
    body = length_delimited(1, f"Count(Row({name}={number}))".encode()) + shards + b"\x28\x01"
    headers = {"Content-Type": "application/x-protobuf", "Accept": "application/json"}
    return int(node.send(f"/index/{index}/query", body, headers)["results"][0])


# Whole


@pytest.mark.parametrize("replicas", [3, 2])
def test_all_calls_are_answered_as_by_one_node(
    replicas: int,
    index: str,
    request: pytest.FixtureRequest,
    pilosa_server: PilosaServer,
) -> None:
    cluster: PilosaCluster = request.getfixturevalue("pilosa_cluster" if replicas == 3 else "two_copies")
    many, one = opened(cluster), PilosaBackend([(pilosa_server.host, pilosa_server.port)])
    rng = np.random.default_rng(replicas)
    starts = [(0, 300), (300, 700), (SHARD_WIDTH - 500, 1000), (SHARD_WIDTH + 4000, 50), (5 * SHARD_WIDTH + 7, 600)]
    batches = [random_batch(rng, number, first, size) for number, (first, size) in enumerate(starts, 1)]
    answers = []
    for backend in (many, one):
        backend.ensure_index(index, FIELDS)
        for bits in batches:
            backend.import_batch(index, bits)
            backend.import_batch(index, bits)  # a retry
        backend.hide_batches(index, [range_of(batches[1])])
        backend.clear_batches(index, [range_of(batches[1])])
        answers.append([plain(result) for result in backend.query(index, every_call())])
        columns = np.array([3, SHARD_WIDTH - 1, SHARD_WIDTH, 5 * SHARD_WIDTH + 9], np.uint64)
        answers[-1].append([part.tolist() for part in backend.rows_of_columns(index, "host", columns)])
    assert answers[0] == answers[1]
    counts = [node.post(f"/index/{index}/query", "Count(Row(access=0))")["results"] for node in cluster.nodes]
    assert counts == [[1950]] * 3
    for backend in (many, one):
        backend.drop_index(index)
        backend.close()
    for node in cluster.nodes:
        assert index not in [one["name"] for one in node.get("/schema")["indexes"] or []]


def test_generations(backend: PilosaBackend, index: str, pilosa_cluster: PilosaCluster) -> None:  # noqa: F811
    backend.ensure_index(index, FIELDS)
    for number in range(6):
        backend.import_batch(index, batch(number, number % 3))
    total = of("Count", live())
    other = opened(pilosa_cluster)
    for one in (backend, other):
        assert one.generations(index) == [1, 2]
        assert list(one.indexes()) == [index]
        assert one.query(index, [total, of("Sum", live(), field="length")])[0].count == 6 * PACKETS  # type: ignore[union-attr]
    backend.hide_batches(index, [range_of(batch(number, 1)) for number in (1, 4)])
    backend.drop_generation(index, 1)
    for one in (backend, other):
        assert one.generations(index) == [2]
        assert one.query(index, [total])[0].count == 4 * PACKETS  # type: ignore[union-attr]
    other.close()
    for node in pilosa_cluster.nodes:
        names = [one["name"] for one in node.get("/schema")["indexes"]]
        assert sorted(names) == [index, generation_name(index, 2)]


# A node goes


class Work:
    """Batches that come one after the other, tried again as jobs do; and questions all the while, each held against them."""

    def __init__(self, backend: Backend, index: str, batches: int) -> None:
        self.backend, self.index, self.batches = backend, index, batches
        self.begun = self.done = self.answers = 0
        self.refusals: list[str] = []
        self.wrong: list[Any] = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._import), *(threading.Thread(target=self._ask) for _ in range(2))]
        for thread in self.threads:
            thread.start()

    def _import(self) -> None:
        for number in range(self.batches):
            self.begun = number + 1
            while not self.over.is_set():
                try:
                    self.backend.import_batch(self.index, batch(number))
                    break
                except BackendAway as error:
                    self.refusals.append(str(error))
                    time.sleep(0.1)
                except Exception as error:
                    self.wrong.append(error)
                    return
            else:
                return
            self.done = number + 1
            time.sleep(0.05)

    def _ask(self) -> None:
        calls = [of("Count", of("Intersect", row("proto", 6), live())), of("Sum", live(), field="length")]
        calls.append(of("TopN", live(), field="host"))
        while not self.over.is_set():
            least = self.done
            try:
                counted, summed, top = self.backend.query(self.index, calls)
            except (BackendAway, BackendError) as error:
                self.refusals.append(str(error))
                time.sleep(0.02)
                continue
            except Exception as error:
                self.wrong.append(error)
                return
            most = self.begun
            self.answers += 1
            packets = [counted.count, summed.value // 7, summed.count]  # type: ignore[union-attr]
            packets.append(sum(pair.count for pair in top.pairs))  # type: ignore[union-attr]
            if not all(least * PACKETS <= number <= most * PACKETS and number % PACKETS == 0 for number in packets):
                self.wrong.append((least, packets, most))

    def wait_for_an_answer(self, seconds: float = 60.0) -> None:
        """Until one more has come, which may have been asked for before."""
        answers, deadline = self.answers, time.monotonic() + seconds
        while self.answers == answers and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.answers > answers

    def wait(self, done: int, seconds: float = 180.0) -> None:
        deadline = time.monotonic() + seconds
        while self.done < done and time.monotonic() < deadline and not self.wrong:
            time.sleep(0.05)
        assert self.wrong == []
        assert self.done >= done

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_node_is_lost_while_batches_come_and_comes_back(
    seed: int,
    backend: PilosaBackend,
    index: str,
    pilosa_cluster: PilosaCluster,  # noqa: F811
) -> None:
    dice = random.Random(seed)
    victim = pilosa_cluster.nodes[dice.randrange(3) if seed else 2]
    left = [node for node in pilosa_cluster.nodes if node is not victim]
    lose, away = (victim.kill, 0.0) if not seed else (dice.choice([victim.kill, victim.pause]), dice.uniform(0, 35))
    backend.ensure_index(index, FIELDS)
    work = Work(backend, index, BATCHES)
    try:
        work.wait(8)
        time.sleep(dice.uniform(0, 0.3))
        lose()
        if seed:
            time.sleep(away)
        else:
            pilosa_cluster.wait("DEGRADED", left)
            time.sleep(1.2)
            imported = work.done
            time.sleep(1.0)
            work.wait_for_an_answer()  # every node holds everything: what is left answers, and exactly
            assert work.done == imported  # and takes nothing that the lost one would not have
            with pytest.raises(BackendAway, match=victim.name.replace(".", r"\.")):
                backend.drop_generation(index, 1)
            with pytest.raises(BackendAway, match="not whole"):
                backend.hide_batches(index, [range_of(batch(0))])
            late = opened(pilosa_cluster)  # has never seen the cluster whole
            # Whole batches: the one that was being imported when the node was lost may be in all others already.
            found = late.query(index, [of("Count", live())])[0].count  # type: ignore[union-attr]
            assert found in (imported * PACKETS, (imported + 1) * PACKETS)
            with pytest.raises(BackendAway, match="not whole"):
                late.ensure_index(f"{index}-new", FIELDS)
            assert late.status()["state"] == "DEGRADED"
            late.close()
        pilosa_cluster.whole()
        work.wait(BATCHES)
    finally:
        work.end()
    assert work.wrong == []
    for node in pilosa_cluster.nodes:
        for name, number, want in (
            ("access", 0, BATCHES * PACKETS),
            ("proto", 6, BATCHES * PACKETS),
            ("host", 3, BATCHES * PACKETS // 10),
        ):
            assert local_count(node, index, name, number) == want, (node.name, name)
    assert backend.query(index, [of("Sum", live(), field="length")])[0].value == 7 * BATCHES * PACKETS  # type: ignore[union-attr]


def test_a_node_that_hangs_is_named_and_nothing_waits_for_it(
    backend: PilosaBackend,
    index: str,
    pilosa_cluster: PilosaCluster,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend.ensure_index(index, FIELDS)
    for number in range(5):
        backend.import_batch(index, batch(number))
    victim = pilosa_cluster.nodes[1]
    victim.pause()
    time.sleep(1.1)
    monkeypatch.setattr(indexing.backends.pilosa_cluster, "_LOOK_SECONDS", 2.0)
    for ask in (lambda: backend.query(index, [of("Count", live())]), lambda: backend.import_batch(index, batch(5))):
        begun = time.monotonic()
        with pytest.raises(BackendAway, match=victim.name.replace(".", r"\.")):
            ask()
        assert time.monotonic() - begun < 60  # by the client's own limits, not by the caller's
    victim.resume()
    monkeypatch.setattr(indexing.backends.pilosa_cluster, "_LOOK_SECONDS", 10.0)
    pilosa_cluster.wait("NORMAL")
    time.sleep(3.1)
    backend.import_batch(index, batch(5))
    assert backend.query(index, [of("Count", live())])[0].count == 6 * PACKETS  # type: ignore[union-attr]


def test_with_fewer_copies_than_nodes_a_degraded_cluster_is_refused(two_copies: PilosaCluster, index: str) -> None:
    backend = opened(two_copies)
    backend.ensure_index(index, FIELDS)
    work = Work(backend, index, 24)
    try:
        work.wait(18)
        victim = two_copies.nodes[2]
        victim.kill()
        two_copies.wait("DEGRADED", two_copies.nodes[:2])
        late = opened(two_copies)
        for one in (backend, late):
            with pytest.raises(BackendError, match=r"DEGRADED.*replicas = nodes"):
                one.query(index, [of("Count", live())])
        late.close()
        two_copies.whole()
        work.wait(24)
    finally:
        work.end()
        two_copies.whole()
    assert work.wrong == []
    assert backend.query(index, [of("Count", live())])[0].count == 24 * PACKETS  # type: ignore[union-attr]
    backend.drop_index(index)
    backend.close()


def test_an_index_that_one_node_has_missed_is_made_there_too(
    backend: PilosaBackend,
    index: str,
    pilosa_cluster: PilosaCluster,  # noqa: F811
) -> None:
    """As after a maker that ended in the middle: the next one completes it on every node, whoever is asked."""
    pilosa_cluster.nodes[0].post(f"/index/{index}")
    backend.ensure_index(index, FIELDS)
    wanted = sorted([*(field.name for field in FIELDS), "access"])
    for node in pilosa_cluster.nodes:
        made = {one["name"]: one for one in node.get("/schema")["indexes"]}
        assert sorted(field["name"] for field in made[index]["fields"]) == wanted
    backend.import_batch(index, replace(batch(0), fields={}))
    assert backend.query(index, [of("Count", live())])[0].count == PACKETS  # type: ignore[union-attr]
