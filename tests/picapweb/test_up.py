"""`manage.py up`: ready, restarts what dies and says why, ends everything, one owner of a data folder, keeps the data."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from picapweb.embedded import privilege
from tests.ports import free_port
from tests.server import PATIENCE, ROOT, Server, alive, clean_environment, command_line, left_on

SERVER_MODE = {
    "PICAPWEB_MODE": "server",
    "SECRET_KEY": "of tests only, and long enough for Django",
    "PICAPWEB_ALLOWED_HOSTS": ".picap.example",
    "PICAPWEB_TLS": "false",
}
A_TOKEN = "pw0123456789." + "a" * 43
SERVICES = ("postgres", "valkey", "worker", "beat", "web")
INDEX = """
from picapweb.files import index_files
from picapweb.uploader import headers_for_files
index_files({base!r}, [{file!r}], headers=headers_for_files())
"""


@pytest.fixture(scope="module")
def folder():
    made = Path(tempfile.mkdtemp(prefix="picapweb-up-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def eventually_nothing_on(data: Path) -> None:
    end = time.monotonic() + PATIENCE
    while left := left_on(data):
        assert time.monotonic() < end, left
        time.sleep(0.1)


def eventually_ended(family: list[psutil.Process]) -> None:
    """What a child of `up` had started itself was killed with it: nobody can wait for that, and it takes its moment to go."""
    end = time.monotonic() + PATIENCE
    while left := alive(family):
        assert time.monotonic() < end, left
        time.sleep(0.05)


def listening(server: Server) -> set[tuple[str, int]]:
    """Where its processes listen; some of them end meanwhile."""
    found = set()
    for process in server.family():
        try:
            found |= {tuple(one.laddr) for one in process.net_connections("inet") if one.status == "LISTEN"}
        except psutil.NoSuchProcess:
            continue
    return found


def one_packet() -> bytes:
    """A pcap of one Ethernet frame: 10.0.0.1 -> 10.0.0.2, UDP 53 -> 53."""
    udp = struct.pack("!HHHH", 53, 53, 8, 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    frame = bytes(12) + b"\x08\x00" + ip + udp
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame


def test_life_of_a_server(folder: Path):
    """One server for what can be asked of one server: starting takes seconds."""
    data, capture = folder / "data", folder / "one.pcap"
    capture.write_bytes(one_packet())
    with Server(data, str(capture), "/nonesuch.pcap") as server:
        # Ready, at the URL that it says; then each FILE.
        assert server.lines.count(f"ready: http://localhost:{server.port}/") == 1
        assert server.get("/healthz") == (200, b"ok\n")
        server.wait_for(r"^refused: /nonesuch\.pcap: No such file or directory$")
        server.wait_for(rf"^indexed: http://localhost:{server.port}/explore/\?job=1$")
        # Each part is asked for a bounded time: one that begins, or is slow, answers the next time.
        ready = server.until(lambda: said[1] if (said := server.ask("GET", "/readyz"))[0] == 200 else None)
        assert {name: part["ok"] for name, part in ready["parts"].items()} == dict.fromkeys(
            ("postgres", "broker", "index", "workers"), True
        )

        # Nothing of it is anyone else's to read, and only the web's port is open to the network.
        for name in (".", "run", "postgres", "captures", "index", "log"):
            assert stat.S_IMODE((data / name).stat().st_mode) == 0o700, name
        assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600
        sockets = [file for file in (data / "run").iterdir() if file.is_socket()]
        assert sorted(file.name for file in sockets) == [".s.PGSQL.5432", "valkey.sock"]
        assert [stat.S_IMODE(file.stat().st_mode) for file in sockets] == [0o700, 0o700]
        assert listening(server) == {("127.0.0.1", server.port)}

        # A second one on the same folder says who has it, and leaves it alone.
        second = Server(data)
        assert second.wait() == 1
        second.wait_for(rf"data folder {data} is in use by process {server.pid}")
        # So does one on the same port.
        other = Server(folder / "other", port=server.port)
        assert other.wait() == 1
        other.wait_for(rf"port {server.port} .*in use")

        # Whatever dies is named, with the reason, and comes back.
        for name in SERVICES:
            victim = server.child(name)
            victim.kill()
            server.wait_for(rf"^up: {name} was killed by SIGKILL; it is started again")
            server.wait_for(rf"^up: {name} is back")
            assert server.child(name).pid != victim.pid
        assert json.loads(server.get("/jobs/1/")[1])["packets"]["indexed"] == 1

        family = server.family()
        assert server.end(signal.SIGTERM) == 0
        eventually_ended(family)
        eventually_nothing_on(data)

    # Started again, everything is there; a known file is not indexed again.
    with Server(data, str(capture)) as server:
        server.wait_for(r"^known: .*one\.pcap is job 1$")
        server.wait_for(r"^indexed: .*job=1$")
        assert json.loads(server.get("/jobs/?as=json")[1])["count"] == 1
        # A supervisor that is killed takes its children with it.
        server.end(signal.SIGKILL)
        eventually_nothing_on(data)

    # And what it left (pid files, sockets, a lock) is in nobody's way.
    with Server(data) as server:
        assert json.loads(server.get("/jobs/1/")[1])["state"] == "done"
        # Who has begun to send something may end that, and is answered.
        upload, body = http.client.HTTPConnection("localhost", server.port, timeout=PATIENCE), one_packet()
        upload.putrequest("POST", "/jobs/?again=true")
        upload.putheader("Content-Type", "application/octet-stream")
        upload.putheader("Content-Length", str(len(body)))
        upload.endheaders(body[:30])
        server.until(lambda: list((data / "captures" / "incoming").iterdir()))  # it has come to a thread that reads on
        ending = threading.Timer(0.5, upload.send, [body[30:]])
        ending.start()
        assert server.end(signal.SIGINT) == 0
        assert upload.getresponse().status == 202
        eventually_nothing_on(data)


def test_files_in_server_mode(folder: Path):
    """They are uploaded by the owner of a token, under a name that is served; and as if by the proxy that speaks https for it."""
    data, capture, secret = folder / "people", folder / "ours.pcap", folder / "token"
    capture.write_bytes(one_packet())
    mode = {**SERVER_MODE, "PICAPWEB_TLS": "true", "PICAPWEB_BEHIND_PROXY": "true", "PICAPWEB_BIND": "127.0.0.1"}
    environment = clean_environment(PICAPWEB_DATA=str(data), **mode)

    def manage(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with Server(data, **mode) as server:
        manage("person", "ann", "--role", "operator")
        secret.write_text(manage("token", "ann", "--scope", "read-write") + "\n")
        looks = manage("token", "ann")
        assert server.end(signal.SIGTERM) == 0
    with Server(data, str(capture), PICAPWEB_TOKEN_FILE=str(secret), **mode) as server:
        server.wait_for(rf"^indexed: http://localhost:{server.port}/explore/\?job=1$")
        assert manage("shell", "-v", "0", "-c", "from capture.models import Job; print(Job.objects.get().owner)") == "ann"
        # What a token may not is said in the server's words, and nothing waits for it.
        command = ["shell", "-v", "0", "-c", INDEX.format(base=f"http://localhost:{server.port}", file=str(capture))]
        environment["PICAPWEB_TOKEN"] = looks
        assert manage(*command) == f"refused: {capture}: this token is read-only"
        environment["PICAPWEB_TOKEN"] = A_TOKEN
        assert manage(*command) == f"refused: {capture}: there is no such token"


@pytest.mark.needs("root")
def test_it_runs_as_an_ordinary_user(folder: Path):
    """In a namespace in which we are no root: then Postgres is started as it is."""
    if not privilege.namespaces_work():
        pytest.skip("this host refuses user namespaces")
    with Server(folder / "ordinary", mode="namespace") as server:
        assert server.get("/healthz")[0] == 200
        assert server.end(signal.SIGTERM) == 0
    eventually_nothing_on(folder / "ordinary")


def test_a_signal_while_it_starts_ends_it_too(folder: Path):
    server = Server(folder / "early")
    end = time.monotonic() + PATIENCE
    while not (folder / "early" / "run" / ".s.PGSQL.5432").exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert server.end(signal.SIGTERM) == 0
    eventually_nothing_on(folder / "early")
    assert not any(line.startswith("ready:") for line in server.lines)


def test_parts_given_by_url_are_not_started(folder: Path, embedded_postgres: str, broker: str):
    with psycopg.connect(embedded_postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE elsewhere")
    url = embedded_postgres.replace("/picapweb?", "/elsewhere?")
    with Server(folder / "external", DATABASE_URL=url, BROKER_URL=broker) as server:
        # "ready" says that it serves; workers are some seconds behind, and jobs wait for them
        server.until(lambda: server.ask("GET", "/readyz")[0] == 200)
        assert not any("bin/postgres" in command_line(one) for one in server.family())
        assert list((folder / "external" / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--port", "0"], {}, "--port 0 is not a port"),
        (["--bind", "0.0.0.0"], {}, "in local mode nobody signs in, so only loopback is served"),
        ([], {"PICAPWEB_WORKERS": "many"}, "PICAPWEB_WORKERS='many' is not a whole number"),
        ([], {"DATABASE_URL": "postgresql:///nonesuch?host=/nonesuch"}, "the database cannot be migrated"),
        (["--data", "/proc/nonesuch"], {}, "data folder /proc/nonesuch"),
        # In server mode a FILE is uploaded by somebody.
        (["a.pcap"], SERVER_MODE, "Set PICAPWEB_TOKEN (or PICAPWEB_TOKEN_FILE) to a read-write API token"),
        (["a.pcap"], {**SERVER_MODE, "PICAPWEB_TOKEN": "ann"}, "PICAPWEB_TOKEN is no API token"),
        (["a.pcap"], {**SERVER_MODE, "PICAPWEB_TOKEN": A_TOKEN, "PICAPWEB_ALLOWED_HOSTS": ""}, "PICAPWEB_ALLOWED_HOSTS"),
        (["a.pcap"], {**SERVER_MODE, "PICAPWEB_TOKEN": A_TOKEN, "PICAPWEB_TLS": "true"}, "PICAPWEB_BEHIND_PROXY is not"),
    ],
)
def test_a_start_that_cannot_be_says_why_and_exits_1(folder: Path, arguments, environment, words):
    command = [sys.executable, str(ROOT / "manage.py"), "up"]
    if "--port" not in arguments:
        command += ["--port", str(free_port())]
    if "--data" not in arguments:
        command += ["--data", str(folder / "never")]
    done = subprocess.run(
        command + arguments, env=clean_environment(**environment), capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 1, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_signal_while_the_loops_are_compiled_ends_it(folder: Path):
    """Nothing is compiled yet where PICAPWEB_COMPILED points; with the loops of a whole tree that takes a minute."""
    server = Server(folder / "compiling", PICAPWEB_COMPILED=str(folder / "compiled"))
    server.wait_for("compiling the dissector's loops")
    family = server.family()
    assert any("capture.packets.fast.warm" in command_line(one) for one in family)
    assert server.end(signal.SIGTERM) == 0
    eventually_ended(family)
    assert not any("Traceback" in line for line in server.lines)
    # What is not all there is not marked as such.
    assert not list((folder / "compiled").glob("complete-*"))
