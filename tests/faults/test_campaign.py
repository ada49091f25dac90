"""script/faults, for a moment: six faults while jobs run, and the index then equals that of an undisturbed run.

It takes the place of a test that killed the worker group alone.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.faults.kinds import KINDS, plan

pytestmark = pytest.mark.needs("../shared")

CAPTURES = ("large/ics__EIP-FirmwareChange.pcap", "protocols/nfstream__dns_exfiltration.pcap")


def test_whatever_is_killed_the_index_is_as_without(shared):
    # As root: Postgres, a worker, everything, the disk full, the broker flushed, the worker group.
    options = ["--kills=6", "--seed=96", "--batch=1000", "--no-page"]
    options += [f"--capture={shared / 'pcaps' / name}" for name in CAPTURES]
    done = subprocess.run([sys.executable, "-m", "benchmarks.faults", *options], capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    words = done.stdout.split()
    assert words[0] == words[2], done.stdout
    assert int(words[0]) == 6


def test_a_plan_is_the_same_again_and_has_every_kind():
    assert plan(3, 100, disk=True, pilosa=True) == plan(3, 100, disk=True, pilosa=True)
    assert plan(3, 100, disk=True, pilosa=True) != plan(4, 100, disk=True, pilosa=True)
    assert set(plan(3, 100, disk=True, pilosa=True)) == set(KINDS) == set(plan(3, len(KINDS), disk=True, pilosa=True))
    assert all(not kind.disk and not kind.pilosa for kind in plan(3, 100, disk=False, pilosa=False))
