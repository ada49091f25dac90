"""Who may capture: the live worker alone. Without the right, everything else works, and the pages say what to run."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.live import jobs
from tests.server import ROOT, Server

NET_RAW = 1 << 13
# Nothing that is started from here on can get the right, not even root's programs.
WITHOUT = ["setpriv", "--bounding-set", "-net_raw,-net_admin", "--inh-caps", "-net_raw,-net_admin"]
# As an ordinary user, though the user's number is 0: programs get what their files give them, and nothing for being root's.
NO_ROOT = ["setpriv", "--securebits", "+noroot", "--inh-caps", "-all", "--"]


def effective(pid: int) -> int:
    """What a process may do; nothing where it has ended meanwhile, as one of Postgres's may at any moment."""
    try:
        said = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    (found,) = re.findall(r"^CapEff:\s*([0-9a-f]+)$", said, re.MULTILINE)
    return int(found, 16)


@pytest.mark.needs("root")
def test_only_the_live_worker_has_it_even_where_all_run_as_root(server):
    holders = [process.pid for process in server.family() if effective(process.pid) & NET_RAW]
    assert server.child("live").pid in holders
    for name in ("web", "worker", "beat"):
        child = server.child(name)
        for process in [child, *child.children(recursive=True)]:
            assert not effective(process.pid) & NET_RAW, (name, process)


@pytest.mark.needs("root", "setpriv (util-linux)")
def test_without_it_the_list_says_why_and_files_are_indexed(tmp_path, capture_of_one_packet):
    with Server(tmp_path / "data", prefix=WITHOUT) as server:
        # Of a worker that has just said that it lives, no interface may be known yet.
        found = server.until(lambda: (said := server.ask("GET", "/interfaces/")[1]) and said[0]["host"] and said)
        assert "lo" in {one["name"] for one in found}
        for one in found:
            assert not one["capturable"]
            assert "allow-capture" in one["why_not"], one
        body = json.dumps({"iface": "lo"})
        status, refused = server.ask("POST", "/jobs/", body, **{"Content-Type": "application/json"})
        assert (status, refused["option"]) == (400, "iface")
        assert "allow-capture" in refused["detail"]
        assert server.ask("GET", "/jobs/")[1]["count"] == 0, "a refused order leaves no job"
        said = server.upload(capture_of_one_packet, "?wait=60")
        assert (said["state"], said["packets"]["indexed"]) == ("done", 1)


@pytest.mark.needs("root", "setpriv (util-linux)", "setcap (libcap2-bin)")
def test_allow_capture_gives_it_to_one_python_which_up_starts_the_live_worker_with(tmp_path):
    python = ROOT / ".venv" / "bin" / "python"
    copy = python.with_name("python-capture")
    done = subprocess.run([ROOT / "script" / "allow-capture"], capture_output=True, text=True)
    try:
        assert done.returncode == 0, done.stderr
        assert copy.stat().st_mode & 0o777 == 0o750
        assert capturable(copy)
        assert not capturable(python)
        with Server(tmp_path / "data") as server:
            assert Path(server.child("live").exe()) == copy
    finally:
        copy.unlink(missing_ok=True)


def capturable(python: Path) -> bool:
    """Whether one who is no root can capture on loopback with it."""
    program = "from capture.packets.interfaces import list_interfaces as found\n"
    program += "print({one.name: one.capturable for one in found()}['lo'])"
    done = subprocess.run([*NO_ROOT, python, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() == "True"


@pytest.fixture
def capture_of_one_packet(tmp_path) -> Path:
    import struct

    packet = bytes.fromhex("02000000000202000000000108004500001c00010000401100007f0000017f0000010009000900080000")
    path = Path(tmp_path) / "one.pcap"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    path.write_bytes(head + struct.pack("<IIII", 1, 0, len(packet), len(packet)) + packet)
    return path


def test_a_web_process_opens_no_interface(server):
    """What it shows comes from the live worker: with that one away, nothing can be captured, and it is said."""
    live = server.child("live")
    live.suspend()
    try:
        server.until(lambda: not any(one["capturable"] for one in server.ask("GET", "/interfaces/")[1]))
        for one in server.ask("GET", "/interfaces/")[1]:
            assert "no live-capture worker" in one["why_not"]
    finally:
        live.resume()
    server.until(lambda: any(one["capturable"] for one in server.ask("GET", "/interfaces/")[1]))


@pytest.mark.parametrize(
    ("order", "option", "words"),
    [
        ({"iface": "nonesuch0"}, "iface", "nonesuch0"),
        ({"iface": "lo", "filter": "tcp port"}, "filter", "syntax error"),
        ({"iface": "lo", "snaplen": 300000}, "snaplen", "262144"),
        ({"iface": "lo", "ring_bytes": 1000}, "ring_bytes", "1048576"),
        ({"iface": "lo", "buffer_bytes": 1}, "buffer_bytes", "1048576"),
        ({"iface": "lo", "timeout": "soon"}, "timeout", "soon"),
    ],
)
def test_a_bad_order_is_refused_by_name(server, order, option, words):
    status, refused = server.ask("POST", "/jobs/", json.dumps(order), **{"Content-Type": "application/json"})
    assert (status, refused["option"]) == (400, option)
    assert words in refused["detail"]


def test_a_filter_that_only_an_interface_can_answer_is_taken(server):
    job = jobs.order(server, "lo", filter="inbound and icmp")["id"]
    assert jobs.stop(server, job)["state"] == "stopped"


def test_our_own_listeners_are_left_out_unless_asked_for(server):
    """On loopback, which carries the requests of this test."""
    without = jobs.order(server, "lo", filter=f"tcp port {server.port}")
    with_ = jobs.order(server, "lo", filter=f"tcp port {server.port}", own_traffic=True)
    assert f"tcp port {server.port}" in without["live"]["interfaces"][0]["filter"].partition(" and not ")[2]
    for _ in range(20):
        server.get("/healthz")
    server.until(lambda: server.job(with_["id"])["packets"]["indexed"] > 50)
    assert jobs.stop(server, without["id"])["live"]["received"] == 0
    jobs.adds_up(jobs.stop(server, with_["id"]))
