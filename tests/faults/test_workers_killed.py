"""The whole worker group is killed in the middle of a job: it starts anew, and the index is exact without a person."""

from __future__ import annotations

import json
import signal
import time

import psutil
import pytest

from tests.server import Server

CAPTURE = "large/derived__merged-home-and-web-mix.pcap"
LEASE_SECONDS = 4
FIELDS = ("netsrc", "netdst", "transsrc", "transdst", "tcp", "http-hostname", "time-second", "linktype", "error")


@pytest.fixture
def server(tmp_path):
    settings = {"PICAPWEB_LEASE_SECONDS": str(LEASE_SECONDS), "PICAPWEB_BATCH_PACKETS": "1000", "PICAPWEB_WORKERS": "2"}
    with Server(tmp_path / "data", **settings) as started:
        yield started


def answers(server: Server, job: int) -> list:
    """Everything that the index says of a job."""
    here = f"Row(job={job})"
    tops = [f"TopN({field}, {here})" for field in FIELDS]
    return server.pql(f"Count({here}) Sum({here}, field=length) " + " ".join(tops))


def without_ids(results: list) -> list:
    return [sorted((pair["key"], pair["count"]) for pair in one) if isinstance(one, list) else one for one in results]


def test_the_index_is_exact_after_the_worker_group_was_killed(server, shared):
    told = json.loads((shared / "pcaps" / "truth" / f"{CAPTURE}.json").read_text())
    job = server.upload(shared / "pcaps" / CAPTURE)["id"]
    killed = 0
    for share in (0.2, 0.5):
        server.until(lambda at=share: server.job(job)["packets"]["indexed"] >= at * told["packets"])
        worker = server.child("worker")
        group = [worker, *worker.children(recursive=True)]
        assert server.job(job)["state"] == "running"
        for process in group:
            try:
                process.send_signal(signal.SIGKILL)
                killed += 1
            except psutil.NoSuchProcess:
                continue
    assert killed >= 4
    began = time.monotonic()
    server.until(lambda: server.job(job)["state"] != "running", 120)
    recovered = time.monotonic() - began

    said = server.job(job)
    assert (said["state"], said["error"]) == ("done", None), (said, recovered)
    assert said["packets"]["read"] == said["packets"]["indexed"] == told["packets"]
    assert any("worker" in line and "SIGKILL" in line for line in server.lines), server.lines

    undisturbed = server.upload(shared / "pcaps" / CAPTURE, "?again=true")["id"]
    server.until(lambda: server.job(undisturbed)["state"] == "done", 120)
    assert without_ids(answers(server, job)) == without_ids(answers(server, undisturbed))
    assert answers(server, job)[:2] == [told["packets"], {"value": told["frame_len_sum"], "count": told["packets"]}]
