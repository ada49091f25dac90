"""One packet's fields as texts: what a test of a field looks at."""

from __future__ import annotations

from capture.packets.dissect import DISSECTORS, dissect
from tests.capture.packets.making import batch_of, per_packet

Texts = dict[str, set[str | int]]


def texts(packet: bytes, linktype: int = 101, wire: int = 0) -> Texts:
    """The values of every field that `packet` (raw IP, if not said otherwise) has, as texts; of an int field numbers.

    Asserts that all dissectors find the same.
    """
    batch = batch_of(packet, linktype=linktype, wire=wire)
    found = {}
    for dissector in DISSECTORS:
        columns = dissect(batch, ["all"], dissector)
        found[dissector] = {name: per_packet(columns, name, 1)[0] for name in columns.fields}
    assert found["fast"] == found["scapy"]
    return found["scapy"]


def of(names: str, found: Texts) -> list[set[str | int]]:
    """The values of the fields `names` (separated by blanks), an empty set for each that has none."""
    return [found.get(name, set()) for name in names.split()]
