"""A read transaction over the embedded store's tables (embedded_store says what they hold)."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from indexing.backends import embedded_keys as keys
from indexing.backends.base import BatchRange, FieldSchema
from indexing.backends.embedded_cache import Cache
from indexing.backends.embedded_join import join
from indexing.backends.embedded_keys import EXISTS_FIELD, GONE_FIELD, OWNED_FIELD, SEGMENT_FIELD, Place, Range, Segment
from indexing.backends.ranges import pieces
from indexing.fragment import bitmap_of_ranges

Schemas = dict[str, tuple[bytes, dict[str, FieldSchema]]]


class Snapshot:
    """What it hands out as memoryview is valid as long as the transaction."""

    def __init__(
        self,
        txn: Any,
        schema: Any,
        batches: Any,
        fragments: Any,
        overlay: Any,
        known: Schemas | None = None,
        cache: Cache | None = None,
    ) -> None:
        """known: schemas that this process has read, each with the version of the table that it is of. cache: what is kept of
        committed states (None: of this one nothing is, it has changes that are not committed)."""
        self.cache = cache
        self._txn, self._schema, self._batches, self._fragments, self._overlay = txn, schema, batches, fragments, overlay
        self._overlaid: dict[str, frozenset[int]] = {}
        self._known: Schemas = {} if known is None else known

    # Versions

    @property
    def transaction(self) -> int:
        """The number of the last transaction that it sees."""
        number: int = self._txn.id()
        return number

    def changed(self, index: str, shard: int | None) -> tuple[bytes, bytes]:
        """The version of a shard's bits, or (None) of all of the index."""
        every = self._txn.get(keys.CHANGED, b"", db=self._overlay)
        return bytes(every), bytes(self._txn.get(keys.changed_key(index, shard), b"", db=self._overlay))

    def schema_version(self) -> bytes:
        """Of all indexes."""
        return bytes(self._txn.get(keys.SCHEMA_VERSION, b"", db=self._schema))

    # Schema

    def indexes(self) -> dict[str, dict[str, FieldSchema]]:
        """Every index and its fields, by name."""
        found: dict[str, dict[str, FieldSchema]] = {}
        with self._txn.cursor(db=self._schema) as cursor:
            for key, value in cursor:
                _add_field(found, bytes(key), bytes(value))
        return found

    def fields(self, index: str) -> dict[str, FieldSchema] | None:
        """The fields of an index by name; None if there is no such index. Not to be changed."""
        version = self.schema_version()
        before = self._known.get(index)
        if before is not None and version and before[0] == version:
            return before[1]
        found: dict[str, dict[str, FieldSchema]] = {}
        for key, value in self._walk(self._schema, keys.name_key(index)):
            _add_field(found, key, bytes(value))
        fields = found.get(index)
        if fields is not None:
            self._known[index] = (version, fields)
        return fields

    # Batches

    def batches(self, index: str) -> list[BatchRange]:
        """The batches present, by id."""
        return [
            BatchRange(keys.NUMBER.unpack(key[-8:])[0], *keys.RANGE.unpack_from(value))
            for key, value in self._walk(self._batches, keys.name_key(index))
        ]

    def batches_within(self, index: str, columns: BatchRange) -> list[BatchRange]:
        """The batches that have a column of this range, by column, each with all of its own columns."""
        found: dict[int, BatchRange] = {}
        for shard, first, last in pieces(columns):
            for place in self.pieces_within(index, shard, first, last):
                if place.id not in found:
                    record = self._txn.get(keys.batch_key(index, place.id), db=self._batches)
                    found[place.id] = BatchRange(place.id, *keys.RANGE.unpack_from(record))
        return list(found.values())

    def pieces_within(self, index: str, shard: int, first: int, last: int) -> list[Place]:
        """The pieces of batches that have one of these columns of a shard, by column."""
        found = [*self._within(index, EXISTS_FIELD, shard, first, last), *self._within(index, OWNED_FIELD, shard, first, last)]
        return sorted(found, key=attrgetter("first"))

    def _within(self, index: str, field: str, shard: int, first: int, last: int) -> Iterator[Place]:
        prefix = keys.field_key(index, field, shard)
        with self._txn.cursor(db=self._fragments) as cursor:
            more = cursor.set_range(keys.place_key(index, field, Place(shard, first, 0, 0)))
            # The piece before may reach into the range.
            more = (cursor.prev() or cursor.first()) if more else cursor.last()
            while more:
                key = bytes(cursor.key())
                if key.startswith(prefix):
                    place = keys.place_of(key)
                    if place.first > last:
                        return
                    if place.last >= first:
                        yield place
                elif key > prefix:
                    return
                more = cursor.next()

    def names_of(self, index: str, batch: int) -> list[str]:
        """The fields of which a batch has bits."""
        record = self._txn.get(keys.batch_key(index, batch), db=self._batches)
        names = bytes(record[keys.RANGE.size :]).decode()
        return names.split("\0") if names else []

    def blob(self, index: str, field: str, shard: int, batch: BatchRange) -> bytes | memoryview | None:
        """A batch's blob of a field in a shard, cut out of its segment if it is in one; None if it has no bit there."""
        for its_shard, first, last in pieces(batch):
            if its_shard == shard:
                piece = Place(shard, first, last, batch.batch)
                segment = self.segment_of(index, piece)
                if segment is None:
                    return self.fragment(index, field, piece)
                whole = self.fragment(index, field, segment)
                return None if whole is None else join([(whole, bitmap_of_ranges([(first, last)]))])
        return None

    # Where bits are

    def fragment(self, index: str, field: str, place: Place) -> memoryview | None:
        """The blob at a place; None if there is none."""
        blob: memoryview | None = self._txn.get(keys.place_key(index, field, place), db=self._fragments)
        return blob

    def segment_of(self, index: str, piece: Place) -> Place | None:
        """The segment that a batch's piece is in; None if it has blobs of its own, or is not there."""
        value = self.fragment(index, OWNED_FIELD, piece)
        return None if value is None else keys.unpack_owner(piece.shard, value)

    def shards(self, index: str) -> list[int]:
        """Shards that hold a column, ascending: one seek each."""
        own, segments = self._shards_of(index, EXISTS_FIELD), self._shards_of(index, SEGMENT_FIELD)
        return sorted({*own, *segments, *self.overlaid(index)})

    def _shards_of(self, index: str, field: str) -> Iterator[int]:
        prefix = keys.field_key(index, field)
        with self._txn.cursor(db=self._fragments) as cursor:
            more = cursor.set_range(prefix)
            while more:
                key = bytes(cursor.key())
                if not key.startswith(prefix):
                    return
                shard = keys.place_of(key).shard
                yield shard
                more = cursor.set_range(prefix + keys.NUMBER.pack(shard + 1))

    def overlaid(self, index: str) -> frozenset[int]:
        """Shards that PQL has written to: one seek each, and one where there is none."""
        found = self._overlaid.get(index)
        if found is None:
            found = self._overlaid[index] = frozenset(self._shards_of_overlay(index))
        return found

    def _shards_of_overlay(self, index: str) -> Iterator[int]:
        prefix = keys.name_key(index)
        with self._txn.cursor(db=self._overlay) as cursor:
            more = cursor.set_range(prefix)
            while more:
                key = bytes(cursor.key())
                if not key.startswith(prefix):
                    return
                shard = keys.shard_of_overlay(key)
                yield shard
                more = cursor.set_range(keys.overlay_key(index, shard + 1))

    def overlay(self, index: str, field: str, shard: int) -> memoryview | None:
        """What PQL wrote to a field in a shard (embedded_overlay); None if it is nothing."""
        if shard not in self.overlaid(index):
            return None
        value: memoryview | None = self._txn.get(keys.overlay_key(index, shard, field), db=self._overlay)
        return value

    def noted(self, prefix: bytes) -> Iterator[tuple[bytes, memoryview]]:
        """What the table of overlays has under keys that begin so."""
        return self._walk(self._overlay, prefix)

    def noted_at(self, key: bytes) -> bytes | None:
        """What it has under a key; None if it is nothing."""
        value = self._txn.get(key, db=self._overlay)
        return None if value is None else bytes(value)

    def fragments(self, index: str, field: str, shard: int) -> Iterator[tuple[Place, memoryview]]:
        """Every blob of a field in a shard, by first column."""
        for key, value in self._walk(self._fragments, keys.field_key(index, field, shard)):
            yield keys.place_of(key), value

    def segments(self, index: str, shard: int) -> Iterator[tuple[Place, Segment]]:
        """The segments of a shard, by first column."""
        for place, value in self.fragments(index, SEGMENT_FIELD, shard):
            yield place, Segment.unpacked(value)

    def gone(self, index: str, shard: int) -> dict[int, list[Range]]:
        """Columns that are in a segment's blobs and not in the index any more, by the segment's id."""
        found: dict[int, list[Range]] = {}
        for key, value in self._walk(self._fragments, keys.field_key(index, GONE_FIELD, shard)):
            found.setdefault(keys.segment_of_gone(key).id, []).extend(keys.unpack_ranges(value))
        return found

    def gone_records(self, index: str, shard: int) -> int:
        """In how many records that is noted."""
        return sum(1 for _ in self._walk(self._fragments, keys.field_key(index, GONE_FIELD, shard)))

    def units(self, index: str, shard: int) -> Iterator[tuple[Place, bytes]]:
        """What blobs there are in a shard, pieces of batches and segments, by first column, each with its record."""
        kinds = (self.fragments(index, field, shard) for field in (EXISTS_FIELD, SEGMENT_FIELD))
        for place, value in heapq.merge(*kinds, key=lambda one: one[0].first):
            yield place, bytes(value)

    def dirty(self) -> list[tuple[str, int, bytes]]:
        """(index, shard, mark) of the shards where something small came or went since they were looked at."""
        found = []
        for key, value in self._walk(self._batches, keys.DIRTY):
            index, shard = key[len(keys.DIRTY) : -9].decode(), keys.NUMBER.unpack(key[-8:])[0]
            found.append((index, shard, bytes(value)))
        return found

    def _walk(self, table: Any, prefix: bytes) -> Iterator[tuple[bytes, memoryview]]:
        with self._txn.cursor(db=table) as cursor:
            if not cursor.set_range(prefix):
                return
            for key, value in cursor:
                key = bytes(key)
                if not key.startswith(prefix):
                    return
                yield key, value


def _add_field(found: dict[str, dict[str, FieldSchema]], key: bytes, value: bytes) -> None:
    index, _, field = key.decode().partition("\0")
    if not index:
        return  # the version
    fields = found.setdefault(index, {})
    if field:
        fields[field] = FieldSchema(field, **json.loads(value))
