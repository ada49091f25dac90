"""The columns that are in answers (`access`), shard by shard, against the batches that are visible. On both backends."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from indexing.backends.base import ACCESS_FIELD, LIVE_ROW, SHARD_WIDTH, Backend
from indexing.calls import Call, CountResult, RowRef, RowResult
from indexing.checking_findings import Finding, agreed
from indexing.models import Batch, BatchState, PacketIndex

LIVE = Call("Row", args={"row": RowRef(ACCESS_FIELD, LIVE_ROW)})


def columns(index: PacketIndex, backend: Backend) -> Iterator[Finding]:
    """A finding for each batch with columns that no answer has, and for columns that are nobody's."""
    index.refresh_from_db()
    shards = 1 + index.next_column // SHARD_WIDTH
    for shard in range(shards):
        yield from agreed(lambda shard=shard: list(_in_shard(index, backend, shard)))  # type: ignore[misc]
    yield from agreed(lambda: list(_beyond(index, backend, shards)))


def _in_shard(index: PacketIndex, backend: Backend, shard: int) -> Iterator[Finding]:
    start = shard * SHARD_WIDTH
    rows = list(
        Batch.objects.filter(
            index=index, packets__gt=0, first_column__gt=start - SHARD_WIDTH, first_column__lt=start + SHARD_WIDTH
        )
        .order_by("first_column")
        .values_list("pk", "job", "state", "first_column", "packets")
    )
    (live,) = backend.query(index.name, [LIVE], shards=[shard])
    assert isinstance(live, RowResult)
    there = np.zeros(SHARD_WIDTH, np.bool_)
    there[np.asarray(live.columns, np.int64) - start] = True
    spare = there.copy()
    written = backend.written_columns(index.name).astype(np.int64) - start
    spare[written[(written >= 0) & (written < SHARD_WIDTH)]] = False  # PQL's own, of no batch
    for pk, job, state, first_column, packets in rows:
        inside = slice(max(0, first_column - start), max(0, min(SHARD_WIDTH, first_column + packets - start)))
        if state == BatchState.VISIBLE and not there[inside].all():
            missing = np.flatnonzero(~there[inside]) + inside.start + start
            words = f"{missing.size} of its columns are in no answer, the first is {int(missing[0])}"
            yield Finding("columns are missing", words, {"index": index.name, "job": job, "batch": pk, "shard": shard})
        if state in (BatchState.VISIBLE, BatchState.READY, BatchState.CLAIMED, BatchState.HIDDEN):
            spare[inside] = False  # of an attempt that broke off, or being cleared
        elif there[inside].any():
            spare[inside] = False
            words = f"{int(there[inside].sum())} of its columns are in answers, and it is {state}"
            yield Finding("columns of no packet", words, {"index": index.name, "job": job, "batch": pk, "shard": shard})
    if spare.any():
        words = f"{int(spare.sum())} columns are in answers and of no batch: {_ranges(np.flatnonzero(spare) + start)}"
        yield Finding("columns of no packet", words, {"index": index.name, "shard": shard})


def _beyond(index: PacketIndex, backend: Backend, shards: int) -> Iterator[Finding]:
    """Columns in shards that were never given out. What came meanwhile is given out now."""
    index.refresh_from_db()
    known = range(max(shards, 1 + index.next_column // SHARD_WIDTH))
    every, inside = (backend.query(index.name, [Call("Count", [LIVE])], some)[0] for some in (None, list(known)))
    assert isinstance(every, CountResult)
    assert isinstance(inside, CountResult)
    written = int((backend.written_columns(index.name) >= np.uint64(len(known) * SHARD_WIDTH)).sum())
    if every.count - written > inside.count:
        spare = every.count - written - inside.count
        words = f"{spare} columns are in answers, in shards from {len(known)} on, which were never given out"
        yield Finding("columns of no packet", words, {"index": index.name})


def _ranges(found: NDArray[np.int64]) -> str:
    """Columns in words: the first few ranges of them."""
    cut = np.flatnonzero(np.diff(found) > 1) + 1
    parts = [f"{int(part[0])} to {int(part[-1])}" for part in np.split(found, cut)[:3]]
    return ", ".join(parts) + (f" and {cut.size - 2} ranges more" if cut.size > 2 else "")
