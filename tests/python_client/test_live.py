"""A live capture is a job as any other: asked while it runs, stopped, waited for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from picapweb_client import Client, Job
from tests.server import Server

HELLO = b"hello from a test of the client"


@pytest.fixture
def port() -> Iterator[int]:
    """To which a datagram goes each 20 ms."""
    ended = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        receiver.bind(("127.0.0.1", 0))

        def send() -> None:
            while not ended.wait(0.02):
                sender.sendto(HELLO, receiver.getsockname())

        thread = threading.Thread(target=send)
        thread.start()
        yield int(receiver.getsockname()[1])
        ended.set()
        thread.join()


@pytest.mark.needs("root")
def test_a_capture_with_an_end(client: Client, server: Server, port: int):
    server.until(lambda: any(one.name == "lo" and one.capturable for one in client.interfaces()))
    job = client.capture("lo", filter=f"udp port {port}", max_packets=5, tags=["live"], wait=180)
    assert (job.kind, job.state, job.packets.indexed, job.tags) == ("interface", "done", 5, ("live",))
    assert [bytes(one["UDP"].payload) for one in client.carve_scapy(jobs=job)] == [HELLO] * 5
    job.delete()


@pytest.mark.needs("root")
def test_a_capture_is_asked_while_it_runs_and_stopped(client: Client, server: Server, port: int):
    server.until(lambda: client.interfaces())
    seen: list[Job] = []
    told: list[Job] = []

    def watch(now: Job) -> None:
        seen.append(now)
        # Once: what is told while it stops may be of before, and a job that has ended cannot be stopped.
        if now.state == "running" and not told and client.count(f"udp.port == {port}", jobs=now):
            told.append(now.stop())

    ended = client.capture(["lo"], filter=f"udp port {port}").wait(progress=watch)
    assert ended.live is not None and ended.live["names"] == ["lo"]
    assert (ended.state, seen[-1]) == ("stopped", ended) and ended.packets.indexed > 0
    assert "running" in [one.state for one in seen]
    ended.delete()
