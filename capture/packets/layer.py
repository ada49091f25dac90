"""A layer of a packet and its fields: what the layer tree is made of."""

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


def undecoded(data: bytes, offset: int) -> Layer:
    """The last layer, of bytes from `offset` on that nobody could decode."""
    rest = len(data) - offset
    return Layer(UNDECODED, f"{rest} bytes that could not be decoded", offset, rest, [])
