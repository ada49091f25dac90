"""Top and rare values of a field under any query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from capture.packets.registry import FIELDS
from capture.packets.values import label_of
from indexing.calls import Call, Condition, CountResult, Pair, PairsResult, RowRef
from proxy.ask import ask


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
    result = ask(index, [Call("TopN", [call] if call else [], {"field": field})]).results[0]
    assert isinstance(result, PairsResult)
    pairs = [pair for pair in result.pairs if pair.count]
    if prefix:
        pairs = [pair for pair in pairs if (pair.key or "").startswith(prefix)]
    chosen = sorted(pairs, key=lambda pair: (pair.count, pair.key or ""))[:n] if rare else pairs[:n]
    return Top(field, len(pairs), result.exact, [_value(field, pair) for pair in chosen])


def _value(field: str, pair: Pair) -> dict[str, Any]:
    one = FIELDS[field]
    label = None if one.encoding == "text" else label_of(one, pair.id)
    return {"value": pair.key if pair.key is not None else str(pair.id), "label": label, "count": pair.count}


# Past so many values, the packets that have a field are not counted: it would be a union of all its rows.
MOST_ROWS = 5000


def field_figures(index: str) -> dict[str, tuple[int | None, int | None]]:
    """By field: how many values it has now, and how many packets have it; None: not counted (an int's values, or too many)."""
    names = [one.name for one in FIELDS.values() if one.kind == "set"]
    tops = ask(index, [Call("TopN", args={"field": name}) for name in names]).results
    figures: dict[str, tuple[int | None, int | None]] = {}
    rows: dict[str, Call] = {}
    for name, found in zip(names, tops, strict=True):
        assert isinstance(found, PairsResult)
        pairs = [pair for pair in found.pairs if pair.count]
        figures[name] = (len(pairs), None)
        if len(pairs) <= MOST_ROWS:
            rows[name] = Call("Union", [Call("Row", args={"row": RowRef(name, pair.key or "")}) for pair in pairs])
    for one in FIELDS.values():
        if one.kind == "int":
            figures[one.name] = (None, None)
            rows[one.name] = Call("Row", args={"condition": (one.name, Condition("!=", None))})
    for name, count in zip(rows, ask(index, [Call("Count", [call]) for call in rows.values()]).results, strict=True):
        assert isinstance(count, CountResult)
        figures[name] = (figures[name][0], count.count)
    return figures
