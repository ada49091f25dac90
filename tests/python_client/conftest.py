"""One real server for all tests of the Python client, and a capture that is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from picapweb_client import Client, Job
from tests.python_client.made import packets_made, written
from tests.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("python-client") / "data")
    try:
        yield running.__enter__()
    finally:
        running.__exit__()  # where it was not ready in time, too


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[Client]:
    with Client(f"http://127.0.0.1:{server.port}") as one:
        yield one


@pytest.fixture(scope="session")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packets of made.py as a capture file."""
    return written(packets_made(), tmp_path_factory.mktemp("captures") / "made.pcap")


@pytest.fixture(scope="session")
def job(client: Client, capture: Path) -> Job:
    """Its job, done."""
    return client.upload(capture, wait=180, tags=["made", "small"])
