"""Two sets of packets against each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from picapweb_client.packet import Question
from picapweb_client.scope import Lang, job_numbers
from picapweb_client.table import Column, Tabular
from picapweb_client.top import not_indexed_of
from picapweb_client.when import When, rfc3339

if TYPE_CHECKING:
    from picapweb_client.job import Job


@dataclass(frozen=True)
class Side:
    """One of the sets that are compared: a query, narrowed as any question is."""

    q: str = ""
    lang: Lang | None = None
    jobs: int | Job | Iterable[int | Job] | None = None
    start: When | None = None
    end: When | None = None

    def parameters(self, side: str) -> list[tuple[str, str]]:
        """As parameters of side a or b."""
        said = [(side, self.q)]
        if self.lang:
            said.append((f"{side}_lang", self.lang))
        said += [(f"{side}_job", str(number)) for number in job_numbers(self.jobs)]
        times = (("from", self.start), ("to", self.end))
        return said + [(f"{side}_{name}", rfc3339(when)) for name, when in times if when is not None]


@dataclass(frozen=True)
class Change:
    """A value of a field: its packets on each side, and their share of the side's. score: how surprising the change is (signed
    log-likelihood ratio G2; positive: more on side b)."""

    field: str
    value: str
    label: str | None
    state: Literal["new", "gone", "changed"]
    a: int
    b: int
    share_a: float
    share_b: float
    score: float


@dataclass(frozen=True)
class FieldComparison:
    """What differs in a field. distinct_a, distinct_b: values on each side. new, gone, changed: how many values are so in all.

    changes: the first of them, the greatest change first."""

    field: str
    distinct_a: int
    distinct_b: int
    new: int
    gone: int
    changed: int
    exact: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Comparison(Tabular):
    """a, b: the sides. fields: those that differ, the greatest change first. new, gone, changed: values of all fields."""

    a: Question
    b: Question
    new: int
    gone: int
    changed: int
    exact: bool
    measure: str
    fields: tuple[FieldComparison, ...]
    not_indexed: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)

    def columns_of_table(self) -> list[Column]:
        """field, value, label, state, a, b, share_a, share_b, score: a row for each change."""
        changes = [change for one in self.fields for change in one.changes]
        return [
            *(Column(name, "text", [getattr(one, name) for one in changes]) for name in ("field", "value", "label", "state")),
            *(Column(name, "int", [getattr(one, name) for one in changes]) for name in ("a", "b")),
            *(Column(name, "float", [getattr(one, name) for one in changes]) for name in ("share_a", "share_b", "score")),
        ]


def comparison_of(told: Mapping[str, Any]) -> Comparison:
    """An answer of /compare/."""
    return Comparison(
        a=_question(told["a"]),
        b=_question(told["b"]),
        **{name: told[name] for name in ("new", "gone", "changed", "exact", "measure")},
        fields=tuple(map(_field, told["fields"])),
        not_indexed=not_indexed_of(told),
    )


def _question(told: Mapping[str, Any]) -> Question:
    return Question(told["count"], told["bytes"], told["lang"], told["pql"], tuple(told["notes"]))


def _field(told: Mapping[str, Any]) -> FieldComparison:
    same = ("field", "distinct_a", "distinct_b", "new", "gone", "changed", "exact")
    changes = tuple(Change(field=told["field"], **{name: one[name] for name in _CHANGE}) for one in told["values"])
    return FieldComparison(**{name: told[name] for name in same}, changes=changes)


_CHANGE = ("value", "label", "state", "a", "b", "share_a", "share_b", "score")
