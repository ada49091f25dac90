"""Scanning a whole capture in a test, and comparing scans."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from capture.packets.batch import LOCATOR_DTYPE, ScannedBatch
from capture.packets.errors import ReadError
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture


def scan_all(path: Path, batch_packets: int = 1000, bpf: str = "", state=None) -> tuple[list[ScannedBatch], ReadError | None]:
    with open_capture(path) as source:
        batches = list(source.scan(batch_packets, bpf, state))
        return batches, source.read_error


def locator_of(batches: list[ScannedBatch]) -> np.ndarray:
    return np.concatenate([batch.locator for batch in batches] or [np.zeros(0, LOCATOR_DTYPE)])


def packets_of(path: Path, batches: list[ScannedBatch]) -> list[bytes]:
    found = []
    for batch in batches:
        read = read_batch(path, batch.locator)
        found += [read.packet(i) for i in range(len(read))]
    return found


def same(some: list[ScannedBatch], others: list[ScannedBatch]) -> bool:
    def plain(batch: ScannedBatch):
        return batch.locator.tolist(), batch.read, batch.filtered_out, batch.state

    return [plain(one) for one in some] == [plain(one) for one in others]


def check_every_resume_point(path: Path, batch_packets: int, bpf: str = "") -> None:
    """A scan that goes on from any state, through JSON and in a freshly opened source, gives what the whole scan gave."""
    whole, _ = scan_all(path, batch_packets, bpf)
    for i, batch in enumerate(whole):
        rest, _ = scan_all(path, batch_packets, bpf, json.loads(json.dumps(batch.state)))
        assert same(rest, whole[i + 1 :]), f"resumed behind batch {i}"
