"""One packet's fields as texts: what a test of a field looks at."""

from __future__ import annotations

from capture.packets.dissect import dissect
from tests.capture.packets.making import batch_of, per_packet

Texts = dict[str, set[str | int]]


def texts(packet: bytes, linktype: int = 101, wire: int = 0, dissector: str = "scapy") -> Texts:
    """The values of every field that `packet` (raw IP, if not said otherwise) has, as texts; of an int field numbers."""
    found = dissect(batch_of(packet, linktype=linktype, wire=wire), ["all"], dissector)
    return {name: per_packet(found, name, 1)[0] for name in found.fields}


def of(names: str, found: Texts) -> list[set[str | int]]:
    """The values of the fields `names` (separated by blanks), an empty set for each that has none."""
    return [found.get(name, set()) for name in names.split()]
