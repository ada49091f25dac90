"""Our own steps, timed: scanning, and reading + dissecting + interning of picap's and of all fields."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from benchmarks import scan
from benchmarks.timing import Subject
from capture.packets.dissect import dissect
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture

BATCH_PACKETS = 100_000  # the product's own, PICAPWEB_BATCH_PACKETS
PICAP, ALL, SCAPY = "fast, picap's fields", "fast, all fields", "scapy dissector"
WORKER_PICAP, WORKER_ALL = "worker, picap's fields", "worker, all fields"


def ours(capture: Path, tiny: Path) -> list[Subject]:
    """tiny: a shorter capture for the dissector that goes packet by packet."""
    return [
        *scan.subjects(capture),
        Subject(PICAP, "scan, read, dissect, intern: picap's fields", partial(dissected, capture, "picap", "fast")),
        Subject(ALL, "the same, every field", partial(dissected, capture, "all", "fast")),
        Subject(WORKER_PICAP, "read by locators, dissect, intern: what a job's worker does", partial(worked, capture, "picap")),
        Subject(WORKER_ALL, "the same, every field", partial(worked, capture, "all")),
        Subject(SCAPY, "our reference, every field", partial(dissected, tiny, "all", "scapy")),
    ]


@cache
def locators(capture: Path) -> list[NDArray[Any]]:
    """The locators of all batches: scanned once, as a job is scanned once."""
    with open_capture(capture) as source:
        return [scanned.locator for scanned in source.scan(BATCH_PACKETS)]


def worked(capture: Path, preset: str) -> int:
    """Packets dissected by the fast dissector, from the locators of a scan that was before."""
    packets = 0
    for locator in locators(capture):
        found = dissect(read_batch(capture, locator), [preset], "fast")
        packets += len(locator)
        assert found.fields
    return packets


def dissected(capture: Path, preset: str, dissector: str) -> int:
    """Packets dissected, batch by batch as a job's worker does; the columns are let go at once."""
    packets = 0
    with open_capture(capture) as source:
        for scanned in source.scan(BATCH_PACKETS):
            found = dissect(read_batch(capture, scanned.locator), [preset], dissector)
            packets += len(scanned.locator)
            assert found.fields
    return packets
