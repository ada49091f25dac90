"""Packets of answers, and iterating over all of a query's, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from picapweb_client.table import Column, Tabular, to_arrow, to_pandas
from picapweb_client.when import datetime_of

if TYPE_CHECKING:
    import pandas

    from picapweb_client.http import Http

Order = Literal["capture", "time"]
# What a column of a DataFrame holds of a field's values: all of them (a tuple), the first, or all with commas between.
Values = Literal["all", "first", "joined"]


@dataclass(frozen=True)
class Question:
    """What a question was read as, and how much it is about: packets, and their bytes on the wire."""

    count: int
    bytes: int
    lang: str
    pql: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packet:
    """A packet in a list. number: from 1 in its capture. time_ns: since 1970, None if it has no time stamp. length: on the wire.

    fields: values by field, of those fields that were asked for and that it has."""

    column: int
    job: int
    number: int
    time_ns: int | None
    length: int
    captured_length: int
    url: str
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def time(self) -> datetime | None:
        """In UTC, to the microsecond; time_ns is exact."""
        return datetime_of(self.time_ns)


@dataclass(frozen=True)
class WholePacket:
    """A packet with its bytes. bytes_gone: why they cannot be read, if so. layers: name, fields with offset and length, as in
    docs/api.md. values: by field, all that it is indexed under. previous, next: columns of its neighbours in the job."""

    index: str
    column: int
    job: int
    number: int
    time_ns: int | None
    length: int
    captured_length: int
    linktype: int
    url: str
    data: bytes = field(repr=False)
    layers: tuple[Mapping[str, Any], ...] = field(repr=False)
    values: Mapping[str, tuple[str, ...]] = field(repr=False)
    bytes_gone: str | None = None
    previous: int | None = None
    next: int | None = None

    @property
    def time(self) -> datetime | None:
        """In UTC, to the microsecond; time_ns is exact."""
        return datetime_of(self.time_ns)


def time_ns_of(told: Mapping[str, Any]) -> int | None:
    """Nanoseconds of an answer, where they are text: JSON's numbers do not hold them everywhere."""
    value = told.get("time_ns")
    return None if value is None else int(value)


def packet_of(told: Mapping[str, Any]) -> Packet:
    """A packet of an answer."""
    return Packet(
        column=told["column"],
        job=told["job"],
        number=told["number"],
        time_ns=time_ns_of(told),
        length=told["length"],
        captured_length=told.get("captured_length", told["length"]),
        url=told["url"],
        fields={name: tuple(values) for name, values in told["fields"].items()},
    )


def whole_packet_of(told: Mapping[str, Any]) -> WholePacket:
    """The packet of an answer about one."""
    values: dict[str, tuple[str, ...]] = {}
    for one in told["values"]:
        values[one["field"]] = (*values.get(one["field"], ()), one["value"])
    same = ("index", "column", "job", "number", "length", "captured_length", "linktype", "url", "bytes_gone", "previous", "next")
    return WholePacket(
        **{name: told[name] for name in same},
        time_ns=time_ns_of(told),
        data=bytes.fromhex(told["bytes"]),
        layers=tuple(told["layers"]),
        values=values,
    )


class Packets(Tabular):
    """Packets of a question: iterate over it (again and again, each time it is asked anew), or take it as a table.

    limit: at most so many. page_size: packets in a request."""

    def __init__(
        self,
        http: Http,
        parameters: Sequence[tuple[str, str]],
        fields: Sequence[str],
        limit: int | None,
        order: Order,
        page_size: int,
    ) -> None:
        if limit is not None and limit < 0:
            raise ValueError(f"limit must not be negative, not {limit}")
        self._http, self._parameters = http, parameters
        self._fields, self._limit, self._order, self._page_size = fields, limit, order, page_size

    def about(self) -> Question:
        """How many packets there are (more than `limit`, maybe), and what the question was read as."""
        told = self._page([("limit", "1")])
        return Question(told["count"], told["bytes"], told["lang"], told["pql"], tuple(told["notes"]))

    def __iter__(self) -> Iterator[Packet]:
        return islice(self._all(), self._limit)

    def _all(self) -> Iterator[Packet]:
        left, cursor = self._limit, None
        while left is None or left > 0:
            size = self._page_size if left is None else min(left, self._page_size)
            page = [("limit", str(size))] + ([("cursor", cursor)] if cursor else [])
            told = self._page(page)
            yield from map(packet_of, told["packets"])
            cursor = told["next"]
            if cursor is None:
                return
            if left is not None:
                left -= len(told["packets"])

    def _page(self, page: list[tuple[str, str]]) -> Any:
        asked = [*self._parameters, ("order", self._order), *page]
        if self._fields:
            asked.append(("fields", ",".join(self._fields)))
        return self._http.question("/packets/", asked, dict(self._parameters).get("q", ""))

    def columns_of_table(self) -> list[Column]:
        """column, job, number, time, length, captured_length, and a column of texts for each field."""
        rows = list(self)
        names = self._fields or list(dict.fromkeys(name for row in rows for name in row.fields))
        numbers = [Column(name, "int", [getattr(row, name) for row in rows]) for name in ("column", "job", "number")]
        sizes = [Column(name, "int", [getattr(row, name) for row in rows]) for name in ("length", "captured_length")]
        values = [Column(_apart(name), "texts", [row.fields.get(name, ()) for row in rows]) for name in names]
        return [*numbers, Column("time", "time", [row.time_ns for row in rows]), *sizes, *values]

    def to_pandas(self, values: Values = "all") -> pandas.DataFrame:
        """The packets as a DataFrame. values: a packet may have several values of a field; "all" gives tuples, "first" the first
        as text (missing where there is none), "joined" all of them with commas between."""
        return to_pandas([_narrowed(one, values) for one in self.columns_of_table()])

    def to_arrow(self) -> Any:
        """The packets as an Arrow table, values as lists of strings."""
        return to_arrow(self.columns_of_table())


_OWN = ("column", "job", "number", "time", "length", "captured_length")


def _apart(name: str) -> str:
    """A field's column, where its name is that of a column of ours already."""
    return f"{name}_values" if name in _OWN else name


def _narrowed(column: Column, values: Values) -> Column:
    if column.kind != "texts" or values == "all":
        return column
    if values == "first":
        return Column(column.name, "text", [some[0] if some else None for some in column.values])
    if values == "joined":
        return Column(column.name, "text", [",".join(some) if some else None for some in column.values])
    raise ValueError(f"values must be all, first or joined, not {values!r}")
