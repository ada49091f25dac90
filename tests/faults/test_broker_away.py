"""A broker that hangs or is gone: jobs are taken and wait, the parts are named, and all goes on when it is back."""

from __future__ import annotations

import signal
import time

import psutil
import pytest

from tests.server import Server

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("broker") / "data", PICAPWEB_RING_SECONDS="1") as started:
        yield started


def test_a_job_is_taken_while_the_broker_hangs_and_indexed_when_it_is_back(server, shared):
    broker = server.child("valkey")
    server.until(lambda: server.ask("GET", "/readyz")[0] == 200)
    broker.send_signal(signal.SIGSTOP)
    try:
        job = server.upload(shared / CAPTURE)
        assert broker.status() == psutil.STATUS_STOPPED

        def names_it() -> bool:
            status, said = server.ask("GET", "/readyz")
            assert (status, said["parts"]["broker"]["ok"]) == (503, False)
            return bool(said["parts"]["postgres"]["ok"])  # which has two seconds for its answer, as each part has

        server.until(names_it)
    finally:
        broker.send_signal(signal.SIGCONT)
    server.until(lambda: server.job(job["id"])["state"] == "done")


def test_a_broker_that_was_killed_is_started_again_and_named(server, shared):
    broker = server.child("valkey")
    broker.kill()
    job = server.upload(shared / CAPTURE, "?again=true")
    server.until(lambda: any("valkey" in line and "SIGKILL" in line for line in server.lines))
    server.until(lambda: server.job(job["id"])["state"] == "done")


def test_workers_hear_again_after_a_broker_that_hung_for_long(server, shared):
    """Longer than the timeout of their sockets: a worker that hears nothing afterwards ends by itself, and is started again."""
    broker = server.child("valkey")
    broker.send_signal(signal.SIGSTOP)
    try:
        job = server.upload(shared / CAPTURE, "?again=true")
        time.sleep(25)
    finally:
        broker.send_signal(signal.SIGCONT)
    server.until(lambda: server.job(job["id"])["state"] == "done", 120)
    for _ in range(3):
        again = server.upload(shared / CAPTURE, "?again=true")
        server.until(lambda again=again: server.job(again["id"])["state"] == "done", 120)
