"""Top and rare values of a field under any query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from capture.packets.registry import FIELDS
from capture.packets.values import label_of
from indexing.calls import Call, Pair, PairsResult
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
