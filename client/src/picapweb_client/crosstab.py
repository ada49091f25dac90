"""Two fields against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from picapweb_client.table import Column, Tabular, need_pandas
from picapweb_client.top import TopValue, not_indexed_of, top_value_of

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Axis:
    """The values of a field that are shown. distinct: how many it has in all."""

    field: str
    distinct: int
    exact: bool
    values: tuple[TopValue, ...]


@dataclass(frozen=True)
class Crosstab(Tabular):
    """counts: of packets, a tuple for each value of `rows`, in it a number for each of `columns`. byte_counts: the same of their
    bytes, if that was the metric. count, bytes: of all packets of the question."""

    count: int
    bytes: int
    exact: bool
    rows: Axis
    columns: Axis
    counts: tuple[tuple[int, ...], ...]
    byte_counts: tuple[tuple[int, ...], ...] | None
    lang: str
    pql: str
    not_indexed: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)

    def columns_of_table(self) -> list[Column]:
        """row, column, count, and bytes if that was the metric: a row for each pair of values."""
        rows, columns = ([one.value for one in side.values] for side in (self.rows, self.columns))
        found = [
            Column("row", "text", [row for row in rows for _ in columns]),
            Column("column", "text", [column for _ in rows for column in columns]),
            Column("count", "int", [number for numbers in self.counts for number in numbers]),
        ]
        if self.byte_counts is not None:
            found.append(Column("bytes", "int", [number for numbers in self.byte_counts for number in numbers]))
        return found

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each value of the one field, a column for each of the other: packets, or bytes if that was the metric."""
        pd = need_pandas()
        return pd.DataFrame(
            self.counts if self.byte_counts is None else self.byte_counts,
            index=pd.Index([one.value for one in self.rows.values], name=self.rows.field, dtype="string"),
            columns=pd.Index([one.value for one in self.columns.values], name=self.columns.field, dtype="string"),
            dtype="int64",
        )


def crosstab_of(told: Mapping[str, Any]) -> Crosstab:
    """An answer of /crosstab/."""
    sums = told.get("byte_counts")
    return Crosstab(
        **{name: told[name] for name in ("count", "bytes", "exact", "lang", "pql")},
        rows=_axis(told["rows"]),
        columns=_axis(told["columns"]),
        counts=tuple(map(tuple, told["counts"])),
        byte_counts=None if sums is None else tuple(map(tuple, sums)),
        not_indexed=not_indexed_of(told),
    )


def _axis(told: Mapping[str, Any]) -> Axis:
    return Axis(told["field"], told["distinct"], told["exact"], tuple(map(top_value_of, told["values"])))
