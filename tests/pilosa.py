"""A real Pilosa 1.4.1 for tests: built by script/build-pilosa, started on a free loopback port with its own data folder.

``from tests.pilosa import pilosa_server  # noqa: F401`` makes the session fixture known to a test module.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port

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

    def drop(self, name: str) -> None:
        """Removes the indexes whose names begin so: one of a test, with its generations."""
        with urllib.request.urlopen(f"http://{self.host}:{self.port}/schema", timeout=60) as answer:
            known = [one["name"] for one in json.load(answer)["indexes"] or []]
        for one in known:
            if one.startswith(name):
                request = urllib.request.Request(f"http://{self.host}:{self.port}/index/{one}", method="DELETE")
                with urllib.request.urlopen(request, timeout=60):
                    pass

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
    deadline = time.monotonic() + 120
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


# Gossip that notices a lost node as soon as Pilosa lets it: it then asks the node ten times more, a second apart, before it
# believes that (confirmNodeDown), so a cluster is DEGRADED 10 seconds after the loss at best, and 30 after a node that hangs.
_FAST_GOSSIP = [
    "--anti-entropy.interval=0",  # it takes bits away from all nodes, see docs/decisions/0020-pilosa-cluster.md
    "--gossip.probe-interval=100ms",
    "--gossip.probe-timeout=80ms",
    "--gossip.interval=50ms",
    "--gossip.suspicion-mult=2",
    "--gossip.to-the-dead-time=5s",
]
# A node that is back before the others have missed it is told nothing, and stays STARTING.
MISSED_SECONDS = 4.0


@dataclass
class PilosaNode:
    """One node of a cluster on loopback; it keeps its ports and its data folder when it is started again."""

    folder: Path
    port: int
    gossip: int
    seeds: list[int]
    replicas: int
    coordinator: bool
    process: subprocess.Popen[bytes] | None = None
    killed: float = 0.0

    @property
    def host(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, not before it was missed, and does not wait for it."""
        time.sleep(max(0.0, self.killed + MISSED_SECONDS - time.monotonic()))
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            pilosa_binary(),
            "server",
            "--data-dir",
            self.folder / "data",
            f"--bind=127.0.0.1:{self.port}",
            f"--cluster.replicas={self.replicas}",
            f"--gossip.port={self.gossip}",
            f"--gossip.seeds={','.join(f'127.0.0.1:{seed}' for seed in self.seeds)}",
            "--metric.diagnostics=false",
            *_FAST_GOSSIP,
            *(["--cluster.coordinator"] if self.coordinator else []),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        """As a machine ends that loses its power: at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.killed = time.monotonic()

    def pause(self) -> None:
        """It hangs: its sockets take connections, and nothing is answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def get(self, path: str, seconds: float = 5.0) -> Any:
        """The JSON that this node itself answers, past our own client. Raises OSError."""
        with urllib.request.urlopen(f"http://{self.name}{path}", timeout=seconds) as answer:
            return json.load(answer)

    def state(self) -> str:
        """Its view of the cluster; "" if it does not answer. One that begins is NORMAL before its nodes are ready."""
        try:
            status = self.get("/status", 1.0)
        except OSError:
            return ""
        ready = all(node["state"] == "READY" for node in status["nodes"])
        return str(status["state"]) + ("" if ready or status["state"] != "NORMAL" else " but not ready")

    def post(self, path: str, body: str = "") -> Any:
        """The JSON that it answers to a plain POST."""
        return self.send(path, body.encode(), {})

    def send(self, path: str, body: bytes, headers: dict[str, str]) -> Any:
        """The JSON that it answers to a POST."""
        request = urllib.request.Request(f"http://{self.name}{path}", body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@dataclass
class PilosaCluster:
    """Nodes on loopback, the first of them the coordinator."""

    nodes: list[PilosaNode]

    @property
    def hosts(self) -> list[tuple[str, int]]:
        return [node.host for node in self.nodes]

    @property
    def url(self) -> str:
        return "pilosa://" + ",".join(node.name for node in self.nodes)

    def wait(self, state: str, nodes: Sequence[PilosaNode] | None = None, seconds: float = 180.0) -> None:
        """Until all (these) nodes say that the cluster is in that state."""
        deadline = time.monotonic() + seconds
        while (states := [node.state() for node in nodes or self.nodes]) != [state] * len(nodes or self.nodes):
            if time.monotonic() > deadline or any(node.process and node.process.poll() is not None for node in self.nodes):
                pytest.fail(f"the cluster is {states}, not {state}: {self.logs()}")
            time.sleep(0.05)

    def whole(self) -> None:
        """Every node runs, and all of them say so."""
        for node in self.nodes:
            if node.process is None:
                node.start()
            else:
                node.resume()
        self.wait("NORMAL")

    def logs(self) -> str:
        """The end of every node's log."""
        return "\n".join(f"--- {node.name}\n{(node.folder / 'log').read_text(errors='replace')[-3000:]}" for node in self.nodes)

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()


def start_cluster(folder: Path, replicas: int = 3, nodes: int = 3) -> PilosaCluster:
    """A cluster that is NORMAL."""
    gossip = [free_port() for _ in range(nodes)]
    made = [
        PilosaNode(folder / f"node{i}", free_port(), gossip[i], gossip[:i] + gossip[i + 1 :], replicas, i == 0)
        for i in range(nodes)
    ]
    cluster = PilosaCluster(made)
    try:
        for node in made:
            node.start()
        cluster.wait("NORMAL")
    except BaseException:
        cluster.stop()
        raise
    return cluster


@pytest.fixture(scope="session")
def started_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PilosaCluster]:
    """Three nodes that hold everything each."""
    cluster = start_cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture
def pilosa_cluster(started_cluster: PilosaCluster, request: pytest.FixtureRequest) -> Iterator[PilosaCluster]:
    """The same, whole at the beginning of each test; its nodes' logs are shown if the test fails."""
    started_cluster.whole()
    failed = request.session.testsfailed
    yield started_cluster
    started_cluster.whole()
    if request.session.testsfailed > failed:
        print(started_cluster.logs())
