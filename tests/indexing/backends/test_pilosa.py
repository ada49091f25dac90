"""The Pilosa backend: hosts that are away, what is written past us, and what Pilosa itself says of our bits."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from indexing.backends import open_backend, pilosa_cluster, pilosa_http, pilosa_schema
from indexing.backends.base import BackendAway, BackendError, BatchRange, FieldSchema
from indexing.backends.pilosa import PilosaBackend
from indexing.calls import QueryError
from tests.indexing.backends.conftest import bits, of, row
from tests.pilosa import PilosaServer, free_port, start_pilosa

FIELDS = [FieldSchema("proto", "set"), FieldSchema("length", "int", 0, 1000)]


@pytest.fixture
def pilosa(pilosa_server: PilosaServer):
    backend = PilosaBackend([(pilosa_server.host, pilosa_server.port)])
    yield backend
    for index in backend.indexes():
        if index.startswith("own-"):
            backend.drop_index(index)
    backend.close()


def test_pilosa_itself_answers_with_our_bits(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    pilosa.ensure_index("own-a", FIELDS)
    pilosa.import_batch("own-a", bits(1, (1 << 20) - 2, 4, proto=[(6, 0), (6, 3), (17, 1)], length={0: 7, 3: 9}))
    answer = json.loads(
        pilosa_server.post("/index/own-a/query", "Row(proto=6)Not(Row(proto=6))TopN(proto)Sum(field=length)Row(access=0)")
    )
    first = (1 << 20) - 2
    assert [one["columns"] if isinstance(one, dict) and "columns" in one else one for one in answer["results"]] == [
        [first, first + 3],
        [first + 1, first + 2],
        [{"id": 6, "count": 2}, {"id": 17, "count": 1}],
        {"value": 16, "count": 2},
        [first, first + 1, first + 2, first + 3],
    ]


def test_access_comes_last(pilosa: PilosaBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch whose import broke off before its end is not visible; the retry completes it."""
    pilosa.ensure_index("own-b", FIELDS)
    pilosa.import_batch("own-b", bits(1, 0, 5, proto=[(6, 0)]))
    send = pilosa._importer._roaring

    def breaks(index: str, field: str, shard: int, data: bytes, clear: bool = False) -> None:
        if field == "_exists":
            raise BackendAway("broke off")
        send(index, field, shard, data, clear)

    monkeypatch.setattr(pilosa._importer, "_roaring", breaks)
    late = bits(2, 5, 5, proto=[(6, 0)], length={0: 3})
    with pytest.raises(BackendAway):
        pilosa.import_batch("own-b", late)
    monkeypatch.undo()
    visible = of("Count", of("Intersect", row("proto", 6), row("access", 0)))
    assert pilosa.query("own-b", [visible])[0].count == 1
    pilosa.import_batch("own-b", late)
    assert pilosa.query("own-b", [visible])[0].count == 2


def test_a_field_that_outgrew_its_cache_is_counted_without_it(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    pilosa.ensure_index("own-c", FIELDS)
    for name in ("small", "sparse"):
        pilosa_server.post(f"/index/own-c/field/{name}", '{"options":{"type":"set","cacheType":"ranked","cacheSize":10}}')
    pilosa.import_batch("own-c", bits(1, 0, 50, small=[(c, c) for c in range(40)], sparse=[(10**9 + c, c) for c in range(9)]))
    under = row("access", 0)
    small, sparse, proto, ids = pilosa.query(
        "own-c",
        [of("TopN", under, field=f, n=3) for f in ("small", "sparse", "proto")] + [of("TopN", under, field="small", ids=[1, 39])],
    )
    assert (small.exact, sparse.exact, proto.exact, ids.exact) == (True, True, True, True)
    assert [(pair.id, pair.count) for pair in small.pairs] == [(0, 1), (1, 1), (2, 1)]
    assert [pair.id for pair in ids.pairs] == [1, 39]
    (every,) = pilosa.query("own-c", [of("TopN", under, field="small")])
    assert every.exact
    assert [pair.id for pair in every.pairs] == list(range(40))


def test_a_field_that_outgrows_its_cache_is_not_exact(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    """All of it was in the cache when the field was first looked at."""
    pilosa.ensure_index("own-e", FIELDS)
    pilosa_server.post("/index/own-e/field/small", '{"options":{"type":"set","cacheType":"ranked","cacheSize":10}}')
    pilosa.import_batch("own-e", bits(1, 0, 50, small=[(c % 5, c) for c in range(40)]))
    assert pilosa.query("own-e", [of("TopN", row("access", 0), field="small")])[0].exact
    pilosa.import_batch("own-e", bits(2, 50, 50, small=[(c, c) for c in range(40)]))
    pilosa._schemas.index("own-e").known.clear()  # what is believed for half a minute
    assert not pilosa.query("own-e", [of("TopN", row("access", 0), field="small")])[0].exact


def test_the_caches_of_new_fields_hold_every_row_of_a_shard(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    pilosa.ensure_index("own-d", FIELDS)
    options = pilosa_schema.read(pilosa._cluster)["own-d"].options
    assert (options["proto"]["cacheType"], options["proto"]["cacheSize"]) == ("ranked", 1 << 20)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ('{"type":"set","keys":true}', "set with keys"),
        ('{"type":"mutex"}', "mutex"),
        ('{"type":"set","cacheType":"none"}', "cacheType none"),
        ('{"type":"int","min":0,"max":5}', "int"),
    ],
)
def test_fields_made_otherwise_are_refused(pilosa: PilosaBackend, pilosa_server: PilosaServer, options: str, says: str) -> None:
    pilosa_server.post("/index/own-e")
    pilosa_server.post("/index/own-e/field/proto", f'{{"options":{options}}}')
    with pytest.raises(BackendError, match=says):
        pilosa.ensure_index("own-e", FIELDS)


def test_a_cache_that_is_too_small_is_said(
    pilosa: PilosaBackend, pilosa_server: PilosaServer, caplog: pytest.LogCaptureFixture
) -> None:
    pilosa_server.post("/index/own-i")
    pilosa_server.post("/index/own-i/field/proto", '{"options":{"type":"set","cacheType":"ranked","cacheSize":10}}')
    pilosa.ensure_index("own-i", FIELDS)
    assert "field proto of index own-i has a cacheSize of 10" in caplog.text
    pilosa.import_batch("own-i", bits(1, 0, 50, proto=[(c, c) for c in range(10)]))
    under = of("TopN", row("access", 0), field="proto")
    assert pilosa.query("own-i", [under])[0].exact is True
    pilosa._schemas._known[1]["own-i"].known.clear()
    pilosa.import_batch("own-i", bits(2, 50, 50, proto=[(c, c) for c in range(50)]))
    assert pilosa.query("own-i", [under])[0].exact is False


def test_not_is_right_where_pilosa_forgets_existence(pilosa: PilosaBackend) -> None:
    """Ints that are imported beside a run of existence make Pilosa 1.4.1 forget the run."""
    pilosa.ensure_index("own-j", FIELDS)
    for number in range(4):
        ints = {"length": dict.fromkeys(range(50), 3)} if number % 2 else {}
        pilosa.import_batch("own-j", bits(number, 100 * number, 100, proto=[(6, 0)], **ints))
    calls = [of("Count", of("Intersect", of("Not", inner), row("access", 0))) for inner in (of("Union"), row("proto", 6))]
    assert [result.count for result in pilosa.query("own-j", calls)] == [400, 396]


def test_an_index_with_keys_is_refused(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    pilosa_server.post("/index/own-f", '{"options":{"keys":true}}')
    with pytest.raises(BackendError, match="own-f"):
        pilosa.ensure_index("own-f", FIELDS)


def test_a_field_that_another_process_made_is_found_at_once(pilosa: PilosaBackend, pilosa_server: PilosaServer) -> None:
    pilosa.ensure_index("own-g", FIELDS)
    with pytest.raises(QueryError, match="field not found"):
        pilosa.query("own-g", [row("later", 1)])
    other = PilosaBackend([(pilosa_server.host, pilosa_server.port)])
    other.ensure_index("own-g", [FieldSchema("later", "set")])
    other.import_batch("own-g", bits(1, 0, 5, later=[(1, 2)]))
    other.close()
    assert pilosa.query("own-g", [row("later", 1)])[0].columns.tolist() == [2]


def test_the_next_host_is_asked_when_one_is_away(pilosa_server: PilosaServer) -> None:
    backend = PilosaBackend([("127.0.0.1", free_port()), (pilosa_server.host, pilosa_server.port)])
    assert backend.status()["state"] == "NORMAL"
    backend.close()


def test_away_names_every_host_and_why() -> None:
    one, two = free_port(), free_port()
    backend = PilosaBackend([("127.0.0.1", one), ("127.0.0.1", two)])
    for ask in (backend.status, backend.indexes, lambda: backend.query("net", [row("proto", 1)])):
        with pytest.raises(BackendAway) as away:
            ask()
        for port in (one, two):
            assert f"127.0.0.1:{port}" in str(away.value)
        assert "refused" in str(away.value)


def test_a_server_that_ends_and_comes_back(tmp_path: Path) -> None:
    server = start_pilosa(tmp_path)
    backend = open_backend(server.url, tmp_path)
    backend.ensure_index("net", FIELDS)
    backend.import_batch("net", bits(1, 0, 5, proto=[(6, 0)], length={1: 5}))
    backend.import_batch("net", bits(2, 5, 5, proto=[(6, 0)], length={1: 5}))
    backend.hide_batches("net", [BatchRange(1, 0, 5)])
    server.stop()
    with pytest.raises(BackendAway, match=str(server.port)):
        backend.query("net", [row("proto", 6)])
    with pytest.raises(BackendAway, match=str(server.port)):
        backend.import_batch("net", bits(3, 10, 5))
    server = start_pilosa(tmp_path, server.port)
    answer = backend.query(
        "net", [of("Intersect", row("proto", 6), row("access", 0)), of("Sum", row("access", 0), field="length")]
    )
    assert answer[0].columns.tolist() == [5]
    assert answer[1].value == 5
    backend.close()
    server.stop()


def test_a_server_that_is_started_again_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second without answers is none for who asks; a server that is opening its data is not believed to have none."""
    # On a busy machine a program needs more than a second until it serves.
    for module in (pilosa_http, pilosa_cluster):
        monkeypatch.setattr(module, "PAUSES", (0.1, 0.3, *[0.9] * 60))
    monkeypatch.setattr(pilosa_http, "_TRY_SECONDS", 60.0)
    server = start_pilosa(tmp_path)
    backend = open_backend(server.url, tmp_path)
    backend.ensure_index("net", FIELDS)
    backend.import_batch("net", bits(1, 0, 5, proto=[(6, 0)]))
    for _ in range(3):
        server.process.kill()
        server.process.wait()
        with ThreadPoolExecutor(1) as pool:
            restarted = pool.submit(start_pilosa, tmp_path, server.port)
            fresh = open_backend(server.url, tmp_path)
            assert list(fresh.indexes()) == ["net"]
            fresh.hide_batches("net", [BatchRange(9, 50, 5)])
            assert backend.query("net", [of("Count", row("access", 0))])[0].count == 5
            backend.import_batch("net", bits(1, 0, 5, proto=[(6, 0)]))
            fresh.close()
            server = restarted.result()
    backend.close()
    server.stop()


def test_rows_of_many_columns(pilosa: PilosaBackend) -> None:
    pilosa.ensure_index("own-h", FIELDS)
    pilosa.import_batch("own-h", bits(1, 0, 1500, proto=[(c % 11, c) for c in range(1500)]))
    column, found = pilosa.rows_of_columns("own-h", "proto", np.arange(1500, dtype=np.uint64))
    assert (column.tolist(), found.tolist()) == (list(range(1500)), [c % 11 for c in range(1500)])


@pytest.mark.parametrize(
    "url", ["", "redis://x", "embedded://data", "pilosa:", "pilosa://", "pilosa://host:port", "pilosa://a:1,", "pilosa://u@h:1/x"]
)
def test_an_address_that_is_none_is_refused_with_the_two_forms(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"embedded:.*pilosa://host:port"):
        open_backend(url, tmp_path)


def test_addresses_with_and_without_port(tmp_path: Path) -> None:
    backend = open_backend("pilosa://one:1234,two", tmp_path)
    assert isinstance(backend, PilosaBackend)
    assert backend._http.hosts == [("one", 1234), ("two", 10101)]
