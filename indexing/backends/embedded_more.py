"""Fields of a batch of the embedded store that are found later than the others: they take the place of what it has of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from indexing.backends.base import BackendError, BatchRange
from indexing.backends.embedded_keys import EXISTS_FIELD, OWNED_FIELD, Place
from indexing.backends.embedded_merge import Changed
from indexing.backends.embedded_store import Blob, Store
from indexing.backends.ranges import pieces


def put_fields(store: Store, index: str, batch: BatchRange, fields: Collection[str], blobs: Sequence[Blob]) -> None:
    """One commit. blobs: of `fields`, those of the batch's pieces that have any. What the batch has in a segment comes out of it.

    Raises Changed (to be tried again), BackendError if the store does not have just this batch."""
    with store.read() as snapshot:
        held = [one for one in snapshot.batches_within(index, batch) if one.batch == batch.batch]
        if held != [batch]:
            raise BackendError(f"batch {batch.batch} of index {index} is not in the store as its row says it")
        names = snapshot.names_of(index, batch.batch)
        others = [name for name in names if name not in fields]
        was: dict[Place, tuple[str, bytes]] = {}
        taken: dict[Place, dict[str, bytes]] = {}
        for shard, first, last in pieces(batch):
            piece = Place(shard, first, last, batch.batch)
            segment = snapshot.segment_of(index, piece)
            field = EXISTS_FIELD if segment is None else OWNED_FIELD
            was[piece] = field, bytes(snapshot.fragment(index, field, piece) or b"")
            if segment is not None:
                found = ((name, snapshot.blob(index, name, shard, batch)) for name in others)
                taken[piece] = {name: bytes(data) for name, data in found if data is not None}
    with store.places(index) as places:
        for piece, (field, record) in was.items():
            if places.get(field, piece) != record:
                raise Changed(f"batch {piece.id} of index {index} was changed while fields of it were")
        for piece in was:
            new = {name: data for name, shard, _, _, data in blobs if shard == piece.shard}
            if piece in taken:
                places.remove_piece(piece, names)
                places.put_piece(piece, (taken[piece] | new).items())
            else:
                places.replace_fields(piece, fields, new)
        places.put_record(batch, {*others, *(blob[0] for blob in blobs)})
