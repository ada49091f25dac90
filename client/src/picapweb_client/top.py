"""The first values of a field."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from picapweb_client.table import Column, Tabular


@dataclass(frozen=True)
class TopValue:
    """A value of a field, and the packets that have it. label: what it means, where it is a number that has a name.

    bytes: on the wire, None where they were not counted. distinct: values of the other field, if that was the metric."""

    value: str
    label: str | None
    count: int
    bytes: int | None = None
    distinct: int | None = None


@dataclass(frozen=True)
class Top(Tabular):
    """Values of a field, in the order that was asked for. distinct: how many it has in all. exact: whether the counts are.

    not_indexed: by field, jobs that did not index it, and that the answer is silent about."""

    field: str
    distinct: int
    exact: bool
    values: tuple[TopValue, ...]
    lang: str
    pql: str
    not_indexed: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict, hash=False)

    def columns_of_table(self) -> list[Column]:
        """value, label, count, bytes; distinct, if that was the metric."""
        some = [*columns_of_values(self.values), Column("bytes", "int", [one.bytes for one in self.values])]
        numbers = [one.distinct for one in self.values]
        return some if all(one is None for one in numbers) else [*some, Column("distinct", "int", numbers)]


def columns_of_values(values: tuple[TopValue, ...]) -> list[Column]:
    """value, label, count."""
    return [
        Column("value", "text", [one.value for one in values]),
        Column("label", "text", [one.label for one in values]),
        Column("count", "int", [one.count for one in values]),
    ]


def top_value_of(told: Mapping[str, Any]) -> TopValue:
    """A value of an answer."""
    return TopValue(told["value"], told["label"], told["count"], told.get("bytes"), told.get("distinct"))


def top_of(told: Mapping[str, Any]) -> Top:
    """An answer of /top/."""
    return Top(
        told["field"],
        told["distinct"],
        told["exact"],
        tuple(map(top_value_of, told["values"])),
        told["lang"],
        told["pql"],
        not_indexed_of(told),
    )


def not_indexed_of(told: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """`not_indexed` of an answer."""
    return {name: tuple(jobs) for name, jobs in (told.get("not_indexed") or {}).items()}
