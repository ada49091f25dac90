"""Batches of the embedded store that are neighbours become one: which are there, and what is written for it, shard by shard.

Pieces that are all in one segment are only named anew. Else their bits become blobs of the new batch's own: those that are in
segments are copied, and noted as gone there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexing.backends.base import BatchRange, MergeRefused
from indexing.backends.embedded_join import Source, join
from indexing.backends.embedded_keys import EXISTS_FIELD, OWNED_FIELD, Place, Range
from indexing.backends.embedded_snapshot import Snapshot
from indexing.backends.embedded_store import Store
from indexing.backends.ranges import pieces
from indexing.fragment import bitmap_of_ranges


class Changed(Exception):
    """What was read is not there any more as it was: to be tried again."""


@dataclass(frozen=True)
class Part:
    """One shard of the new batch. was: the pieces that it is made of, each with its record; blobs None: they stay where they are,
    in `segment`."""

    piece: Place
    was: dict[Place, tuple[str, bytes]]
    segment: Place | None
    blobs: dict[str, bytes] | None


def merge(store: Store, index: str, batches: Sequence[BatchRange], into: BatchRange) -> None:
    """See Backend.merge_batches. One commit: a reader sees the small batches or the large one.

    Raises Changed, MergeRefused, Overlap."""
    with store.read() as snapshot:
        held = snapshot.batches_within(index, into)
        if held == [into]:
            return
        check(index, held, batches, into)
        names = sorted({name for batch in held for name in snapshot.names_of(index, batch.batch)})
        parts = [_part(snapshot, index, names, held, Place(*piece, into.batch)) for piece in pieces(into)]
    # Blobs were made without the lock that all writers share: imports are not to wait for that.
    with store.places(index) as places:
        for part in parts:
            for piece, (field, record) in part.was.items():
                if places.get(field, piece) != record:
                    raise Changed(f"batch {piece.id} of index {index} was changed while it was merged")
        for part in parts:
            for piece in part.was:
                if part.blobs is None:
                    places.disown(piece)
                else:
                    places.remove_piece(piece, names)
        for batch in held:
            places.remove(batch.batch)  # its record: the pieces are gone
        for part in parts:
            if part.blobs is None:
                assert part.segment is not None
                places.own(part.piece, part.segment)
            else:
                places.put_piece(part.piece, part.blobs.items())
        places.put_record(into, names)


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


def _part(snapshot: Snapshot, index: str, names: Sequence[str], held: Sequence[BatchRange], piece: Place) -> Part:
    was: dict[Place, tuple[str, bytes]] = {}
    own: list[Place] = []
    ranges: dict[Place, list[Range]] = {}  # of segments
    for batch in held:
        for shard, first, last in pieces(batch):
            if shard != piece.shard:
                continue
            old = Place(shard, first, last, batch.batch)
            segment = snapshot.segment_of(index, old)
            field = EXISTS_FIELD if segment is None else OWNED_FIELD
            was[old] = field, bytes(snapshot.fragment(index, field, old) or b"")
            if segment is None:
                own.append(old)
            else:
                ranges.setdefault(segment, []).append((first, last))
    if not own and len(ranges) == 1:
        return Part(piece, was, next(iter(ranges)), None)
    wanted = {segment: bitmap_of_ranges(some) for segment, some in ranges.items()}
    blobs: dict[str, bytes] = {}
    for name in names:
        sources: list[Source] = []
        for place in (*own, *wanted):
            blob = snapshot.fragment(index, name, place)
            if blob is not None:
                sources.append((blob, wanted.get(place)))
        data = join(sources) if sources else None
        if data is not None:
            blobs[name] = data
    return Part(piece, was, None, blobs)
