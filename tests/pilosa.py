"""A real Pilosa 1.4.1 for tests: built by script/build-pilosa, started on a free loopback port with its own data folder.

``from tests.pilosa import pilosa_server  # noqa: F401`` makes the session fixture known to a test module.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDS = "needs Pilosa (Go)"


def pilosa_binary() -> Path:
    """The server program: PILOSA_BIN, or .cache/pilosa/pilosa, built if Go is here. Skips, or fails with CI=true."""
    named = os.environ.get("PILOSA_BIN")
    if named:
        return Path(named)
    built = ROOT / ".cache" / "pilosa" / "pilosa"
    if built.exists():
        return built
    if shutil.which("go"):
        done = subprocess.run([ROOT / "script" / "build-pilosa"], capture_output=True, text=True)
        if done.returncode == 0:
            return built
        pytest.fail(f"script/build-pilosa: {done.stderr[-2000:]}")
    if os.environ.get("CI") == "true":
        pytest.fail(NEEDS)
    pytest.skip(NEEDS)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class PilosaServer:
    """A running server."""

    host: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"pilosa://{self.host}:{self.port}"

    def post(self, path: str, body: str = "") -> bytes:
        """The body of a plain POST: what the server says, past our own client."""
        request = urllib.request.Request(f"http://{self.host}:{self.port}{path}", body.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def stop(self) -> None:
        """Ends the server and waits for it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_pilosa(folder: Path, port: int | None = None) -> PilosaServer:
    """Starts a server on a free port and waits until it answers."""
    binary = pilosa_binary()
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [
                binary,
                "server",
                "-d",
                folder / "data",
                "-b",
                f"127.0.0.1:{port}",
                "--cluster.disabled",
                "--metric.diagnostics=false",
            ],
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5) as answer:
                if json.load(answer)["state"] == "NORMAL":
                    return PilosaServer("127.0.0.1", port, process)
        except OSError:
            pass
        time.sleep(0.05)
    process.kill()
    process.wait()
    pytest.fail(f"Pilosa did not start: {(folder / 'log').read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def pilosa_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PilosaServer]:
    """One Pilosa for the session; tests take an index name of their own."""
    server = start_pilosa(tmp_path_factory.mktemp("pilosa"))
    yield server
    server.stop()
