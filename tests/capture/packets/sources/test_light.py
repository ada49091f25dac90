"""Looking at a capture's head, decompressing it and reading one packet load no compiled code: pages and uploads do just that."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from tests.capture.packets.sources.writing import Packet, enhanced, interface, option, pcap, section

SCRIPT = """
import sys
import numpy as np
from capture.packets.batch import LOCATOR_DTYPE
from capture.packets.reading import read_packet
from capture.packets.sources import decompress, first_bytes, open_capture
first_bytes(sys.argv[1], 16)
decompress(sys.argv[1], sys.argv[2], 1 << 20)
with open_capture(sys.argv[2]) as source:
    print(source.info.interfaces[0].linktype)
    record = np.zeros(1, LOCATOR_DTYPE)
    record["captured_length"] = 4
    read_packet(sys.argv[2], record)
    assert "numba" not in sys.modules
    assert sum(batch.read for batch in source.scan(10)) == 1
    assert "numba" in sys.modules
"""


@pytest.mark.parametrize(
    "capture",
    [pcap([Packet(b"x", 1)]), section() + interface(1, 0, option(2, b"eth0")) + enhanced(b"x", 1)],
    ids=["pcap", "pcapng"],
)
def test_no_compiled_code_before_the_first_scan(tmp_path: Path, capture: bytes) -> None:
    (tmp_path / "packed").write_bytes(gzip.compress(capture))
    command = [sys.executable, "-c", SCRIPT, tmp_path / "packed", tmp_path / "plain"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")
