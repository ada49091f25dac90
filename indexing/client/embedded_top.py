"""TopN on a client index: exact over all shards; what Pilosa decides shard by shard (thresholds) is decided so."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from indexing.calls import Call, CountResult, Pair, PairsResult

if TYPE_CHECKING:
    from indexing.backends.embedded_engine import Engine
    from indexing.client.embedded_reads import Reader


def top(reader: Reader, call: Call, shards: Sequence[int] | None, having: set[int] | None) -> PairsResult:
    """call: on a physical field, checked. having: the only rows to look at (None: all)."""
    args = call.args
    field, ids, n = args["field"], args.get("ids") or None, args.get("n") or 0
    threshold = args.get("threshold") or 0
    tanimoto = args.get("tanimotoThreshold") or 0 if call.children else 0
    ids_left: list[int] | None = ids
    if having is not None:
        ids_left = sorted(having if ids is None else having & set(ids))
        if not ids_left:
            return PairsResult([], field)
    n = 0 if ids else n
    inner: dict[str, Any] = {"field": field}
    if ids_left:
        inner["ids"] = ids_left
    if not tanimoto and threshold <= 1:
        if n and not ids_left:
            inner["n"] = n
        result = reader.engine(shards).answer(Call("TopN", call.children, inner, position=call.position))
        assert isinstance(result, PairsResult)
        return PairsResult(result.pairs[:n] if n else result.pairs, field)
    total: Counter[int] = Counter()
    present = sorted(reader.snapshot.overlaid(reader.store_index))
    for shard in present if shards is None else sorted(set(present) & set(shards)):
        engine = reader.engine([shard])
        whole = _counts(engine, Call("TopN", [], inner))
        counts = _counts(engine, Call("TopN", call.children, inner)) if call.children else whole
        if tanimoto:
            source = engine.answer(Call("Count", call.children))
            assert isinstance(source, CountResult)
            counts = {row: c for row, c in counts.items() if _alike(c, whole[row], source.count, tanimoto)}
        else:
            counts = {row: count for row, count in counts.items() if count >= threshold}
        total.update(counts)
    pairs = [Pair(row, count) for row, count in sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))]
    return PairsResult(pairs[:n] if n else pairs, field)


def _counts(engine: Engine, call: Call) -> dict[int, int]:
    result = engine.answer(call)
    assert isinstance(result, PairsResult)
    return {pair.id: pair.count for pair in result.pairs}


def _alike(both: int, row: int, source: int, threshold: int) -> bool:
    """Whether two sets of columns, of these sizes and with so many in common, are more alike than so many percent."""
    if not source * threshold / 100 < row < source * 100 / threshold:
        return False
    return math.ceil(both * 100 / (row + source - both)) > threshold
