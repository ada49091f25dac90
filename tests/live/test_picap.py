"""manage.py picap --iface: picap's own way to capture, in the foreground."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest

from tests.commands.test_picap import command
from tests.server import clean_environment, free_port

pytestmark = pytest.mark.needs("../shared")

MIX = "large/derived__merged-home-and-web-mix.pcap"


def started(wire, tmp_path, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command("--iface", wire.near, "-b", f"localhost:{free_port()}", "--json", *arguments),
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
    process = started(wire, tmp_path)
    time.sleep(2)
    sent = wire.send(shared / "pcaps" / MIX, "--pps=20000", "--limit=3000")
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    job = json.loads(said)
    assert process.returncode == 0
    assert (job["state"], job["packets"]["indexed"]) == ("stopped", sent)
