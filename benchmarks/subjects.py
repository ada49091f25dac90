"""Our own steps, timed: scan, filter, and reading + dissecting + interning of picap's and of all fields."""

from __future__ import annotations

from pathlib import Path

from benchmarks.timing import Subject
from capture.packets.dissect import DISSECTORS, dissect
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture

BATCH_PACKETS = 262144  # the product's own (setting BATCH_PACKETS)
FILTER = "tcp port 80"


def ours(capture: Path, sample: Path) -> list[Subject]:
    """sample: a shorter capture for the dissector that goes packet by packet."""
    subjects = [
        Subject("scan", "reads record headers, makes the locator", lambda: scan(capture)),
        Subject("scan with BPF", f"the same through libpcap's filter `{FILTER}`", lambda: scan(capture, FILTER)),
    ]
    if "fast" in DISSECTORS:
        subjects += [
            Subject(
                "fast, picap's fields",
                "scan, read, dissect, intern: the 12 fields of picap and those that are always indexed",
                lambda: dissected(capture, "picap", "fast"),
            ),
            Subject("fast, all fields", "the same, every field", lambda: dissected(capture, "all", "fast")),
        ]
    return [*subjects, Subject("scapy dissector", "our reference, every field", lambda: dissected(sample, "all", "scapy"))]


def scan(capture: Path, expression: str = "") -> int:
    """Packets looked at."""
    with open_capture(capture) as source:
        return sum(batch.read for batch in source.scan(BATCH_PACKETS, expression))


def dissected(capture: Path, preset: str, dissector: str) -> int:
    """Packets dissected, batch by batch as a job's worker does; the columns are let go at once."""
    packets = 0
    with open_capture(capture) as source:
        for scanned in source.scan(BATCH_PACKETS):
            found = dissect(read_batch(capture, scanned.locator), [preset], dissector)
            packets += len(scanned.locator)
            assert found.fields
    return packets
