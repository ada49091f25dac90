"""The layer tree of one packet: every header scapy finds, with each field's bytes. What the packet page shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class LayerField:
    """A field of a layer. value: its text. meaning: what the value stands for ("tcp" of 6), empty where it says so itself.

    offset, length: bytes of the packet (of a bit field: those its bits lie in); length 0: it has no bytes of its own.
    """

    name: str
    value: str
    meaning: str
    offset: int
    length: int


@dataclass(frozen=True)
class Layer:
    """A layer of a packet: its header's bytes, a one-line summary, its fields in the order of the wire."""

    name: str
    summary: str
    offset: int
    length: int
    fields: list[LayerField] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As the packet's JSON shows it."""
        return asdict(self)


PAYLOAD = "Payload"
UNDECODED = "Undecoded"


def layer_tree(data: bytes, linktype: int, wire_length: int) -> list[Layer]:
    """The layers of a packet, outermost first. Never raises: what cannot be decoded is a last layer UNDECODED with the rest.

    data: the captured bytes. linktype: LINKTYPE number. wire_length: bytes on the wire.
    """
    from capture.packets.scapy_dissector.tree import tree  # scapy takes half a second to import

    try:
        return tree(data, linktype, wire_length)
    except Exception:  # scapy raises what it likes on hostile bytes
        return [undecoded(data, 0)]


def undecoded(data: bytes, offset: int) -> Layer:
    """The last layer, of bytes from `offset` on that nobody could decode."""
    rest = len(data) - offset
    return Layer(UNDECODED, f"{rest} bytes that could not be decoded", offset, rest, [])
