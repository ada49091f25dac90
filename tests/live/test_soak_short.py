"""script/soak, for some seconds: its own verdicts are what is asserted."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import needs

pytestmark = pytest.mark.needs("../shared")

MIX = "large/derived__merged-home-and-web-mix.pcap"


def test_nothing_is_lost_while_the_ring_turns(shared, tmp_path):
    needs("root for network namespaces")
    # Slow enough for a busy machine: a ring may be two files longer than ordered, and those hold ten seconds of what comes.
    options = ["--minutes=0.34", "--rate=1000", "--files=3", f"--ring-bytes={2 << 20}", "--no-page"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *options, f"--capture={shared / 'pcaps' / MIX}", f"--folder={tmp_path}"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 15
    assert all(line.startswith("ok ") for line in lines)
    assert list(tmp_path.iterdir()) == []
