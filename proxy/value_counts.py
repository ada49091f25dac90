"""How many packets have each of some values: what stands beside a packet's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexing.calls import Call, CountResult
from proxy.ask import ask, bitmap_of
from proxy.links import row

MOST = 200


def value_counts(index: str, jobs: Sequence[int], values: Sequence[dict[str, Any]]) -> list[int | None]:
    """Packets of the jobs (none: of all) with each value, [{"field", "value"}]; asked in one go. None: past the first MOST.

    Raises QueryError (LimitExceeded too)."""
    within = [bitmap_of("", jobs)] if jobs else []
    calls = []
    for one in values[:MOST]:
        has = row(one["field"], one["value"])
        calls.append(Call("Count", [Call("Intersect", [*within, has]) if within else has]))
    results = ask(index, calls).results
    counts = [result.count if isinstance(result, CountResult) else None for result in results]
    return counts + [None] * (len(values) - len(counts))
