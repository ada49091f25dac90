"""Damaged files: every packet that is read is accounted for, and nothing raises but "not a capture"."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import corpus
from capture.packets.dissect import dissect
from capture.packets.errors import NotACapture
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture
from tests.robustness.values import check_columns

pytestmark = pytest.mark.needs("../shared")

FILES = (
    "protocols/dpkt__nb6-http.pcap",
    "formats/derived__dpkt__nb6-http__reversed.pcap",
    "formats/derived__dpkt__nb6-http__nanosecond.pcap",
    "formats/derived__dpkt__nb6-http__as-pcapng.pcapng",
    "formats/pcapngtest__le__difficult__test202.pcapng",
    "formats/pcapngtest__be__advanced__test100.pcapng",
)


def account(path: Path, expression: str, batch_packets: int) -> int:
    """Scans, reads and dissects a file; its packets. Asserts that each one is indexed or filtered out, and lies in the file."""
    packets, last = 0, 0
    size = path.stat().st_size
    with open_capture(path) as source:
        for scanned in source.scan(batch_packets, expression):
            assert scanned.read == len(scanned.locator) + scanned.filtered_out
            packets += scanned.read
            if not len(scanned.locator):
                continue
            numbers = scanned.locator["number"].astype(np.int64)
            assert last < numbers[0] and (np.diff(numbers) > 0).all() and numbers[-1] <= packets
            last = int(numbers[-1])
            assert int((scanned.locator["offset"] + scanned.locator["captured_length"]).max()) <= size
            dissected = dissect(read_batch(path, scanned.locator), ["all"], "fast")
            check_columns(dissected, len(scanned.locator))
    return packets


@pytest.mark.parametrize(
    "name", sorted(name for name in (corpus.names() if corpus.PCAPS.is_dir() else []) if "malformed" in name)
)
def test_malformed_captures(name: str, tmp_path: Path) -> None:
    path, _ = corpus.plain(name, tmp_path)
    if name in corpus.NOT_CAPTURES:
        with pytest.raises(NotACapture):
            open_capture(path)
        return
    told = corpus.truth(name)["packets"]
    assert account(path, "", 100) == account(path, "", 7) == (1 if "bug-6875" in name else told)


@pytest.mark.parametrize("name", FILES)
def test_damaged_files(name: str, tmp_path: Path) -> None:
    whole = (corpus.PCAPS / name).read_bytes()
    for seed in range(60):
        rng = random.Random(f"{name} {seed}")
        data = bytearray(whole[: rng.randint(0, len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.randint(1, 8) if data else 0):
            at = rng.randrange(min(len(data), 400) if rng.random() < 0.5 else len(data))
            data[at] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        path = tmp_path / "damaged"
        path.write_bytes(data)
        try:
            assert account(path, "", 50) >= 0
            assert account(path, "greater 60", 50) >= 0
        except NotACapture:
            pass
