"""One packet on its way through its headers: the bytes, how far they may be read, and what was found so far.

A header's handler takes the walk and the offset at which its header begins, and gives the next step: the name of the next
header's handler and its offset, or None where the way ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Step = tuple[str, int] | None


@dataclass
class Found:
    """What one packet has of the fields that headers and payloads give. None or empty: no value."""

    netproto: bytes | None = None
    netsrc: bytes | None = None
    netdst: bytes | None = None
    transproto: bytes | None = None
    transsrc: int | None = None
    transdst: int | None = None
    tcp: int = 0  # flag bits, FIN is bit 0, NS is bit 8
    appproto: bytes | None = None
    appproto_port: bytes | None = None
    error: str | None = None
    # (field, value) of all other fields: bytes of a text, else the row id or the int field's number
    values: list[tuple[str, bytes | int]] = field(default_factory=list)

    def of(self, name: str) -> list[bytes | int]:
        """What is among `values` of field `name`."""
        return [value for known, value in self.values if known == name]


class Walk:
    """State of the way through one packet.

    data: captured bytes. end: offset behind the last byte that may be read (shrinks to what length fields say).
    wire_end: the same as it was on the wire: end <= wire_end, and bytes between the two were cut by the snaplen.
    first: still at the first IP header and the transport directly behind it.
    strict: still up to the first transport header: what is wrong there is the packet's `error`.
    networks: IP headers so far. source, destination: addresses of the first of them.
    framed: past the first Ethernet header. tagged: past the first VLAN tag.
    applications: whether the fields of payloads are wanted (all but what names the application).
    """

    __slots__ = (
        "applications", "data", "destination", "end", "first", "found", "framed", "networks", "source", "strict", "tagged",
        "wire_end",
    )  # fmt: skip

    def __init__(self, data: bytes, wire_length: int, applications: bool = True) -> None:
        self.data = data
        self.applications = applications
        self.end = len(data)
        # some tools write an original length below the captured one: the bytes that are there count
        self.wire_end = max(wire_length, len(data))
        self.first = True
        self.strict = True
        self.networks = 0
        self.source = self.destination = b""
        self.framed = False
        self.tagged = False
        self.found = Found()

    def add(self, name: str, value: bytes | int) -> None:
        """Notes a value of field `name`; the same one again is nothing new."""
        self.found.values.append((name, value))

    def replace(self, name: str, value: bytes | int) -> None:
        """Notes the one value of field `name`: an earlier one is forgotten."""
        self.found.values = [found for found in self.found.values if found[0] != name]
        self.add(name, value)

    def number(self, at: int, size: int) -> int:
        """The big-endian number of `size` bytes at `at`, which the caller knows to be there."""
        return int.from_bytes(self.data[at : at + size], "big")

    def fail(self, error: str) -> None:
        """Notes why decoding ends here. The first reason stays; behind the transport there is none."""
        if self.strict and self.found.error is None:
            self.found.error = error

    def has(self, at: int, size: int, layer: str, reason: str = "truncated header") -> bool:
        """True if `size` bytes from `at` can be read. If not even the wire had them, that is `layer: reason`."""
        if at + size <= self.end:
            return True
        if at + size > self.wire_end:
            self.fail(f"{layer}: {reason}")
        return False

    def limit(self, end: int) -> None:
        """What follows ends at offset `end` at the latest (a length field said so; behind it is padding)."""
        if end < self.wire_end:
            self.wire_end = end
            self.end = min(self.end, end)


Handler = Callable[[Walk, int], Step]

HANDLERS: dict[str, Handler] = {}


def handler(name: str) -> Callable[[Handler], Handler]:
    """Declares the handler of header `name`."""

    def declare(function: Handler) -> Handler:
        HANDLERS[name] = function
        return function

    return declare
