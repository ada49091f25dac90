"""Packets of the shared captures, to be damaged; and batches of packets of any link type."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.accuracy import corpus
from capture.packets.batch import LOCATOR_DTYPE, NO_TIME, PacketBatch
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture

EVERY_FILE_GIVES = 120  # packets, spread over the file


class Packet(NamedTuple):
    data: bytes
    linktype: int
    wire: int  # length on the wire


@cache
def corpus_packets() -> tuple[Packet, ...]:
    """Some packets of every shared capture: of each file the first ones and some from its whole length."""
    found: list[Packet] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in corpus.names():
            if name in corpus.NOT_CAPTURES:
                continue
            path, _ = corpus.plain(name, Path(folder))
            with open_capture(path) as source:
                locator = np.concatenate([np.zeros(0, LOCATOR_DTYPE), *(batch.locator for batch in source.scan(50_000))])
            step = max(1, len(locator) // (EVERY_FILE_GIVES - 20))
            kept = np.unique(np.concatenate([np.arange(min(20, len(locator))), np.arange(0, len(locator), step)]))
            batch = read_batch(path, locator[kept])
            links, wires = batch.locator["linktype"].tolist(), batch.locator["wire_length"].tolist()
            found += [Packet(batch.packet(i), links[i], wires[i]) for i in range(len(batch))]
    return tuple(found)


def batch_of(packets: Sequence[Packet]) -> PacketBatch:
    """The packets one behind the other in one array."""
    locator = np.zeros(len(packets), LOCATOR_DTYPE)
    lengths = np.array([len(packet.data) for packet in packets], np.int64)
    locator["captured_length"] = lengths
    locator["wire_length"] = [packet.wire for packet in packets]
    locator["linktype"] = [packet.linktype for packet in packets]
    locator["time_ns"] = NO_TIME
    locator["number"] = np.arange(1, len(packets) + 1)
    start = np.cumsum(lengths) - lengths
    data = np.frombuffer(b"".join(packet.data for packet in packets), np.uint8).copy()
    return PacketBatch(data, start.astype(np.int64), locator)
