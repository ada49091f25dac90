"""The embedded store's LMDB: a catalogue of immutable fragment blobs, one write transaction a batch.

Three tables:

- ``schema``: index NUL field -> JSON {"kind", "minimum", "maximum"}; index NUL -> "{}" says that the index exists.
- ``batches``: index NUL batch (u64) -> first column, count (u64 each), then the names of its fields, NUL between them.
- ``fragments``: index NUL field NUL shard (u64) first (u32) last (u32) batch (u64) -> blob; all big endian. first and last
  are the batch's columns within the shard, so existence, overlap and "which blobs hold this column" are read off the keys.
  The blob of a set field is roaring bytes (indexing/roaring.py), of an int field those of embedded_ints; that of the
  system field ``_exists`` is empty: its key says it all.

The map is sparse and very large on purpose: it is address space, not memory nor disk (the file grows as it is filled).
A map that grows would have to be resized in every process at once (MDB_MAP_RESIZED), with no transaction open in any.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb

from indexing.backends import embedded_fork
from indexing.backends.base import BackendAway, BackendError, BatchRange, FieldSchema, MergeRefused
from indexing.backends.ranges import pieces

MAP_SIZE = 1 << 40
MAX_READERS = 1024  # a slot a thread that reads, of all processes
EXISTS_FIELD = "_exists"

_PLACE = struct.Struct(">QIIQ")  # shard, first, last, batch
_RANGE = struct.Struct(">QQ")  # first column, count
_U64 = struct.Struct(">Q")

Blob = tuple[str, int, int, int, bytes]  # field, shard, first, last, bytes


class Overlap(BackendError):
    """A batch's columns belong to another batch already."""


class Store:
    """One LMDB environment, shared by this process's threads. Close it once per construction."""

    def __init__(self, path: Path, map_size: int = MAP_SIZE) -> None:
        """Opens or makes the store in the folder `path`. Raises BackendAway if the disk refuses."""
        self.path = path
        self._pid = os.getpid()
        self._key = str(path.resolve())
        with embedded_fork.lock, self._guard():
            env, users = embedded_fork.environments.get(self._key, (None, 0))
            if env is None:
                path.mkdir(parents=True, exist_ok=True)
                env = lmdb.open(str(path), map_size=map_size, max_dbs=3, max_readers=MAX_READERS, max_spare_txns=0)
                env.reader_check()  # slots of killed processes would keep old pages for ever
            self._env = env
            with embedded_fork.transaction():
                self._schema, self._batches, self._fragments = map(env.open_db, (b"schema", b"batches", b"fragments"))
            embedded_fork.environments[self._key] = (env, users + 1)

    def close(self) -> None:
        """Lets go of the environment; the last user in the process closes it."""
        with embedded_fork.lock:
            if self._pid != os.getpid() or self._key not in embedded_fork.environments:
                return
            env, users = embedded_fork.environments.pop(self._key)
            if users > 1:
                embedded_fork.environments[self._key] = (env, users - 1)
            else:
                env.close()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except lmdb.MapFullError as error:
            raise BackendError(f"the index store {self.path} is full: its map size is reached") from error
        except lmdb.DiskError as error:
            raise BackendError(f"the index store {self.path} cannot write: {error}") from error
        except lmdb.ReadersFullError as error:
            raise BackendAway(f"the index store {self.path} has no free reader slot ({MAX_READERS} in use)") from error
        except (lmdb.CorruptedError, lmdb.InvalidError, lmdb.VersionMismatchError) as error:
            raise BackendError(f"the index store {self.path} is damaged or not ours: {error}") from error
        except (lmdb.Error, OSError) as error:
            raise BackendAway(f"the index store {self.path} does not answer: {error}") from error

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """A consistent view; what it hands out as memoryview is valid until the `with` ends."""
        with embedded_fork.transaction(), self._guard(), self._env.begin(buffers=True) as txn:
            yield Snapshot(txn, self._schema, self._batches, self._fragments)

    @contextmanager
    def _write(self) -> Iterator[Any]:
        """A write transaction; committed, and on the disk, when the `with` ends without an exception."""
        with embedded_fork.transaction(), self._guard(), self._env.begin(write=True) as txn:
            yield txn

    def info(self) -> dict[str, Any]:
        """Size on disk in bytes, map size, transaction id and readers."""
        with self._guard():
            info, stat = self._env.info(), self._env.stat()
            size = (info["last_pgno"] + 1) * stat["psize"]
            return {"size": size, "map_size": info["map_size"], "transaction": info["last_txnid"], "readers": info["num_readers"]}

    def put_schema(self, index: str, fields: Iterable[FieldSchema]) -> None:
        """Declares an index and fields; those there are are left as they are."""
        with self._write() as txn:
            txn.put(_name(index), b"{}", db=self._schema)
            for field in fields:
                value = json.dumps({"kind": field.kind, "minimum": field.minimum, "maximum": field.maximum}).encode()
                txn.put(_name(index) + field.name.encode(), value, db=self._schema, overwrite=False)

    def put_batch(self, index: str, batch: BatchRange, blobs: Sequence[Blob]) -> None:
        """One durable transaction: the batch's old blobs go, the new ones come. Raises Overlap."""
        with self._write() as txn:
            if txn.get(_name(index), db=self._schema) is None:
                raise BackendError(f"index {index} was dropped")
            self._delete_batch(txn, index, batch.batch)
            self._put(txn, index, batch, blobs)

    def merge_batches(self, index: str, held: Sequence[BatchRange], into: BatchRange, blobs: Sequence[Blob]) -> None:
        """One durable transaction: the batches `held` go, and `into` with their bits comes. Raises MergeRefused, Overlap.

        The blobs were made without the lock that all writers share: imports are not to wait for that."""
        with self._write() as txn:
            for batch in held:
                record = txn.get(_name(index) + _U64.pack(batch.batch), db=self._batches)
                if record is None or _RANGE.unpack_from(record) != (batch.first_column, batch.count):
                    raise MergeRefused(f"batch {batch.batch} of index {index} was changed while it was merged")
                self._delete_batch(txn, index, batch.batch)
            self._put(txn, index, into, blobs)

    def delete_batches(self, index: str, batches: Iterable[int]) -> None:
        """Takes batches out in one transaction."""
        with self._write() as txn:
            for batch in batches:
                self._delete_batch(txn, index, batch)

    def drop(self, index: str) -> None:
        """Removes an index and everything in it, in one transaction."""
        with self._write() as txn:
            for table in (self._schema, self._batches, self._fragments):
                with txn.cursor(db=table) as cursor:
                    more = cursor.set_range(_name(index))
                    while more and cursor.key().startswith(_name(index)):
                        more = cursor.delete()  # moves to the next

    def _put(self, txn: Any, index: str, batch: BatchRange, blobs: Sequence[Blob]) -> None:
        for shard, first, last in pieces(batch):
            self._check_overlap(txn, index, batch, shard, first, last)
            txn.put(_place(index, EXISTS_FIELD, shard, first, last, batch.batch), b"", db=self._fragments)
        for field, shard, first, last, data in blobs:
            txn.put(_place(index, field, shard, first, last, batch.batch), data, db=self._fragments)
        names = "\0".join(sorted({blob[0] for blob in blobs}))
        value = _RANGE.pack(batch.first_column, batch.count) + names.encode()
        txn.put(_name(index) + _U64.pack(batch.batch), value, db=self._batches)

    def _delete_batch(self, txn: Any, index: str, batch: int) -> None:
        key = _name(index) + _U64.pack(batch)
        record = txn.get(key, db=self._batches)
        if record is None:
            return
        first_column, count = _RANGE.unpack_from(record)
        names = record[_RANGE.size :].decode()
        for shard, first, last in pieces(BatchRange(batch, first_column, count)):
            for field in [EXISTS_FIELD, *names.split("\0")]:
                txn.delete(_place(index, field, shard, first, last, batch), db=self._fragments)
        txn.delete(key, db=self._batches)

    def _check_overlap(self, txn: Any, index: str, batch: BatchRange, shard: int, first: int, last: int) -> None:
        """Columns of a batch are its own: a second owner would be counted twice. Its neighbours' keys tell."""
        prefix = _field(index, EXISTS_FIELD) + _U64.pack(shard)
        with txn.cursor(db=self._fragments) as cursor:
            after = cursor.set_range(_place(index, EXISTS_FIELD, shard, first, 0, 0))
            neighbours = [cursor.key()] if after else []
            if cursor.prev() if after else cursor.last():
                neighbours.append(cursor.key())
        for key in neighbours:
            if key.startswith(prefix):
                _, other_first, other_last, other = _PLACE.unpack(key[-_PLACE.size :])
                if other_first <= last and first <= other_last:
                    raise Overlap(
                        f"batch {batch.batch} of index {index}: columns {(shard << 20) + first} to {(shard << 20) + last} "
                        f"overlap batch {other}, which holds {(shard << 20) + other_first} to {(shard << 20) + other_last}"
                    )


class Snapshot:
    """A read transaction over the three tables."""

    def __init__(self, txn: Any, schema: Any, batches: Any, fragments: Any) -> None:
        self._txn, self._schema, self._batches, self._fragments = txn, schema, batches, fragments

    def indexes(self) -> dict[str, dict[str, FieldSchema]]:
        """Every index and its fields, by name."""
        found: dict[str, dict[str, FieldSchema]] = {}
        with self._txn.cursor(db=self._schema) as cursor:
            for key, value in cursor:
                self._add_field(found, bytes(key), bytes(value))
        return found

    def fields(self, index: str) -> dict[str, FieldSchema] | None:
        """The fields of an index by name; None if there is no such index."""
        found: dict[str, dict[str, FieldSchema]] = {}
        for key, value in self._walk(self._schema, _name(index)):
            self._add_field(found, key, bytes(value))
        return found.get(index)

    @staticmethod
    def _add_field(found: dict[str, dict[str, FieldSchema]], key: bytes, value: bytes) -> None:
        index, _, field = key.decode().partition("\0")
        fields = found.setdefault(index, {})
        if field:
            fields[field] = FieldSchema(field, **json.loads(value))

    def batches(self, index: str) -> list[BatchRange]:
        """The batches present, by id."""
        return [
            BatchRange(_U64.unpack(key[-8:])[0], *_RANGE.unpack_from(value))
            for key, value in self._walk(self._batches, _name(index))
        ]

    def batches_within(self, index: str, columns: BatchRange) -> list[BatchRange]:
        """The batches that have a column of this range, by column, each with all of its own columns."""
        found: dict[int, BatchRange] = {}
        for shard, first, last in pieces(columns):
            for batch in self._owners(index, shard, first, last):
                if batch not in found:
                    record = self._txn.get(_name(index) + _U64.pack(batch), db=self._batches)
                    found[batch] = BatchRange(batch, *_RANGE.unpack_from(record))
        return list(found.values())

    def _owners(self, index: str, shard: int, first: int, last: int) -> Iterator[int]:
        """Ids of the batches that have one of these columns of a shard, by column."""
        prefix = _field(index, EXISTS_FIELD) + _U64.pack(shard)
        with self._txn.cursor(db=self._fragments) as cursor:
            more = cursor.set_range(_place(index, EXISTS_FIELD, shard, first, 0, 0))
            # The batch before may reach into the range.
            more = (cursor.prev() or cursor.first()) if more else cursor.last()
            while more:
                key = bytes(cursor.key())
                if key.startswith(prefix):
                    _, from_, to, batch = _PLACE.unpack(key[-_PLACE.size :])
                    if from_ > last:
                        return
                    if to >= first:
                        yield batch
                elif key > prefix:
                    return
                more = cursor.next()

    def names_of(self, index: str, batch: int) -> list[str]:
        """The fields of which a batch has bits."""
        record = self._txn.get(_name(index) + _U64.pack(batch), db=self._batches)
        names = bytes(record[_RANGE.size :]).decode()
        return names.split("\0") if names else []

    def blob(self, index: str, field: str, shard: int, batch: BatchRange) -> memoryview | None:
        """A batch's blob of a field in a shard; None if it has no bit there."""
        for its_shard, first, last in pieces(batch):
            if its_shard == shard:
                blob: memoryview | None = self._txn.get(_place(index, field, shard, first, last, batch.batch), db=self._fragments)
                return blob
        return None

    def shards(self, index: str) -> list[int]:
        """Shards that hold a column, ascending: one seek each."""
        prefix = _field(index, EXISTS_FIELD)
        found: list[int] = []
        with self._txn.cursor(db=self._fragments) as cursor:
            more = cursor.set_range(prefix)
            while more:
                key = bytes(cursor.key())
                if not key.startswith(prefix):
                    break
                shard = _PLACE.unpack(key[-_PLACE.size :])[0]
                found.append(shard)
                more = cursor.set_range(prefix + _U64.pack(shard + 1))
        return found

    def fragments(self, index: str, field: str, shard: int) -> Iterator[tuple[int, int, memoryview]]:
        """(first, last, blob) of every batch's piece of a field in a shard, by column; columns within the shard."""
        for key, value in self._walk(self._fragments, _field(index, field) + _U64.pack(shard)):
            _, first, last, _ = _PLACE.unpack(key[-_PLACE.size :])
            yield first, last, value

    def _walk(self, table: Any, prefix: bytes) -> Iterator[tuple[bytes, memoryview]]:
        with self._txn.cursor(db=table) as cursor:
            more = cursor.set_range(prefix)
            while more:
                key = bytes(cursor.key())
                if not key.startswith(prefix):
                    return
                yield key, cursor.value()
                more = cursor.next()


def _name(index: str) -> bytes:
    return index.encode() + b"\0"


def _field(index: str, field: str) -> bytes:
    return index.encode() + b"\0" + field.encode() + b"\0"


def _place(index: str, field: str, shard: int, first: int, last: int, batch: int) -> bytes:
    return _field(index, field) + _PLACE.pack(shard, first, last, batch)
