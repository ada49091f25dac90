"""Three that speak Pilosa's HTTP: the product on either backend, and a real Pilosa alone. One of each for the whole session."""

from __future__ import annotations

import http.client
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from tests.pilosa import start_pilosa
from tests.server import Server

PROTOBUF = {"Content-Type": "application/x-protobuf", "Accept": "application/x-protobuf"}


@dataclass
class Peer:
    """One of them; asked over one connection that is kept. server: the product itself, None for Pilosa alone."""

    name: str
    port: int
    server: Server | None = None
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)
    _loaded: bool = False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body. Raises OSError or HTTPException: it is away, or broke off.

        A connection that was kept and is closed by now is made anew."""
        for kept in (self._connection is not None, False):
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            try:
                self._connection.request(method, path, body, headers or {})
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                self._connection = None
                closed = isinstance(error, BrokenPipeError | ConnectionResetError | http.client.RemoteDisconnected)
                if not (kept and closed):
                    raise
        raise AssertionError("unreachable")

    def query(self, index: str, text: str, parameters: str = "") -> tuple[int, bytes]:
        return self.ask("POST", f"/index/{index}/query{parameters}", text.encode())

    def load(self, shared: Path) -> None:
        """The data set of the recorded answers, once: its w_dev alone is written, by the recorded answers' own test."""
        if self._loaded:
            return
        done = subprocess.run(
            [sys.executable, shared / "pilosa" / "load.py", self.address], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{self.name}: load.py: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        self._loaded = True


def load_module(shared: Path) -> ModuleType:
    """load.py itself: what it loads, one bit after the other."""
    spec = importlib.util.spec_from_file_location("pilosa_load", shared / "pilosa" / "load.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def embedded_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The product on the embedded backend."""
    with Server(tmp_path_factory.mktemp("product") / "data") as server:
        yield Peer("embedded", server.port, server)


@pytest.fixture(scope="session")
def pilosa_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The product on a Pilosa of its own."""
    pilosa = start_pilosa(tmp_path_factory.mktemp("product-pilosa"))
    try:
        with Server(tmp_path_factory.mktemp("product-on-pilosa") / "data", INDEX_URL=pilosa.url) as server:
            yield Peer("pilosa", server.port, server)
    finally:
        pilosa.stop()


@pytest.fixture(scope="session")
def plain_pilosa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """A real Pilosa without us before it."""
    pilosa = start_pilosa(tmp_path_factory.mktemp("plain-pilosa"))
    try:
        yield Peer("plain", pilosa.port)
    finally:
        pilosa.stop()


@pytest.fixture(params=["embedded", "pilosa"])
def product(request: pytest.FixtureRequest) -> Peer:
    """The product on each backend."""
    peer: Peer = request.getfixturevalue(f"{request.param}_product")
    return peer


@pytest.fixture(params=["plain", "embedded", "pilosa"])
def any_peer(request: pytest.FixtureRequest) -> Peer:
    """Pilosa alone, which shows that the test itself is right, and the product on each backend."""
    name = "plain_pilosa" if request.param == "plain" else f"{request.param}_product"
    peer: Peer = request.getfixturevalue(name)
    return peer
