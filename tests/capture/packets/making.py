"""Batches out of packets that stand in a test."""

from __future__ import annotations

from collections import Counter

import numpy as np

from capture.packets.batch import LOCATOR_DTYPE, NO_TIME, PacketBatch
from capture.packets.columns import Dissected, IntValues
from capture.packets.registry import FIELDS
from capture.packets.values import row_text, text_of


def batch_of(*packets: bytes, linktype: int = 1, wire: int = 0, times: list[int] | None = None) -> PacketBatch:
    """A batch of `packets`; `wire` as the wire length of all, else that of each; `times` in ns, else without."""
    locator = np.zeros(len(packets), LOCATOR_DTYPE)
    lengths = np.array([len(p) for p in packets], np.int64)
    locator["captured_length"] = lengths
    locator["wire_length"] = wire or lengths
    locator["linktype"] = linktype
    locator["time_ns"] = NO_TIME if times is None else times
    start = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if len(packets) else np.zeros(0)
    return PacketBatch(np.frombuffer(b"".join(packets), np.uint8), start.astype(np.int64), locator)


def per_packet(dissected: Dissected, name: str, packets: int) -> list[set[str | int]]:
    """The values of a field, packet by packet, as text (of an int field as numbers)."""
    out: list[set[str | int]] = [set() for _ in range(packets)]
    found = dissected.fields.get(name)
    if isinstance(found, IntValues):
        for packet, number in zip(found.packet, found.value, strict=True):
            out[packet].add(int(number))
    elif found is not None:
        for packet, code in zip(found.packet, found.code, strict=True):
            value = found.values[code]
            out[packet].add(text_of(value) if isinstance(value, bytes) else row_text(FIELDS[name], int(value)))
    return out


def counts(dissected: Dissected, name: str) -> Counter[str]:
    """In how many packets each value of a set field is."""
    found = dissected.fields.get(name)
    if found is None:
        return Counter()
    assert not isinstance(found, IntValues)
    each = np.bincount(found.code, minlength=len(found.values))
    texts = [text_of(v) if isinstance(v, bytes) else row_text(FIELDS[name], int(v)) for v in found.values]
    return Counter(dict(zip(texts, each.tolist(), strict=True)))
