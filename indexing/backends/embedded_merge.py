"""Batches of the embedded store that are neighbours become one: which are there, and their blobs joined, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indexing.backends.base import BatchRange, MergeRefused
from indexing.backends.embedded_join import join_ints, join_sets
from indexing.backends.embedded_store import Blob, Snapshot
from indexing.backends.ranges import pieces


def check(index: str, held: Sequence[BatchRange], batches: Sequence[BatchRange], into: BatchRange) -> None:
    """That the batches `held` by the store in the columns of `into` are some of `batches` and make up all of it.

    They need not be all of `batches`: a merge whose rows were not committed has left fewer. Raises MergeRefused."""
    end = into.first_column + into.count
    known = {batch.batch for batch in batches}
    for batch in held:
        if batch.first_column < into.first_column or batch.first_column + batch.count > end:
            raise MergeRefused(
                f"batch {batch.batch} of index {index} holds columns {batch.first_column} to "
                f"{batch.first_column + batch.count - 1}: more than columns {into.first_column} to {end - 1}",
                batch,
            )
        if batch.batch not in known:
            raise MergeRefused(f"columns {into.first_column} to {end - 1} of index {index} are also those of batch {batch.batch}")
    present = sum(batch.count for batch in held)
    if present != into.count:
        raise MergeRefused(f"of columns {into.first_column} to {end - 1} of index {index} only {present} are in the store")


def blobs(snapshot: Snapshot, index: str, held: Sequence[BatchRange], into: BatchRange) -> Iterator[Blob]:
    """The blobs of `held`, by column, as those of the one batch `into`."""
    schema = snapshot.fields(index) or {}
    names = sorted({name for batch in held for name in snapshot.names_of(index, batch.batch)})
    for shard, first, last in pieces(into):
        for name in names:
            found = [blob for batch in held if (blob := snapshot.blob(index, name, shard, batch)) is not None]
            if found:
                data = join_ints(found) if schema[name].kind == "int" else join_sets(found)
                yield name, shard, first, last, data
