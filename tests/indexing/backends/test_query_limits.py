"""Queries that would take too long or too much memory are ended, on both backends; others are answered meanwhile."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from indexing.backends import pilosa_http
from indexing.backends.base import SHARD_WIDTH, BackendAway, BatchBits, FieldSchema, SetBits
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.pilosa import PilosaBackend
from indexing.calls import Call
from indexing.limits import LimitExceeded, within
from tests.indexing.backends.conftest import of, row
from tests.pilosa import PilosaServer

INDEX = "limited"
FIELDS = [FieldSchema(name, "set") for name in ("every", "many", "other", "third")]
COUNT = 40_000


def batch(number: int, first: int) -> BatchBits:
    columns = np.arange(first, first + COUNT, dtype=np.uint64)
    rng = np.random.default_rng(number)
    several = np.repeat(columns, 3)
    fields = {
        "every": SetBits(np.ones(COUNT, np.uint64), columns),
        "many": SetBits(np.arange(COUNT, dtype=np.uint64), columns),
        "other": SetBits(rng.integers(0, 3000, several.size).astype(np.uint64), several),
        "third": SetBits(rng.integers(0, 3000, several.size).astype(np.uint64), several),
    }
    return BatchBits(number, first, COUNT, fields)


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBackend]:
    backend = EmbeddedBackend(tmp_path_factory.mktemp("limits"))
    backend.ensure_index(INDEX, FIELDS)
    for number in range(3):
        backend.import_batch(INDEX, batch(number + 1, number * SHARD_WIDTH))
    yield backend
    backend.close()


def rows(*names: str) -> list[Call]:
    return [of("Rows", field=name) for name in names]


MEMORY = {
    "the columns of a row": row("every", 1),
    "pairs of rows and counts": of("TopN", field="many"),
    "rows": of("Rows", field="many"),
    "groups": of("GroupBy", *rows("many", "every"), limit=30_000),
    "the combinations of other and third and many": of("GroupBy", *rows("other", "third", "many"), limit=9),
    "the combinations of other and third": of("GroupBy", *rows("other", "third"), limit=9),
}


@pytest.mark.parametrize("what", MEMORY)
def test_what_needs_too_much_memory_is_ended_and_says_for_what(heavy: EmbeddedBackend, what: str) -> None:
    limit = 1_500_000 if what in ("the columns of a row", "rows") else 4_000_000
    with within(None, limit), pytest.raises(LimitExceeded, match=f"for {what}") as raised:
        heavy.query(INDEX, [MEMORY[what]])
    assert raised.value.status == 413
    assert "(PICAPWEB_QUERY_MEMORY)" in str(raised.value)


def test_all_of_them_are_answered_where_there_is_room(heavy: EmbeddedBackend) -> None:
    with within(None, 1 << 30):
        answers = [heavy.query(INDEX, [call])[0] for call in MEMORY.values()]
    assert len(answers[0].columns) == 3 * COUNT
    assert len(answers[1].pairs) == len(answers[2].ids) == COUNT


def test_calls_of_one_request_share_the_memory(heavy: EmbeddedBackend) -> None:
    with within(None, 2_500_000):
        heavy.query(INDEX, [row("every", 1)])
    with within(None, 2_500_000), pytest.raises(LimitExceeded):
        heavy.query(INDEX, [row("every", 1)] * 3)


def chain(length: int) -> Call:
    """A program of so many steps, that nothing ends early."""
    deep = row("every", 1)
    for number in range(length):
        deep = of("Union", of("Xor", deep, row("other", number % 3000)), row("third", number % 2999))
    return of("Count", deep)


@pytest.mark.parametrize(
    "call",
    [chain(4000), of("GroupBy", *rows("other", "third")), of("TopN", of("Not", row("other", 1)), field="many", n=5)],
    ids=["a long program", "groups", "tops"],
)
def test_what_takes_too_long_is_ended(heavy: EmbeddedBackend, call: Call) -> None:
    with within(0.0005, None), pytest.raises(LimitExceeded) as raised:
        heavy.query(INDEX, [call])
    assert raised.value.status == 504
    assert str(raised.value) == "the query took longer than 0.0005 s and was ended (PICAPWEB_QUERY_SECONDS)"


def test_after_an_ended_query_the_same_one_is_answered_in_full(heavy: EmbeddedBackend) -> None:
    call = of("TopN", row("every", 1), field="other", n=3)
    want = heavy.query(INDEX, [call])
    with within(0, None), pytest.raises(LimitExceeded):
        heavy.query(INDEX, [of("TopN", row("every", 1), field="other", n=4)])
    assert heavy.query(INDEX, [call]) == want


def test_small_queries_are_answered_while_a_heavy_one_runs_to_its_limit(heavy: EmbeddedBackend) -> None:
    ended: list[LimitExceeded] = []

    def ask_much() -> None:
        try:
            with within(1.0, None):
                while True:
                    heavy.query(INDEX, [chain(3000), of("GroupBy", *rows("other", "third"), filter=row("every", 1))])
        except LimitExceeded as error:
            ended.append(error)

    thread = threading.Thread(target=ask_much)
    thread.start()
    answered = 0
    while thread.is_alive():
        with within(10.0, 1 << 20):
            (count,) = heavy.query(INDEX, [of("Count", of("Intersect", row("every", 1), row("many", answered % 1000)))])
        assert count.count == 3
        answered += thread.is_alive()
    thread.join()
    assert [error.status for error in ended] == [504]
    assert answered > 20


# Pilosa


@pytest.fixture
def pilosa(pilosa_server: PilosaServer) -> Iterator[PilosaBackend]:
    backend = PilosaBackend([(pilosa_server.host, pilosa_server.port)])
    backend.ensure_index(INDEX, FIELDS[:2])
    all_fields = batch(1, 0)
    backend.import_batch(INDEX, BatchBits(1, 0, COUNT, {name: all_fields.fields[name] for name in ("every", "many")}))
    yield backend
    backend.drop_index(INDEX)
    backend.close()


def test_pilosas_answer_that_is_too_large_is_ended(pilosa: PilosaBackend) -> None:
    with within(30, 200_000), pytest.raises(LimitExceeded, match="for Pilosa's answer") as raised:
        pilosa.query(INDEX, [row("every", 1)])
    assert raised.value.status == 413
    with within(30, 10 << 20):
        assert len(pilosa.query(INDEX, [row("every", 1)])[0].columns) == COUNT
        assert pilosa.query(INDEX, [of("Count", row("every", 1))])[0].count == COUNT


class _Slow(BaseHTTPRequestHandler):
    """Says what it is, and nothing to a question until it is released."""

    released: threading.Event

    def do_GET(self) -> None:
        if self.path != "/version":
            self.released.wait(120)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self) -> None:
        self.released.wait(120)

    def log_message(self, *_: object) -> None:
        pass


def test_a_query_that_takes_too_long_in_pilosa_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pilosa_http, "_LOOK_SECONDS", 60.0)  # on a busy machine a word may take longer than it may of Pilosa's
    monkeypatch.setattr(_Slow, "released", threading.Event(), raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Slow) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        backend = PilosaBackend([("127.0.0.1", server.server_port)])
        with within(0.3, None), pytest.raises(LimitExceeded, match=r"took longer than 0\.3 s") as raised:
            backend.query(INDEX, [of("Count", row("every", 1))])
        assert raised.value.status == 504
        with within(0, None), pytest.raises(LimitExceeded):
            backend.query(INDEX, [of("Count", row("every", 1))])
        backend.close()
        _Slow.released.set()
        server.shutdown()


def test_a_pilosa_that_hangs_is_away() -> None:
    """A server that takes connections and says nothing at all: it is not the query's fault."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        backend = PilosaBackend([("127.0.0.1", silent.getsockname()[1])])
        with within(0.9, None), pytest.raises(BackendAway, match=r"did not answer in 0\.\d+ seconds"):
            backend.query(INDEX, [of("Count", row("every", 1))])
        backend.close()
