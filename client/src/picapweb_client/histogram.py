"""Packets and bytes over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from picapweb_client.packet import time_ns_of
from picapweb_client.table import Column, Tabular
from picapweb_client.top import not_indexed_of
from picapweb_client.when import datetime_of


@dataclass(frozen=True)
class Bin:
    """Packets from time_ns (since 1970, inclusive) on for the histogram's width. bytes: on the wire."""

    time_ns: int
    count: int
    bytes: int

    @property
    def time(self) -> datetime | None:
        """In UTC, to the microsecond; time_ns is exact."""
        return datetime_of(self.time_ns)


@dataclass(frozen=True)
class Part:
    """What a histogram has of one value of the field that it is split by, in all and by bin.

    kind: "value"; "other": packets with values that have no part of their own; "none": packets without the field."""

    kind: str
    value: str | None
    label: str | None
    count: int
    bytes: int
    counts: tuple[int, ...]
    byte_counts: tuple[int, ...]


@dataclass(frozen=True)
class Histogram(Tabular):
    """Bins without gaps. width_seconds: of each, None if there are none. untimed: packets without a time stamp, in no bin.

    by: the field it is split by, distinct: its values, parts: one for each value that is shown, then other and none."""

    count: int
    bytes: int
    width: str | None
    width_seconds: float | None
    untimed: int
    untimed_bytes: int
    bins: tuple[Bin, ...]
    lang: str
    pql: str
    by: str | None = None
    distinct: int | None = None
    exact: bool = True
    parts: tuple[Part, ...] = ()
    not_indexed: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)

    def columns_of_table(self) -> list[Column]:
        """time, count, bytes. Of a split one: time, part, value, label, count, bytes, a row for each bin of each part."""
        if self.by is None:
            return [
                Column("time", "time", [one.time_ns for one in self.bins]),
                Column("count", "int", [one.count for one in self.bins]),
                Column("bytes", "int", [one.bytes for one in self.bins]),
            ]
        cells = [(bin.time_ns, part, i) for part in self.parts for i, bin in enumerate(self.bins)]
        return [
            Column("time", "time", [time_ns for time_ns, _, _ in cells]),
            Column("part", "text", [part.kind for _, part, _ in cells]),
            Column("value", "text", [part.value for _, part, _ in cells]),
            Column("label", "text", [part.label for _, part, _ in cells]),
            Column("count", "int", [part.counts[i] for _, part, i in cells]),
            Column("bytes", "int", [part.byte_counts[i] for _, part, i in cells]),
        ]


def histogram_of(told: Mapping[str, Any]) -> Histogram:
    """An answer of /histogram/."""
    same = ("count", "bytes", "width", "width_seconds", "untimed", "untimed_bytes", "lang", "pql")
    return Histogram(
        **{name: told[name] for name in same},
        bins=tuple(Bin(time_ns_of(one) or 0, one["count"], one["bytes"]) for one in told["bins"]),
        by=told.get("by"),
        distinct=told.get("distinct"),
        exact=told.get("exact", True),
        parts=tuple(_parts(told)) if told.get("by") else (),
        not_indexed=not_indexed_of(told),
    )


def _parts(told: Mapping[str, Any]) -> Iterator[Part]:
    for one in told["series"]:
        yield _part("value", one)
    for kind in ("other", "none"):
        yield _part(kind, told[kind])


def _part(kind: str, told: Mapping[str, Any]) -> Part:
    counts, sums = tuple(told["counts"]), tuple(told["byte_counts"])
    return Part(kind, told.get("value"), told.get("label"), told["count"], told["bytes"], counts, sums)
