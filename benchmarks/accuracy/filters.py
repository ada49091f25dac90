"""BPF: how many packets each filter of the truth takes, or its refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.accuracy import corpus
from benchmarks.accuracy.claim import scalar
from benchmarks.accuracy.quantity import Quantity
from capture.packets.errors import FilterError
from capture.packets.sources import open_capture


def filtered(name: str, folder: Path) -> Iterator[Quantity]:
    """One quantity a filter."""
    told = corpus.filters().get(name, {})
    if not told:
        return
    path, _ = corpus.plain(name, folder)
    for expression, theirs in told.items():
        yield Quantity(f"bpf {expression or '(no filter)'}", Counter({_told(theirs): 1}), scalar(_taken(path, expression)))


def _told(theirs: int | dict[str, Any]) -> str:
    return str(theirs) if isinstance(theirs, int) else str(theirs["error"][0]).removeprefix("tcpdump: ")


def _taken(path: Path, expression: str) -> str:
    with open_capture(path) as source:
        try:
            return str(sum(len(batch.locator) for batch in source.scan(5000, expression)))
        except FilterError as error:
            return str(error)
