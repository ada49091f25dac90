"""Batches' columns cut at shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from indexing.backends.base import SHARD_WIDTH, BatchRange


def pieces(batch: BatchRange) -> Iterator[tuple[int, int, int]]:
    """(shard, first, last) of a batch's columns, shard by shard; first and last within the shard, both inclusive."""
    column, end = batch.first_column, batch.first_column + batch.count
    while column < end:
        shard = column // SHARD_WIDTH
        stop = min(end, (shard + 1) * SHARD_WIDTH)
        yield shard, column % SHARD_WIDTH, (stop - 1) % SHARD_WIDTH
        column = stop


def merged(batches: Iterable[BatchRange]) -> dict[int, list[tuple[int, int]]]:
    """Shard -> (first, last) columns within it of all batches, ascending, neither overlapping nor touching."""
    found: dict[int, list[tuple[int, int]]] = {}
    for batch in batches:
        for shard, first, last in pieces(batch):
            found.setdefault(shard, []).append((first, last))
    for shard, ranges in found.items():
        out: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            if out and first <= out[-1][1] + 1:
                out[-1] = (out[-1][0], max(out[-1][1], last))
            else:
                out.append((first, last))
        found[shard] = out
    return dict(sorted(found.items()))
