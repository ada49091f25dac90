"""TCP's second pass beside tshark 4.0.17, frame by frame: equal, or different for a reason that is written down here.

A difference without a reason fails, and so does a reason that does not occur any more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.capture.packets.conversations.tcp_compared import REASONS, differences, of_tshark
from tests.components import SHARED
from tests.long import LONG

pytestmark = pytest.mark.needs("../shared", "tshark")

PCAPS = SHARED / "pcaps"
SMALL = 20_000  # bytes: with TESTS_LONG=1 the larger ones, too
BENCH_PACKETS = 100_000

# Frames that differ, of all captures that have some, by one of REASONS
EXPLAINED: dict[str, dict[str, int]] = {
    "formats/derived__dpkt__nb6-http__snap60.pcap": {"cut": 6},
    "formats/suricata__dnp3-too-long-reassembly-request.pcap": {"backwards": 1},
    "formats/tcpdump__timestamp_invalid_nano.pcap": {"fraction": 1},
    "malformed/ndpi__fuzz-2006-09-29-28586.pcap": {"initial": 1},
    "malformed/suricata__bug-1450-04__tls_DER-incomplete-header.pcap": {"backwards": 1, "too long": 1},
    "malformed/zeek__261__variant-01-chunk_2pow64_overflow.pcap": {"backwards": 2},
    "tunnels/mercury__tls_sgt.pcap": {"backwards": 1},
    "tunnels/zeek__gtp__gtp1_gn_normal_incl_fragmentation.pcap": {"fragments": 24},
}
EXPLAINED_IN_BENCH = {"fragments": 51, "initial": 1, "not walked": 967, "routed": 2, "vlan": 55}


def _captures() -> list[str]:
    """Those with TCP."""
    found = []
    for truth in sorted((PCAPS / "truth").glob("*/*.json")):
        name = f"{truth.parent.name}/{truth.stem}"
        small = (PCAPS / name).stat().st_size <= SMALL
        if (LONG or small or name in EXPLAINED) and json.loads(truth.read_text()).get("first", {}).get("tcp.srcport"):
            found.append(name)
    return found


@pytest.mark.parametrize("name", _captures())
def test_a_capture_is_as_tshark_says(name: str, tmp_path: Path) -> None:
    reasons, left = differences(PCAPS / name, of_tshark(PCAPS / name), tmp_path)
    assert not left
    assert dict(reasons) == EXPLAINED.get(name, {})


def test_enough_captures() -> None:
    assert len(_captures()) >= 40


def test_the_bench_capture_is_as_tshark_says(tmp_path: Path) -> None:
    capture = tmp_path / "bench.pcap"
    subprocess.run([sys.executable, SHARED / "bench" / "make_capture.py", capture, str(BENCH_PACKETS)], check=True)
    theirs = of_tshark(capture)
    assert len(theirs) == BENCH_PACKETS
    reasons, left = differences(capture, theirs, tmp_path)
    assert not left
    assert dict(reasons) == EXPLAINED_IN_BENCH


def test_every_reason_is_needed() -> None:
    used = {reason for reasons in (*EXPLAINED.values(), EXPLAINED_IN_BENCH) for reason in reasons}
    assert used == set(REASONS)
