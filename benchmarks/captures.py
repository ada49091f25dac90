"""Captures to measure on: made by ../shared/bench/make_capture.py, or given; and their first packets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from capture.packets.sources import open_capture

SHARED = Path(__file__).resolve().parents[2] / "shared"
MAKER = SHARED / "bench" / "make_capture.py"
BYTES_PER_PACKET = 420  # of made captures: for the question whether the disk has room


def made(folder: Path, packets: int) -> Path:
    """A made capture of so many packets. Raises FileNotFoundError where the maker is not here."""
    if not MAKER.exists():
        raise FileNotFoundError(f"{MAKER} is not here: give a capture with --capture")
    out = folder / f"{packets}.pcap"
    subprocess.run([sys.executable, str(MAKER), str(out), str(packets)], check=True)
    return out


def head(capture: Path, packets: int, folder: Path) -> Path:
    """The first packets of a pcap file, as a file of its own."""
    with open_capture(capture) as source:
        if source.info.format != "pcap":
            raise ValueError(f"{capture}: benchmarks run on pcap files, this is {source.info.format}")
        locator = next(source.scan(packets)).locator
    end = int(locator["offset"][-1]) + int(locator["captured_length"][-1])
    out = folder / f"first-{packets}.pcap"
    with capture.open("rb") as file:
        out.write_bytes(file.read(end))
    return out


def packets_of(capture: Path) -> int:
    """How many packets a capture has."""
    with open_capture(capture) as source:
        return sum(batch.read for batch in source.scan(1 << 18))
