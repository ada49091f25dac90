"""Top values of fields as pages show them: counts, bars, and links that lead to the packets."""

from __future__ import annotations

from dataclasses import dataclass

from capture.packets.registry import FIELDS
from indexing.calls import Call
from proxy.field_groups import LEVELS
from proxy.links import Where
from proxy.tops import top


@dataclass
class FacetValue:
    """share: of the largest count, 0..100, for the bar."""

    value: str
    label: str | None
    count: int
    share: float
    narrow: str
    exclude: str


@dataclass
class Facet:
    field: str
    level: str
    description: str
    distinct: int
    exact: bool
    values: list[FacetValue]
    more: str
    remove: str = ""  # where it was chosen: the page without it


def facet(where: Where, call: Call | None, field: str, n: int, *, rare: bool = False, prefix: str = "") -> Facet:
    """The top (or rare) values of a set field among the packets of `call`; links start from `where`."""
    found = top(where.index, call, field, n, rare=rare, prefix=prefix)
    largest = max((one["count"] for one in found.values), default=1)
    values = [
        FacetValue(
            value=one["value"],
            label=one["label"],
            count=one["count"],
            share=round(100 * one["count"] / largest, 2),
            narrow=where.narrow(field, one["value"]),
            exclude=where.exclude(field, one["value"]),
        )
        for one in found.values
    ]
    about = FIELDS[field]
    return Facet(
        field, LEVELS.get(about.level, about.level), about.description, found.distinct, found.exact, values, where.top(field)
    )
