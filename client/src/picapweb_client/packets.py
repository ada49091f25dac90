"""Questions about packets: how many, which, and one of them whole; fields and interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Unpack
from urllib.parse import quote

from picapweb_client.asking import Asking
from picapweb_client.packet import Order, Packets, Question, WholePacket, whole_packet_of
from picapweb_client.scope import Scope, parameters_of

PAGE = 5_000


@dataclass(frozen=True)
class Field:
    """A field of the registry. values: how many values it has in the index, packets: how many packets have it; None: not counted.

    raw: everything that the API says of it."""

    name: str
    kind: str
    description: str
    example: str
    protocol: str
    values: int | None
    packets: int | None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Interface:
    """An interface that a live worker sees. why_not: the reason where it cannot be captured on. raw: everything said of it."""

    name: str
    addresses: tuple[str, ...]
    up: bool
    capturable: bool
    why_not: str | None
    raw: Mapping[str, Any] = field(repr=False)


class PacketQuestions(Asking):
    """See above. `q` is a display filter or PQL (empty: all packets); every question takes the keywords of Scope."""

    def count(self, q: str = "", **scope: Unpack[Scope]) -> int:
        """How many packets. Raises QueryError."""
        return self.about(q, **scope).count

    def about(self, q: str = "", **scope: Unpack[Scope]) -> Question:
        """How many packets and bytes, and the PQL that the question was read as."""
        return self.packets(q, fields=["length"], **scope).about()

    def packets(
        self,
        q: str = "",
        *,
        fields: Sequence[str] = (),
        limit: int | None = None,
        order: Order = "capture",
        page_size: int = PAGE,
        **scope: Unpack[Scope],
    ) -> Packets:
        """The packets, with their values of `fields` (without it: those of the explore page's table)."""
        names = [fields] if isinstance(fields, str) else list(fields)
        return Packets(self.http, parameters_of(q, scope), names, limit, order, page_size)

    def packet(self, column: int, index: str = "net") -> WholePacket:
        """The packet of a column of an index, with its bytes and layers. Raises NotFound."""
        return whole_packet_of(self.http.json("GET", f"/packets/{quote(index, safe='')}/{column}/"))

    def numbered_packet(self, job: int, number: int) -> WholePacket:
        """A packet of a job by its number in the capture, from 1 (Wireshark's). Raises NotFound."""
        return whole_packet_of(self.http.json("GET", f"/jobs/{job}/packets/{number}/"))

    def fields(self, index: str = "net") -> list[Field]:
        """The field registry, with figures of an index."""
        names = ("name", "kind", "description", "example", "protocol", "values", "packets")
        told = self.http.json("GET", "/fields/", [("index", index)])
        return [Field(**{name: one[name] for name in names}, raw=one) for one in told]

    def interfaces(self) -> list[Interface]:
        """The interfaces that live workers see."""
        return [
            Interface(one["name"], tuple(one["addresses"]), one["up"], one["capturable"], one["why_not"] or None, one)
            for one in self.http.json("GET", "/interfaces/")
        ]
