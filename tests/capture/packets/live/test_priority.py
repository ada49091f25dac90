"""The capturing process before others, and before those of other sessions where the kernel shares by session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT

PROGRAM = """
import os, pathlib
from capture.packets.live.priority import prefer_this_process
print(prefer_this_process())
group = pathlib.Path("/proc/self/autogroup")
print(os.getpriority(os.PRIO_PROCESS, 0), group.read_text().split()[-1] if group.exists() else None)
"""


@pytest.mark.needs("root")
@pytest.mark.parametrize("leads_its_session", [True, False])
def test_it_gets_what_it_says(leads_its_session: bool) -> None:
    def run() -> list[str]:
        command = [sys.executable, "-c", PROGRAM]
        if not leads_its_session:
            # A session of its own all the same: the test's must stay as it is.
            command = ["sh", "-c", '"$@"; true', "sh", *command]
        output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, start_new_session=True)
        return output.stdout.split("\n")

    words, got = run()[:2]
    nice, session = got.split()
    assert nice == "-10"
    assert words.startswith("priority: nice -10")
    assert ("its session too" in words) is (leads_its_session and Path("/proc/self/autogroup").exists())
    if session != "None":
        assert session == ("-10" if leads_its_session else "0")
