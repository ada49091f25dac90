"""Live jobs on a real Pilosa: away for a while, nothing is lost; what a turning ring took out is in no answer."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from tests.live import jobs
from tests.server import Server

pytestmark = pytest.mark.needs("../shared")

MIX = "large/derived__merged-home-and-web-mix.pcap"


@pytest.fixture(scope="module")
def server(tmp_path_factory, pilosa_server) -> Iterator[Server]:
    settings = {"INDEX_URL": pilosa_server.url, "PICAPWEB_WORKERS": "2", "PICAPWEB_LEASE_SECONDS": "4"}
    with Server(tmp_path_factory.mktemp("live-pilosa") / "data", **settings) as started:
        yield started


def test_pilosa_is_away_for_a_while(server, wire, shared, pilosa_server):
    job = jobs.order(server, wire.near, fields="picap")["id"]
    first = wire.send(shared / "pcaps" / MIX, "--pps=20000", "--limit=2000")
    jobs.indexed(server, job, first)
    away = psutil.Process(pilosa_server.process.pid)
    away.suspend()
    try:
        second = wire.send(shared / "pcaps" / MIX, "--pps=5000", "--limit=10000")
        said = server.until(lambda: (one := server.job(job))["live"]["captured"] == first + second and one)
        assert said["live"]["dropped_by_kernel"] == 0
    finally:
        away.resume()
    jobs.indexed(server, job, first + second, 120)
    said = jobs.stop(server, job)
    jobs.adds_up(said)
    assert server.pql(f"Count(Row(job={job}))") == [first + second]


def test_a_turning_ring(server, wire, shared):
    job = jobs.order(server, wire.near, fields="picap", ring_bytes=1 << 20, ring_files=2)["id"]
    sent = wire.send(shared / "pcaps" / MIX, "--pps=10000")
    server.until(lambda: server.job(job)["packets"]["read"] == sent, 120)

    def turned() -> dict | None:
        said = server.job(job)
        files = said["live"]["files"]
        return said if files["kept"] <= 2 and files["removed"] > 2 and said["live"]["lag"]["packets"] == 0 else None

    server.until(turned, 120)
    said = jobs.agrees(server, job)
    assert said["packets"]["indexed"] + said["packets"]["removed"] == sent
    (top,) = server.pql(f"TopN(netproto, Row(job={job}))")
    assert 0 < sum(pair["count"] for pair in top) <= said["packets"]["indexed"]
    jobs.adds_up(jobs.stop(server, job))
