"""Scanning and filtering, beside the programs that do the same: `python -m benchmarks.scan CAPTURE` (pcap or pcapng)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from capture.packets.locator import encode_locator
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture

FILTER = "tcp port 443"
BATCH_PACKETS = 65536
ROUNDS = 5

Row = tuple[str, float]


def run(path: str | Path) -> list[Row]:
    """(what, packets per second) of scanning a capture file, best of ROUNDS after one to warm up: its bytes are in memory.

    tcpdump and capinfos are beside ours where they are installed. tcpdump has the filter `FILTER`, as our second row has.
    """
    path = Path(path)
    rows = [
        _row("scan: read, record headers, locator", lambda: scan(path)),
        _row(f"scan with the filter {FILTER!r}", lambda: scan(path, FILTER)),
        _row("scan, and write locators", lambda: scan(path, locators=True)),
        _row("scan, and read batches for the dissector", lambda: scan(path, batches=True)),
    ]
    packets = scan(path)
    if shutil.which("tcpdump"):
        rows += [
            _row("tcpdump --count", lambda: _program(packets, "tcpdump", "--count", "-n", "-r", path)),
            _row(f"tcpdump --count {FILTER!r}", lambda: _program(packets, "tcpdump", "--count", "-n", "-r", path, FILTER)),
        ]
    if shutil.which("capinfos"):
        rows.append(_row("capinfos -c", lambda: _program(packets, "capinfos", "-c", path)))
    return rows


def scan(path: Path, expression: str = "", locators: bool = False, batches: bool = False) -> int:
    """Packets looked at. locators: made to file bytes as well; batches: packets read back by locator as well."""
    read = 0
    with open_capture(path) as source:
        for batch in source.scan(BATCH_PACKETS, expression):
            read += batch.read
            if locators:
                encode_locator(batch.locator)
            if batches:
                read_batch(path, batch.locator)
    return read


def _row(what: str, work: Callable[[], int]) -> Row:
    best = 0.0
    for number in range(ROUNDS + 1):
        began = time.perf_counter()
        packets = work()
        if number:
            best = max(best, packets / (time.perf_counter() - began))
    return what, best


def _program(packets: int, *command: str | Path) -> int:
    """tcpdump --count prints packets of its own accord only at the end: into a file, so that no terminal slows it."""
    with tempfile.TemporaryFile() as out:
        subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, check=True)
    return packets


if __name__ == "__main__":
    for line, rate in run(sys.argv[1]):
        print(f"{rate / 1e6:8.2f} M packets/s  {line}")
