"""Top values of fields as pages show them: counts, bars, and links that lead to the packets."""

from __future__ import annotations

from dataclasses import dataclass

from capture.packets.registry import FIELDS
from indexing.calls import Call
from proxy.field_groups import LEVELS
from proxy.links import Where
from proxy.tops import Metric, top

PACKETS = Metric()


@dataclass
class FacetValue:
    """share: of the largest figure that values are ranked by, 0..100, for the bar."""

    value: str
    label: str | None
    count: int
    share: float
    narrow: str
    exclude: str
    bytes: int | None = None  # where they were asked for
    distinct: int | None = None  # where values are ranked by how many values of another field they are with


@dataclass
class Facet:
    field: str
    level: str
    description: str
    distinct: int
    exact: bool
    values: list[FacetValue]
    more: str
    rare: bool = False  # the least frequent values are shown
    find: str = ""  # only values that have this in them
    remove: str = ""  # where it was chosen: the page without it
    turn: str = ""  # the page with rare values in place of frequent ones, or the other way round
    found_all: str = ""  # where it was searched: the page with all values


def facet(
    where: Where,
    call: Call | None,
    field: str,
    n: int,
    *,
    rare: bool = False,
    prefix: str = "",
    find: str = "",
    metric: Metric = PACKETS,
    with_bytes: bool = False,
) -> Facet:
    """The top (or rare) values of a set field among the packets of `call`; links start from `where`."""
    found = top(where.index, call, field, n, rare=rare, prefix=prefix, find=find, metric=metric, with_bytes=with_bytes)
    figure = {"packets": "count"}.get(metric.by, metric.by)
    largest = max((one[figure] or 0 for one in found.values), default=0) or 1
    values = [
        FacetValue(
            value=one["value"],
            label=one["label"],
            count=one["count"],
            share=round(100 * (one[figure] or 0) / largest, 2),
            narrow=where.narrow(field, one["value"]),
            exclude=where.exclude(field, one["value"]),
            bytes=one.get("bytes"),
            distinct=one.get("distinct"),
        )
        for one in found.values
    ]
    about = FIELDS[field]
    level = LEVELS.get(about.level, about.level)
    more = {**({"order": "rare"} if rare else {}), **({"find": find} if find else {})}
    return Facet(
        field, level, about.description, found.distinct, found.exact, values, where.top(field, **more), rare=rare, find=find
    )
