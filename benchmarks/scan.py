"""Scanning, filtering and reading: what precedes every dissection."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.timing import Subject
from capture.packets.locator import encode_locator
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture

FILTER = "tcp port 443"
BATCH_PACKETS = 100_000  # the product's own, PICAPWEB_BATCH_PACKETS


def subjects(capture: Path) -> list[Subject]:
    """The steps of a scan, each with all before it."""
    return [
        Subject("scan", "reads record headers, makes locators", partial(scan, capture)),
        Subject("scan with a filter", f"the same through libpcap's program for `{FILTER}`", partial(scan, capture, FILTER)),
        Subject("scan, write locators", "locators as bytes of their file as well", partial(scan, capture, locators=True)),
        Subject("scan, read packets", "packets read back by their locators as well", partial(scan, capture, batches=True)),
    ]


def scan(capture: Path, expression: str = "", locators: bool = False, batches: bool = False) -> int:
    """Packets looked at. locators: made to file bytes as well; batches: packets read back by locator as well."""
    read = 0
    with open_capture(capture) as source:
        for batch in source.scan(BATCH_PACKETS, expression):
            read += batch.read
            if locators:
                encode_locator(batch.locator)
            if batches:
                read_batch(capture, batch.locator)
    return read
