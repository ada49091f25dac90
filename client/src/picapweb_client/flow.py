"""Conversations: which, between whom, and what each side sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from picapweb_client.table import Column, Tabular
from picapweb_client.top import not_indexed_of
from picapweb_client.when import datetime_of

if TYPE_CHECKING:
    from picapweb_client.http import Http

FlowOrder = Literal["packets", "bytes", "first", "last", "duration"]


@dataclass(frozen=True)
class End:
    """A side of a conversation, and what it sent. flags: all TCP flags that it ever set."""

    address: str | None
    port: int | None
    packets: int
    bytes: int
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """A conversation: job, VLAN ids in order, Community ID. initiator_by: "syn", it sent the first SYN, or "first-packet".

    first_ns, last_ns: since 1970, None if no packet has a time. column: its lowest one. pql: all of its packets, whatever the
    question was."""

    job: int
    vlan_stack: str | None
    community_id: str | None
    protocol: str | None
    initiator: End
    responder: End
    initiator_by: str
    packets: int
    bytes: int
    first_ns: int | None
    last_ns: int | None
    column: int
    pql: str
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def first(self) -> datetime | None:
        """In UTC, to the microsecond; first_ns is exact."""
        return datetime_of(self.first_ns)

    @property
    def last(self) -> datetime | None:
        """In UTC, to the microsecond; last_ns is exact."""
        return datetime_of(self.last_ns)

    @property
    def duration_ns(self) -> int | None:
        """Nanoseconds from its first packet to its last."""
        return None if self.first_ns is None or self.last_ns is None else self.last_ns - self.first_ns


@dataclass(frozen=True)
class FlowsAbout:
    """count: conversations; packets and bytes of them. other_packets, other_bytes: of no conversation (ARP, for one)."""

    count: int
    packets: int
    bytes: int
    other_packets: int
    other_bytes: int
    lang: str
    pql: str
    not_indexed: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)


class Flows(Tabular):
    """Conversations of a question: iterate over it (each time it is asked anew), or take it as a table."""

    def __init__(
        self, http: Http, parameters: Sequence[tuple[str, str]], order: FlowOrder, limit: int | None, page_size: int
    ) -> None:
        if limit is not None and limit < 0:
            raise ValueError(f"limit must not be negative, not {limit}")
        self._http, self._parameters = http, [*parameters, ("order", order)]
        self._limit, self._page_size = limit, page_size

    def about(self) -> FlowsAbout:
        """How many there are (more than `limit`, maybe)."""
        told = self._page([("limit", "1")])
        others = told["without_conversation"]
        same = ("count", "packets", "bytes", "lang", "pql")
        return FlowsAbout(
            **{name: told[name] for name in same},
            other_packets=others["packets"],
            other_bytes=others["bytes"],
            not_indexed=not_indexed_of(told),
        )

    def __iter__(self) -> Iterator[Flow]:
        return islice(self._all(), self._limit)

    def _all(self) -> Iterator[Flow]:
        cursor, size = None, self._page_size if self._limit is None else max(1, min(self._limit, self._page_size))
        while True:
            told = self._page([("limit", str(size))] + ([("cursor", cursor)] if cursor else []))
            yield from map(flow_of, told["flows"])
            cursor = told["next"]
            if cursor is None:
                return

    def _page(self, page: list[tuple[str, str]]) -> Any:
        return self._http.question("/flows/", [*self._parameters, *page], dict(self._parameters)["q"])

    def columns_of_table(self) -> list[Column]:
        """A row for each conversation; initiator_ and responder_ before what is of one side; duration_ns in nanoseconds."""
        rows = list(self)
        said = [Column("job", "int", [one.job for one in rows])]
        said += [
            Column(name, "text", [getattr(one, name) for one in rows]) for name in ("vlan_stack", "community_id", "protocol")
        ]
        for side in ("initiator", "responder"):
            ends = [getattr(one, side) for one in rows]
            said.append(Column(f"{side}_address", "text", [end.address for end in ends]))
            said += [
                Column(f"{side}_{name}", "int", [getattr(end, name) for end in ends]) for name in ("port", "packets", "bytes")
            ]
            said.append(Column(f"{side}_flags", "texts", [end.flags for end in ends]))
        said += [Column(name, "int", [getattr(one, name) for one in rows]) for name in ("packets", "bytes")]
        said += [Column(name, "time", [getattr(one, f"{name}_ns") for one in rows]) for name in ("first", "last")]
        return [*said, Column("duration_ns", "int", [one.duration_ns for one in rows])]


@dataclass(frozen=True)
class NamedQuery:
    """A question that has a name of its own: display (named:unanswered-syn) or pql is what asks it. fields: what jobs must have
    indexed for it."""

    name: str
    sentence: str
    definition: str
    pql: str
    display: str
    fields: tuple[str, ...]


def flow_of(told: Mapping[str, Any]) -> Flow:
    """A conversation of an answer."""
    first, last = told["first_ns"], told["last_ns"]
    same = ("job", "vlan_stack", "community_id", "protocol", "initiator_by", "packets", "bytes", "column", "pql")
    return Flow(
        **{name: told[name] for name in same},
        initiator=_end(told["initiator"]),
        responder=_end(told["responder"]),
        first_ns=None if first is None else int(first),
        last_ns=None if last is None else int(last),
        raw=told,
    )


def _end(told: Mapping[str, Any]) -> End:
    return End(told["address"], told["port"], told["packets"], told["bytes"], tuple(told["flags"]))
