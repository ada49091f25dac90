"""manage.py picap --iface: picap's own way to capture, in the foreground."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.commands.test_picap import command
from tests.server import PATIENCE, clean_environment, free_port

pytestmark = pytest.mark.needs("../shared")

MIX = "large/derived__merged-home-and-web-mix.pcap"


def started(wire, tmp_path, *arguments: str, port: int | None = None) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command("--iface", wire.near, "-b", f"localhost:{port or free_port()}", "--json", *arguments),
        env=clean_environment(TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("running"):
            return process
    raise AssertionError("it did not begin")


def until(port: int, is_so: Callable[[dict[str, Any]], Any]) -> None:
    """Waits until what the first job says of its capture is so."""
    end = time.monotonic() + PATIENCE
    request = urllib.request.Request(f"http://localhost:{port}/jobs/1/", headers={"Accept": "application/json"})
    while True:
        with urllib.request.urlopen(request, timeout=30) as answer:
            live = json.load(answer)["live"]
        if is_so(live):
            return
        assert time.monotonic() < end, live
        time.sleep(0.05)


def test_a_stop_rule_with_once_ends_it(wire, shared, tmp_path):
    process = started(wire, tmp_path, "--max-packets", "2000", "--once")
    with wire.sender(shared / "pcaps" / MIX, "--pps=2000", "--loop=0") as sender:
        said, _ = process.communicate(timeout=120)
        sender.terminate()
    job = json.loads(said)
    assert process.returncode == 0
    assert (job["state"], job["packets"]["indexed"], job["live"]["ending"]) == ("done", 2000, "packets")
    assert job["options"]["snaplen"] == 1500
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_it_with_all_that_was_captured(wire, shared, tmp_path):
    port = free_port()
    process = started(wire, tmp_path, port=port)
    until(port, lambda live: live["interfaces"] and live["interfaces"][0]["state"] == "up")
    sent = wire.send(shared / "pcaps" / MIX, "--pps=20000", "--limit=3000")
    until(port, lambda live: live["captured"] == sent)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    job = json.loads(said)
    assert process.returncode == 0
    assert (job["state"], job["packets"]["indexed"]) == ("stopped", sent)
