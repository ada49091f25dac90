"""What several processes count is added up, and what a process counted that has ended stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.wsgi import get_wsgi_application
from prometheus_client.parser import text_string_to_metric_families as parse

from picapweb import counts
from picapweb.metrics.processes import processes
from picapweb.one_write import OneWrite
from picapweb.requests import Requests
from proxy.api.pilosa_fast import FastQueries
from tests.server import ROOT

PACKETS = ("picapweb_indexed_packets", ())
COUNTING = """
import django, sys
django.setup()
from picapweb import counts
counts.add("picapweb_indexed_packets", (), 7)
counts.add("picapweb_query_seconds", ("Count",), 0.003)
counts.save()
print("counted", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path, settings, monkeypatch) -> Path:
    """A data folder in which this process has counted nothing yet."""
    before = counts._process
    monkeypatch.setattr(counts, "_process", counts._Process())
    if before.thread is not None:
        before.thread.join()  # it would save what the session counted, in the folder that is this test's by then
    settings.PICAPWEB_DATA = tmp_path
    counts._queue.clear()
    return tmp_path


def another(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", COUNTING],
        cwd=ROOT,
        env={**os.environ, "PICAPWEB_DATA": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "counted\n"
    return process


def test_processes_are_added_up_and_outlived(folder: Path):
    counts.add(*PACKETS, 5)
    with another(folder) as one, another(folder) as two:
        assert counts.everybody()[PACKETS] == [19]
        two.send_signal(signal.SIGKILL)
        two.wait()
        assert counts.everybody()[PACKETS] == [19]
        assert counts.everybody()[PACKETS] == [19]  # and not once more for each look
        one.kill()
    assert counts.everybody()[PACKETS] == [19]
    assert len(list((folder / "metrics").glob("*-0.json"))) == 1  # theirs are put together; ours is there
    cells = counts.everybody()["picapweb_query_seconds", ("Count",)]
    assert sum(cells[:-1]) == 2 and cells[counts.BOUNDS.index(0.005)] == 2
    assert cells[-1] == pytest.approx(0.006)


def test_who_died_while_adding_up_counted_nothing_twice(folder: Path):
    with another(folder) as one:
        one.kill()
    (left,) = (folder / "metrics").glob("*-0.json")
    kept = left.read_text()
    assert counts.everybody()[PACKETS] == [7]
    # As if it had ended between noting what was added and removing it.
    left.write_text(kept)
    gone = folder / "metrics" / "gone.json"
    gone.write_text(json.dumps({**json.loads(gone.read_text()), "ended": [left.name]}))
    assert counts.everybody()[PACKETS] == [7]
    assert not left.exists()


def test_a_forked_child_counts_for_itself(folder: Path):
    counts.add(*PACKETS, 5)
    counts.save()
    child = os.fork()
    if child == 0:
        try:
            counts.add(*PACKETS, 2)
            counts.save()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert counts.everybody()[PACKETS] == [7]


def test_files_of_another_version_or_broken_ones_are_left_out(folder: Path):
    counts.add(*PACKETS, 5)
    counts.save()
    rows = [["nonesuch", [], [1]], ["picapweb_query_seconds", ["Count"], [1, 2]], ["picapweb_indexed_packets", [], [3]]]
    (folder / "metrics" / "a-1-0.json").write_text(json.dumps(rows))
    (folder / "metrics" / "b-1-0.json").write_text("{")
    assert counts.everybody() == {PACKETS: [8]} | {
        key: cells for key, cells in counts.everybody().items() if counts.FAMILIES[key[0]].kind == "gauge" or "cache" in key[0]
    }


def test_a_full_disk_is_no_reason_to_fail(folder: Path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(counts, "_write", fail)
    counts.add(*PACKETS, 5)
    counts.save()
    monkeypatch.undo()


def test_bounds_belong_to_their_bucket(folder: Path):
    for seconds in (0.0005, 0.00051, 31.0):
        counts.add("picapweb_batch_seconds", (), seconds)
    (batch,) = [family for family in processes() if family.name == "picapweb_batch_seconds"]
    buckets = {one.labels["le"]: one.value for one in batch.samples if one.name.endswith("_bucket")}
    assert (buckets["0.0005"], buckets["0.001"], buckets["30.0"], buckets["+Inf"]) == (1, 2, 2, 3)


def _ask(application, path: str, method: str = "GET", body: bytes = b"") -> None:
    import io

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    b"".join(application(environ, lambda *_: None))


def test_requests_by_view_and_questions_by_call(data: Path, folder: Path):
    whole = Requests(FastQueries(OneWrite(get_wsgi_application())))
    _ask(whole, "/healthz")
    _ask(whole, "/healthz", "POST")
    _ask(whole, "/nonesuch")
    _ask(whole, "/index/net/query", "POST", b"Count(Row(tcp=SYN))")
    _ask(whole, "/index/net/query", "POST", b"Count(Row(tcp=SYN)) TopN(netsrc)")
    _ask(whole, "/index/net/query", "POST", b"Nonesuch()")
    found = counts.everybody()
    requests = {labels: cells[0] for (name, labels), cells in found.items() if name == "picapweb_http_requests"}
    assert requests == {
        ("healthz", "GET", "200"): 1,
        ("healthz", "POST", "405"): 1,
        ("none", "GET", "404"): 1,
        ("pilosa-query", "POST", "200"): 2,
        ("pilosa-query", "POST", "400"): 1,
    }
    calls = {labels: sum(cells[:-1]) for (name, labels), cells in found.items() if name == "picapweb_query_seconds"}
    assert calls == {("Count",): 1, ("several",): 1}
    assert sum(found["picapweb_http_request_seconds", ("pilosa-query",)][:-1]) == 3


def test_the_cache_is_counted(data: Path, folder: Path):
    whole = Requests(FastQueries(OneWrite(get_wsgi_application())))
    for _ in range(3):
        _ask(whole, "/index/net/query", "POST", b"Count(Row(tcp=SYN))")
    found = counts.everybody()
    assert found["picapweb_query_cache_lookups", ("hit",)][0] >= 2
    assert found["picapweb_query_cache_lookups", ("miss",)][0] >= 1
    assert found["picapweb_query_cache_bytes", ()][0] > 0


def test_prometheus_reads_it(folder: Path, client, db):
    counts.add("picapweb_query_seconds", ("Count",), 0.003)
    text = client.get("/metrics", headers={"host": "localhost"}).content.decode()
    families = {family.name: family for family in parse(text)}
    for name, about in counts.FAMILIES.items():
        assert (families[name].type, families[name].documentation) == (about.kind, about.words)
        # Prometheus' naming: base units; what is counted ends in _total (the parser takes it off).
        assert not name.endswith("_total") and (about.kind != "histogram" or name.endswith("_seconds"))
    (count,) = [one for one in families["picapweb_query_seconds"].samples if one.name.endswith("_count")]
    assert (count.labels, count.value) == ({"call": "Count"}, 1)
