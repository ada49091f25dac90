"""Where the values of a display filter's field stand in the index, and how a predicate on them becomes a call.

A source gives two calls: the packets that have one of its values at all, and those that have one for which a predicate holds.
A field of a filter is the union of its sources: first IP header, tunnels, what ICMP errors quote.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from capture.packets.registry import FIELDS
from capture.packets.values import text_of
from indexing import predicates as p
from indexing.backends.embedded_plan import INT64_MAX, interval
from indexing.calls import Call, Condition, RowRef
from proxy.display.holds import holds

# So many rows are named one by one in the PQL that is shown; more are a predicate.
MOST_NAMED = 64
EVERY_VALUE = p.Everything()


class Source(Protocol):
    """Values of a field. `where` takes predicates on their text form (see indexing.predicates)."""

    @property
    def level(self) -> str:
        """That of the registry: "first", "any", "packet", "inner" or "quoted"."""

    def there(self) -> Call:
        """The packets that have a value."""

    def where(self, predicate: p.Predicate) -> Call:
        """The packets that have a value for which the predicate holds."""


def nothing() -> Call:
    """No packet."""
    return Call("Union")


def is_nothing(call: Call) -> bool:
    return call.name == "Union" and not call.children


def row(field: str, value: str) -> Call:
    """The packets of one row."""
    return Call("Row", args={"row": RowRef(field, value)})


def values(field: str, predicate: p.Predicate) -> Call:
    """The packets of all rows that a predicate means."""
    return Call("Values", args={"field": field, "where": predicate})


def union(calls: Sequence[Call]) -> Call:
    some: list[Call] = []
    for call in calls:
        some += call.children if call.name == "Union" else [call]
    return some[0] if len(some) == 1 else Call("Union", some)


def intersect(calls: Sequence[Call]) -> Call:
    if any(is_nothing(call) for call in calls):
        return nothing()
    return calls[0] if len(calls) == 1 else Call("Intersect", list(calls))


def difference(one: Call, other: Call) -> Call:
    return one if is_nothing(other) or is_nothing(one) else Call("Difference", [one, other])


@dataclass(frozen=True)
class Rows:
    """Rows of a set field. within: calls that a packet must be in, too. only: values that are this field's at all (the addresses
    of one family); the others of the rows are another field's."""

    field: str
    within: tuple[tuple[str, str], ...] = ()  # (field, value), one of them
    only: p.Predicate | None = None
    beside: tuple[str, p.Predicate] | None = None  # a field of which the packet has some value like this

    @property
    def level(self) -> str:
        return FIELDS[self.field].level

    def there(self) -> Call:
        return self._within(values(self.field, self.only or p.Everything()))

    def where(self, predicate: p.Predicate) -> Call:
        return self._within(self._rows(predicate))

    def _rows(self, predicate: p.Predicate) -> Call:
        match predicate:
            case p.Compare("==", value, _):
                return row(self.field, text_of(value))
            case p.OneOf(some) if len(some) <= MOST_NAMED:
                return union([row(self.field, text_of(value)) for value in _ordered(some)])
            case p.Or(parts):
                return union([self._rows(part) for part in parts])
            case p.InNetwork() | p.Compare(_, _, "address") | p.Between(_, _, "address"):
                return values(self.field, predicate)  # of one family as they are
        return values(self.field, p.And((self.only, predicate)) if self.only is not None else predicate)

    def _within(self, call: Call) -> Call:
        also = []
        if self.within:
            also.append(union([row(field, value) for field, value in self.within]))
        if self.beside is not None:
            also.append(values(*self.beside))
        return intersect([call, *also])


class _Ranges(ABC):
    """Numbers that are compared and have no rows."""

    @abstractmethod
    def there(self) -> Call:
        """See Source."""

    @abstractmethod
    def _if(self, condition: Condition) -> Call:
        """The packets whose number meets a condition."""

    def where(self, predicate: p.Predicate) -> Call:
        match predicate:
            case p.Everything():
                return self.there()
            case p.Compare(op, value, "number"):
                return self._if(Condition(op, int(value)))
            case p.Between(low, high, "number"):
                return self._if(Condition("><", [int(low), int(high)])) if int(low) <= int(high) else nothing()
            case p.OneOf(some):
                return union([self._if(Condition("==", int(value))) for value in _ordered(some)])
            case p.Or(parts):
                return union([self.where(part) for part in parts])
            case p.And(parts):
                return intersect([self.where(part) for part in parts])
            case p.Not(inner):
                return difference(self.there(), self.where(inner))
        raise ValueError(f"no predicate on numbers: {predicate!r}")


@dataclass(frozen=True)
class Integer(_Ranges):
    """An int field."""

    field: str

    @property
    def level(self) -> str:
        return FIELDS[self.field].level

    def there(self) -> Call:
        return self._if(Condition("!=", None))

    def _if(self, condition: Condition) -> Call:
        return Call("Row", args={"condition": (self.field, condition)})


@dataclass(frozen=True)
class Numbered(_Ranges):
    """A packet's number in its job's capture."""

    level: str = "packet"

    def there(self) -> Call:
        return Call("Not", [nothing()])

    def _if(self, condition: Condition) -> Call:
        if condition.op == "!=":
            return difference(self.there(), self._if(Condition("==", condition.value)))
        low, high, _ = interval(condition)
        if low > high or high < 1:
            return nothing()
        args = {"from": low, "to": high}
        return Call("FrameNumber", args={one: args[one] for one in args if 0 < args[one] < INT64_MAX})


@dataclass(frozen=True)
class Coded:
    """A field of few values that stand for others: rows -> the value that Wireshark knows (`frame.p2p_dir`, booleans)."""

    field: str
    codes: tuple[tuple[str, str], ...]  # (row, Wireshark's value)

    @property
    def level(self) -> str:
        return FIELDS[self.field].level

    def there(self) -> Call:
        return union([row(self.field, name) for name, _ in self.codes])

    def where(self, predicate: p.Predicate) -> Call:
        return union([row(self.field, name) for name, code in self.codes if holds(predicate, code.encode())])


@dataclass(frozen=True)
class Always:
    """A value that is the same in all packets which have a field: `http.request` is 1 where there is a method. only: values of
    the field for which it is so."""

    field: str
    only: p.Predicate = EVERY_VALUE
    value: str = "1"

    @property
    def level(self) -> str:
        return FIELDS[self.field].level

    def there(self) -> Call:
        return values(self.field, self.only)

    def where(self, predicate: p.Predicate) -> Call:
        return self.there() if holds(predicate, self.value.encode()) else nothing()


@dataclass(frozen=True)
class Among:
    """The values that packets of one protocol have: what ICMP and ICMPv6 have in one field."""

    source: Source
    protocol: str

    @property
    def level(self) -> str:
        return self.source.level

    def there(self) -> Call:
        return intersect([self.source.there(), row("protocols", self.protocol)])

    def where(self, predicate: p.Predicate) -> Call:
        return intersect([self.source.where(predicate), row("protocols", self.protocol)])


def _ordered(some: frozenset[bytes]) -> list[bytes]:
    return sorted(some, key=lambda value: (value.isdigit() and len(value), value))
