"""A standing query over a live capture: an alert while the packets arrive, and each of them counted once."""

from __future__ import annotations

import json

import pytest

from tests.live import jobs
from tests.proxy.saved.receiver import receiving

pytestmark = pytest.mark.needs("../shared")

MIX = "large/derived__merged-home-and-web-mix.pcap"
QUERY = 'Row(transdst="53")'
JSON = {"Content-Type": "application/json"}


def test_packets_on_the_wire_raise_alerts(server, wire, shared):
    job = jobs.order(server, wire.near)["id"]
    with receiving() as receiver:
        alert = {"webhook": receiver.url, "secret": "0123456789abcdef"}
        body = {"name": f"names of job {job}", "q": QUERY, "jobs": [job], "alert": alert}
        status, saved = server.ask("POST", "/saved/", json.dumps(body), **JSON)
        assert status == 201, saved

        def alerts() -> list[dict]:
            return server.ask("GET", f"/alerts/?saved={saved['id']}&limit=500")[1]["results"]

        sent = wire.send(shared / "pcaps" / MIX, "--pps=4000", "--limit=8000")
        server.until(alerts)
        assert server.job(job)["state"] == "running"
        jobs.indexed(server, job, sent)
        jobs.stop(server, job)
        (found,) = server.pql(f"Count(Intersect({QUERY}, Row(job={job})))")
        assert found > 0
        server.until(lambda: sum(one["count"] for one in alerts()) == found)
        server.until(lambda: len(receiver.got) == len(alerts()))
        assert all(receiver.is_signed(i, "0123456789abcdef") for i in range(len(receiver.got)))
        assert sorted(one["alert"]["id"] for one in receiver.bodies) == sorted(one["id"] for one in alerts())
        assert all(one["jobs"] == [job] for one in alerts())
    status, _ = server.ask("DELETE", saved["url"])
    assert status == 204
