"""Two fields against each other: packets that have a value of the one and a value of the other. Exact but for what TopN says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from indexing.calls import Call
from proxy.analysis.asked import Asked
from proxy.analysis.counter import I64, Counter, RowCounts, counter_of, largest, within_of
from proxy.analysis.values import named


@dataclass
class Side:
    """The first values of a field, in order; distinct: how many it has in all. exact: whether these are the first ones."""

    field: str
    distinct: int
    exact: bool
    found: RowCounts
    values: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "distinct": self.distinct, "exact": self.exact, "values": self.values}


@dataclass
class Crosstab:
    """counts: (rows, columns) of packets; sums: their bytes, if asked for. count, bytes: of all packets of the question."""

    count: int
    bytes: int
    rows: Side
    columns: Side
    counts: I64
    sums: I64 | None

    def as_json(self) -> dict[str, Any]:
        said = {
            "count": self.count,
            "bytes": self.bytes,
            "exact": self.rows.exact and self.columns.exact,
            "rows": self.rows.as_json(),
            "columns": self.columns.as_json(),
            "counts": self.counts.tolist(),
        }
        return said if self.sums is None else {**said, "byte_counts": self.sums.tolist()}


def crosstab(index: str, call: Call | None, rows: str, columns: str, n_rows: int, n_columns: int, by_bytes: bool) -> Crosstab:
    """Of the packets of a bitmap call in values: the n_rows first values of one set field and the n_columns of another, by
    packets or by bytes. Raises QueryError, LimitExceeded."""
    within = within_of(index, call)
    with counter_of(index) as counter:
        count, size = counter.count(within)
        down = _side(counter, rows, n_rows, by_bytes, within)
        across = _side(counter, columns, n_columns, by_bytes, within)
        counts, sums = counter.cross(rows, down.found.rows, columns, across.found.rows, within, by_bytes)
    for one in (down, across):
        names = named(index, {one.field: one.found.rows})[one.field]
        its = one.found.sums.tolist() if one.found.sums is not None else [None] * one.found.rows.size
        for row, packets, total in zip(one.found.rows.tolist(), one.found.counts.tolist(), its, strict=True):
            one.values.append({**names[row], "count": packets, "bytes": total})
    return Crosstab(count, size, down, across, counts, sums)


def _side(counter: Counter, field: str, n: int, by_bytes: bool, within: Call | None) -> Side:
    (found,) = counter.tallies([field], within, weigh=counter.sums_are_free)
    distinct = int(found.rows.size)
    if not by_bytes:
        best = found.kept(largest(found.counts, found.rows, n))
    elif found.sums is not None:
        best = found.kept(largest(found.sums, found.rows, n))
    else:
        assert isinstance(counter, Asked)
        best = counter.tops_by_bytes(field, found, n, False, within)
    if best.sums is None:
        best = RowCounts(best.rows, best.counts, counter.sums(field, best.rows, within), best.exact)
    return Side(field, distinct, best.exact, best, [])
