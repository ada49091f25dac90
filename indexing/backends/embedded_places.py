"""Putting and removing what lies at places of the embedded store, within a write transaction (embedded_store has these)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from indexing.backends import embedded_keys as keys
from indexing.backends.base import BackendError, BatchRange
from indexing.backends.embedded_keys import EXISTS_FIELD, GONE_FIELD, OWNED_FIELD, SEGMENT_FIELD, Place, Range, Segment
from indexing.backends.embedded_overlays import Overlays
from indexing.backends.ranges import pieces

SMALL_COLUMNS = 1 << 16  # a piece of so many columns stays as it is

Blob = tuple[str, int, int, int, bytes]  # field, shard, first, last, bytes


class Overlap(BackendError):
    """A batch's columns belong to another batch already."""


class Places:
    """A write transaction's view of one index. `finish` must be called before the commit."""

    def __init__(self, txn: Any, batches: Any, fragments: Any, overlay: Any, index: str) -> None:
        self.overlays = Overlays(txn, overlay, index)
        self._txn, self._batches, self._fragments, self._index = txn, batches, fragments, index
        self.serial = int(txn.id())  # no other write transaction has it
        self._version = keys.NUMBER.pack(self.serial)
        self._gone: dict[Place, list[Range]] = {}
        self._changed: set[int] = set()  # shards

    # Batches

    def remove(self, batch: int) -> BatchRange | None:
        """A batch and its bits; what is in a segment is noted as gone, and cut out of it later. Returns which columns it had."""
        key = keys.batch_key(self._index, batch)
        record = self._txn.get(key, db=self._batches)
        if record is None:
            return None
        range_ = BatchRange(batch, *keys.RANGE.unpack_from(record))
        names = record[keys.RANGE.size :].decode().split("\0")
        for shard, first, last in pieces(range_):
            self.remove_piece(Place(shard, first, last, batch), names)
        self._txn.delete(key, db=self._batches)
        return range_

    def remove_piece(self, piece: Place, names: Iterable[str]) -> None:
        """A batch's bits of one shard."""
        if self._delete(EXISTS_FIELD, piece):
            for name in names:
                self._delete(name, piece)
            return
        owner = self.get(OWNED_FIELD, piece)
        if owner is not None:
            self._delete(OWNED_FIELD, piece)
            self._gone.setdefault(keys.unpack_owner(piece.shard, owner), []).append((piece.first, piece.last))

    def remove_blobs(self, piece: Place) -> None:
        """The blobs of a batch's piece: they are in a segment now."""
        record = self._txn.get(keys.batch_key(self._index, piece.id), db=self._batches)
        for name in record[keys.RANGE.size :].decode().split("\0"):
            self._delete(name, piece)

    def put_record(self, batch: BatchRange, names: Iterable[str]) -> None:
        """That a batch is there, and of which fields it has bits."""
        value = keys.RANGE.pack(batch.first_column, batch.count) + "\0".join(sorted(set(names))).encode()
        self._txn.put(keys.batch_key(self._index, batch.batch), value, db=self._batches)

    def put_piece(self, piece: Place, blobs: Iterable[tuple[str, bytes]]) -> None:
        """A batch's bits of one shard, as blobs of its own. Raises Overlap."""
        self.check_overlap(piece)
        self._put(EXISTS_FIELD, piece, self._version)
        for name, data in blobs:
            self._put(name, piece, data)
        if piece.last - piece.first + 1 < SMALL_COLUMNS:
            self._mark(piece.shard)

    def replace_fields(self, piece: Place, fields: Iterable[str], blobs: Mapping[str, bytes]) -> None:
        """Other bits of some fields of a piece that has blobs of its own."""
        for name in fields:
            if name not in blobs:
                self._delete(name, piece)
        for name, data in blobs.items():
            self._put(name, piece, data)
        self._put(EXISTS_FIELD, piece, self._version)

    def check_overlap(self, piece: Place) -> None:
        """Columns of a batch are its own: a second owner would be counted twice. Its neighbours' keys tell."""
        for field in (EXISTS_FIELD, OWNED_FIELD):
            prefix = keys.field_key(self._index, field, piece.shard)
            with self._txn.cursor(db=self._fragments) as cursor:
                after = cursor.set_range(keys.place_key(self._index, field, Place(piece.shard, piece.first, 0, 0)))
                neighbours = [cursor.key()] if after else []
                if cursor.prev() if after else cursor.last():
                    neighbours.append(cursor.key())
            for key in neighbours:
                if not key.startswith(prefix):
                    continue
                other = keys.place_of(key)
                if other.first <= piece.last and piece.first <= other.last:
                    at = piece.shard << 20
                    raise Overlap(
                        f"batch {piece.id} of index {self._index}: columns {at + piece.first} to {at + piece.last} "
                        f"overlap batch {other.id}, which holds {at + other.first} to {at + other.last}"
                    )

    # Segments

    def put_segment(self, place: Place, segment: Segment, blobs: Iterable[tuple[str, bytes]]) -> None:
        """A new segment with its blobs."""
        self._put(SEGMENT_FIELD, place, segment.packed())
        for name, data in blobs:
            self._put(name, place, data)

    def remove_segment(self, place: Place, names: Iterable[str]) -> None:
        """A segment, its blobs, and what is noted of it."""
        self._delete(SEGMENT_FIELD, place)
        for name in names:
            self._delete(name, place)
        self._remove_gone(place)

    def own(self, piece: Place, segment: Place) -> None:
        """Notes that a batch's piece is in a segment."""
        self._delete(EXISTS_FIELD, piece)
        self._put(OWNED_FIELD, piece, keys.pack_owner(segment))

    def disown(self, piece: Place) -> None:
        """Forgets a piece that is in a segment; its columns stay there, for one that takes its place."""
        self._delete(OWNED_FIELD, piece)

    def owned(self, shard: int, ranges: Sequence[Range], segment: Place) -> list[Place]:
        """The pieces of these columns that are in a segment."""
        found = []
        with self._txn.cursor(db=self._fragments) as cursor:
            for first, last in ranges:
                prefix = keys.field_key(self._index, OWNED_FIELD, shard)
                more = cursor.set_range(keys.place_key(self._index, OWNED_FIELD, Place(shard, first, 0, 0)))
                while more and cursor.key().startswith(prefix):
                    piece = keys.place_of(cursor.key())
                    if piece.first > last:
                        break
                    if keys.unpack_owner(shard, cursor.value()) == segment:
                        found.append(piece)
                    more = cursor.next()
        return found

    def gather_gone(self, place: Place, ranges: Iterable[Range]) -> None:
        """What is gone of a segment, noted in one record instead of many."""
        self._remove_gone(place)
        value = keys.pack_ranges(keys.joined(ranges))
        self._txn.put(keys.gone_key(self._index, place, self.serial), value, db=self._fragments)

    def finish(self) -> None:
        """Writes down what is gone of segments, one with nothing left goes itself; and which shards have changed."""
        for place, ranges in self._gone.items():
            record = self.get(SEGMENT_FIELD, place)
            assert record is not None, place
            segment = Segment.unpacked(record)
            live = segment.live - keys.size_of(ranges)
            if live == 0:
                self.remove_segment(place, segment.names)
                continue
            self._put(SEGMENT_FIELD, place, replace(segment, live=live).packed())
            key = keys.gone_key(self._index, place, self.serial)
            before = self._txn.get(key, db=self._fragments) or b""
            self._txn.put(key, bytes(before) + keys.pack_ranges(keys.joined(ranges)), db=self._fragments)
            self._mark(place.shard)
        self._gone.clear()
        for shard in self._changed:
            self.overlays.changed(shard)

    def get(self, field: str, place: Place) -> bytes | None:
        """The blob at a place."""
        value = self._txn.get(keys.place_key(self._index, field, place), db=self._fragments)
        return None if value is None else bytes(value)

    def _put(self, field: str, place: Place, value: bytes) -> None:
        self._changed.add(place.shard)
        self._txn.put(keys.place_key(self._index, field, place), value, db=self._fragments)

    def _delete(self, field: str, place: Place) -> bool:
        self._changed.add(place.shard)
        deleted: bool = self._txn.delete(keys.place_key(self._index, field, place), db=self._fragments)
        return deleted

    def _remove_gone(self, place: Place) -> None:
        prefix = keys.place_key(self._index, GONE_FIELD, place)
        with self._txn.cursor(db=self._fragments) as cursor:
            more = cursor.set_range(prefix)
            while more and cursor.key().startswith(prefix):
                more = cursor.delete()  # moves to the next

    def _mark(self, shard: int) -> None:
        self._txn.put(keys.dirty_key(self._index, shard), self._version, db=self._batches)
