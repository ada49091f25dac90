"""Every filter of the shared corpus against tcpdump: as many packets, or the same refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capture.packets.errors import FilterError
from capture.packets.sources import open_capture
from tests.capture.packets.sources.test_truth import PCAPS, plain

pytestmark = pytest.mark.needs("../shared")

TRUTH: dict[str, dict[str, object]] = json.loads((PCAPS / "truth" / "bpf.json").read_text())["files"] if PCAPS.is_dir() else {}

# Where we rightly count differently from the truth's tcpdump (libpcap 1.10.3).
DIFFERENT = {
    ("large/derived__merged-home-and-web-mix.pcap", "ip multicast"): (
        196,
        "libpcap 1.10.6 tests for 224.0.0.0/4; 1.10.3 tested for 224.0.0.0 and above, and so took the 73 broadcasts to "
        "255.255.255.255 for multicast",
    ),
}


@pytest.mark.parametrize("relative", TRUTH)
def test_counts_and_refusals_are_tcpdumps(relative: str, tmp_path: Path) -> None:
    path, _ = plain(relative, tmp_path)
    found: dict[str, object] = {}
    wanted: dict[str, object] = {}
    for expression, truth in TRUTH[relative].items():
        wanted[expression] = "tcpdump: " + refusal(truth) if isinstance(truth, dict) else truth
        if (relative, expression) in DIFFERENT:
            assert wanted[expression] != DIFFERENT[relative, expression][0], "no difference any more: take it out"
            wanted[expression] = DIFFERENT[relative, expression][0]
        with open_capture(path) as source:
            try:
                found[expression] = sum(len(batch.locator) for batch in source.scan(5000, expression))
            except FilterError as error:
                found[expression] = f"tcpdump: {error}"
    assert found == wanted


def refusal(truth: dict[str, list[str]]) -> str:
    return truth["error"][0].removeprefix("tcpdump: ")


def test_all_filters_are_here() -> None:
    assert sum(map(len, TRUTH.values())) == 928
