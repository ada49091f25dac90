"""Our own steps, timed: scanning, and reading + dissecting + interning of picap's and of all fields."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks import scan
from benchmarks.timing import Subject
from capture.packets.dissect import dissect
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture

BATCH_PACKETS = 100_000  # the product's own, PICAPWEB_BATCH_PACKETS
PICAP, ALL, SCAPY = "fast, picap's fields", "fast, all fields", "scapy dissector"


def ours(capture: Path, tiny: Path) -> list[Subject]:
    """tiny: a shorter capture for the dissector that goes packet by packet."""
    return [
        *scan.subjects(capture),
        Subject(PICAP, "scan, read, dissect, intern: picap's fields", partial(dissected, capture, "picap", "fast")),
        Subject(ALL, "the same, every field", partial(dissected, capture, "all", "fast")),
        Subject(SCAPY, "our reference, every field", partial(dissected, tiny, "all", "scapy")),
    ]


def dissected(capture: Path, preset: str, dissector: str) -> int:
    """Packets dissected, batch by batch as a job's worker does; the columns are let go at once."""
    packets = 0
    with open_capture(capture) as source:
        for scanned in source.scan(BATCH_PACKETS):
            found = dissect(read_batch(capture, scanned.locator), [preset], dissector)
            packets += len(scanned.locator)
            assert found.fields
    return packets
