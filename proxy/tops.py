"""Top and rare values of a field under any query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Sum

from capture.packets.registry import FIELDS
from capture.packets.values import label_of
from indexing.calls import Call, Condition, CountResult, Pair, PairsResult, RowRef
from indexing.models import Batch, BatchState
from proxy.ask import ask_rows, in_rows, with_values


@dataclass
class Top:
    """Values of a field by how many packets have them. distinct: how many values there are in all."""

    field: str
    distinct: int
    exact: bool
    values: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "distinct": self.distinct, "exact": self.exact, "values": self.values}


def top(index: str, call: Call | None, field: str, n: int, *, rare: bool = False, prefix: str = "") -> Top:
    """The `n` most (or least) frequent values of a set field among the packets of a bitmap call; None: all packets."""
    within = [in_rows(index, call)] if call else []
    (result,) = ask_rows(index, [Call("TopN", within, {"field": field})])
    assert isinstance(result, PairsResult)
    # Only the values that are shown are looked up, unless it is the values that decide.
    pairs = [pair for pair in result.pairs if pair.count]
    if prefix:
        _look_up(index, replace(result, pairs=pairs))
        pairs = [pair for pair in pairs if (pair.key or "").startswith(prefix)]
    chosen = pairs[-n:][::-1] if rare else pairs[:n]
    if not prefix:
        _look_up(index, replace(result, pairs=chosen))
    return Top(field, len(pairs), result.exact, [_value(field, pair) for pair in chosen])


def _look_up(index: str, result: PairsResult) -> None:
    """Gives the pairs their keys."""
    with_values(index, [result])


def _value(field: str, pair: Pair) -> dict[str, Any]:
    one = FIELDS[field]
    label = None if one.encoding == "text" else label_of(one, pair.id)
    return {"value": pair.key if pair.key is not None else str(pair.id), "label": label, "count": pair.count}


# Past so many values, the packets that have a field are not counted: it would be a union of all its rows.
MOST_ROWS = 5000


Figures = dict[str, tuple[int | None, int | None]]
_known: dict[tuple[str, str], tuple[object, Figures]] = {}


def field_figures(index: str) -> Figures:
    """By field: how many values it has now, and how many packets have it; None: not counted (an int's values, or too many).

    Counted anew only when batches came or went: with many values it takes seconds.
    """
    visible = Batch.objects.filter(index__name=index, state=BatchState.VISIBLE)
    state = visible.aggregate(n=Count("pk"), last=Max("pk"), sum=Sum("first_column"), bits=Sum("attempt"))
    place = (settings.INDEX_URL, index)
    if place not in _known or _known[place][0] != state:
        _known[place] = (state, _count_fields(index))
    return _known[place][1]


def _count_fields(index: str) -> Figures:
    names = [one.name for one in FIELDS.values() if one.kind == "set"]
    figures: Figures = {}
    having: dict[str, Call] = {}
    for name, found in zip(names, ask_rows(index, [Call("TopN", args={"field": name}) for name in names]), strict=True):
        assert isinstance(found, PairsResult)
        rows = [pair.id for pair in found.pairs if pair.count]
        figures[name] = (len(rows), None)
        if len(rows) <= MOST_ROWS:
            having[name] = Call("Union", [Call("Row", args={"row": RowRef(name, row)}) for row in rows])
    for one in FIELDS.values():
        if one.kind == "int":
            figures[one.name] = (None, None)
            having[one.name] = Call("Row", args={"condition": (one.name, Condition("!=", None))})
    counts = ask_rows(index, [Call("Count", [call]) for call in having.values()])
    for name, count in zip(having, counts, strict=True):
        assert isinstance(count, CountResult)
        figures[name] = (figures[name][0], count.count)
    return figures
