"""PQL at Pilosa's own endpoint, with results that have types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from picapweb_client.asking import Asking
from picapweb_client.table import Column, Tabular

NOT_INDEXED = "Picapweb-Not-Indexed"


@dataclass(frozen=True)
class Columns(Tabular):
    """Columns of a bitmap call, ascending. keys: their names, in an index whose columns have names."""

    columns: tuple[int, ...]
    keys: tuple[str, ...] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def columns_of_table(self) -> list[Column]:
        """column, or key."""
        return [Column("column", "int", self.columns) if self.keys is None else Column("key", "text", self.keys)]


@dataclass(frozen=True)
class Pair:
    """A value and how many packets have it. value: text where the field has keys, else the number of the row."""

    value: str | int
    count: int


@dataclass(frozen=True)
class Pairs(Tabular):
    """Values by how many packets have them, of TopN."""

    pairs: tuple[Pair, ...]

    def columns_of_table(self) -> list[Column]:
        """value, count."""
        return [_values("value", [one.value for one in self.pairs]), Column("count", "int", [one.count for one in self.pairs])]


@dataclass(frozen=True)
class Rows(Tabular):
    """Values of a field, of Rows: texts where it has keys, else numbers of rows."""

    rows: tuple[str | int, ...]

    def columns_of_table(self) -> list[Column]:
        """value."""
        return [_values("value", self.rows)]


@dataclass(frozen=True)
class Group:
    """A group: the value of each field, and how many packets have them all."""

    values: Mapping[str, str | int]
    count: int


@dataclass(frozen=True)
class Groups(Tabular):
    """Groups, of GroupBy."""

    groups: tuple[Group, ...]

    def columns_of_table(self) -> list[Column]:
        """A column for each field, and count."""
        names = list(self.groups[0].values) if self.groups else []
        found = [_values(name, [one.values[name] for one in self.groups]) for name in names]
        return [*found, Column("count", "int", [one.count for one in self.groups])]


@dataclass(frozen=True)
class ValueCount:
    """The result of Sum, Min or Max, and how many packets it is of."""

    value: int
    count: int


# int: of Count. bool: whether a write changed something. None: of calls that answer nothing. Pair: of MinRow and MaxRow.
Result = int | bool | None | Columns | Pairs | Pair | Rows | Groups | ValueCount


@dataclass(frozen=True)
class Answer(Sequence[Result]):
    """The results of a query, one for each call, in order.

    not_indexed: by field, jobs that did not index it, so that the results are silent about them."""

    results: tuple[Result, ...]
    not_indexed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __getitem__(self, at: Any) -> Any:
        return self.results[at]

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)


class Pql(Asking):
    """See above."""

    def pql(self, text: str, index: str = "net") -> Answer:
        """The results of the calls of a PQL text, today's or picap's. Raises QueryError, with Pilosa's words."""
        path = f"/index/{quote(index, safe='')}/query"
        with self.http.stream("POST", path, body=text.encode(), query=text, headers={"Content-Type": "text/plain"}) as answer:
            header = answer.headers.get(NOT_INDEXED, "")
            told = self.http.read_json(answer)
        return Answer(tuple(_result(one) for one in told["results"]), _not_indexed(header))


def _not_indexed(header: str) -> dict[str, tuple[int, ...]]:
    """By field, of `tls-sni=3,7; dns-qname=3`."""
    said = (part.partition("=") for part in header.split(";") if part.strip())
    return {name.strip(): tuple(int(job) for job in jobs.split(",")) for name, _, jobs in said}


def _result(told: Any) -> Result:
    """A result by its shape. An empty list, which TopN and GroupBy both answer, is Pairs."""
    if told is None or isinstance(told, bool | int):
        return told
    if isinstance(told, list):
        if told and "group" in told[0]:
            return Groups(tuple(Group({row["field"]: _row(row) for row in one["group"]}, one["count"]) for one in told))
        return Pairs(tuple(_pair(one) for one in told))
    if "rows" in told:
        return Rows(tuple(told.get("keys") or told["rows"] or ()))
    if "value" in told:
        return ValueCount(told["value"], told["count"])
    if "id" in told:
        return _pair(told)
    columns = told.get("columns", told.get("bits", []))
    return Columns(tuple(columns), tuple(told["keys"]) if "keys" in told else None, told.get("attrs") or {})


def _pair(told: Mapping[str, Any]) -> Pair:
    if "Key" in told:  # picap's shape
        return Pair(told["Key"], told["Count"])
    return Pair(told.get("key", told.get("id", 0)), told["count"])


def _row(told: Mapping[str, Any]) -> str | int:
    value: str | int = told["rowKey"] if "rowKey" in told else told["rowID"]
    return value


def _values(name: str, values: Sequence[str | int]) -> Column:
    return Column(name, "int" if values and all(isinstance(one, int) for one in values) else "text", [*values])
