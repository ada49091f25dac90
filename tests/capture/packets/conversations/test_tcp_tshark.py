"""TCP's second pass beside tshark 4.0.17, frame by frame: equal, or different for a reason that is written down here.

A difference without a reason fails, and so does a reason that does not occur any more.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.capture.packets.conversations.tcp_compared import FLAGS, REASONS, differences, of_tshark
from tests.capture.packets.conversations.tcp_random import conversations, write
from tests.capture.packets.conversations.tcp_tshark_captures import CAPTURES, EXPLAINED, PCAPS
from tests.components import SHARED
from tests.long import examples

pytestmark = pytest.mark.needs("../shared", "tshark")

BENCH_PACKETS = 100_000
EXPLAINED_IN_BENCH = {"fragments": 51, "initial": 1, "not walked": 967, "routed": 2, "vlan": 55}


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_is_as_tshark_says(name: str, tmp_path: Path) -> None:
    reasons, left = differences(PCAPS / name, of_tshark(PCAPS / name), tmp_path)
    assert not left
    assert dict(reasons) == EXPLAINED.get(name, {})


def test_enough_captures() -> None:
    assert len(CAPTURES) >= 40


def test_the_bench_capture_is_as_tshark_says(tmp_path: Path) -> None:
    capture = tmp_path / "bench.pcap"
    subprocess.run([sys.executable, SHARED / "bench" / "make_capture.py", capture, str(BENCH_PACKETS)], check=True)
    theirs = of_tshark(capture)
    assert len(theirs) == BENCH_PACKETS
    reasons, left = differences(capture, theirs, tmp_path)
    assert not left
    assert dict(reasons) == EXPLAINED_IN_BENCH


@pytest.mark.parametrize("seed", range(1, examples(2, long=20)))
def test_conversations_of_chance_are_as_tshark_says(seed: int, tmp_path: Path) -> None:
    """12,000 segments a seed, in which every finding occurs."""
    capture = tmp_path / "chance.pcap"
    write(capture, *conversations(seed, 300, 40))
    theirs = of_tshark(capture)
    reasons, left = differences(capture, theirs, tmp_path)
    assert not left
    assert set(reasons) == {"initial"}
    assert {name for frame in theirs.values() for name in frame.flags} == set(FLAGS)


def test_every_reason_is_needed() -> None:
    used = {reason for reasons in (*EXPLAINED.values(), EXPLAINED_IN_BENCH) for reason in reasons}
    assert used == set(REASONS)
