"""The embedded store's LMDB: a catalogue of immutable fragment blobs, one write transaction a batch.

Four tables:

- ``schema``: NUL "format" -> the number of this layout (embedded_format).
  index NUL field -> JSON {"kind", "minimum", "maximum"}; index NUL -> "{}" says that the index exists.
  NUL "version" -> the transaction that changed this table last.
- ``batches``: index NUL batch (u64) -> first column, count (u64 each), then the names of its fields, NUL between them.
  NUL "dirty" NUL index NUL shard (u64): something small came or went there that may be made one with its neighbours.
- ``fragments``: index NUL field NUL place -> blob. A *place* is shard (u64), first, last (u32 each, columns within the shard),
  id (u64): the piece of a batch in a shard, or, with the highest bit of the id set, a *segment*: the bits of many small pieces.
  The blob of a set field is roaring bytes (indexing/roaring.py), of an int field those of embedded_ints. System fields:

  - ``_exists``: a batch's piece with blobs of its own -> the transaction that wrote it;
  - ``_owned``: a batch's piece in a segment -> first, last, id of the segment;
  - ``_segment``: a segment -> its columns, and the names of its fields (embedded_keys.Segment);
  - ``_gone``: a segment, then a number -> ranges of its columns that were deleted, and are in its blobs still.

  So existence, overlap and "which blobs hold this column" are read off the keys, and a batch in a segment is deleted without
  a look at its bits. See docs/decisions/0021-segments.md, and embedded_compact for how segments are made.

- ``overlay``: NUL "changed" NUL index NUL shard (u64) -> the transaction that changed the shard's bits last; without the shard,
  the index's. NUL "changed" -> the last one that did not say what it changed (embedded_cache relies on these three).
  index NUL shard (u64) field -> what PQL wrote to a field in a shard (embedded_overlay), beside what the blobs say.
  The field ``_exists`` has, as row 0, the columns that exist because PQL set a bit of theirs. See docs/decisions/0023-overlay.md.

  Client indexes are nothing but overlays: see embedded_overlay_client, also for what else it keeps here.

The map is sparse and very large on purpose: it is address space, not memory nor disk (the file grows as it is filled).
A map that grows would have to be resized in every process at once (MDB_MAP_RESIZED), with no transaction open in any.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb

from indexing.backends import embedded_fork, embedded_format
from indexing.backends import embedded_keys as keys
from indexing.backends.base import BackendAway, BackendError, BatchRange, FieldSchema
from indexing.backends.embedded_cache import Cache
from indexing.backends.embedded_keys import Place
from indexing.backends.embedded_overlay_client import ClientTables
from indexing.backends.embedded_overlays import Overlays
from indexing.backends.embedded_places import Blob, Overlap, Places
from indexing.backends.embedded_snapshot import Schemas, Snapshot
from indexing.backends.ranges import pieces

MAP_SIZE = 1 << 40
MAX_READERS = 1024  # a slot a thread that reads, of all processes

_READER_BYTES, _HEAD_BYTES = 64, 4096  # of lock.mdb: a slot; more than what stands before the slots

__all__ = ["MAP_SIZE", "Blob", "Overlap", "Snapshot", "Store"]


class Store:
    """One LMDB environment, shared by this process's threads. Close it once per construction."""

    def __init__(self, path: Path, map_size: int = MAP_SIZE) -> None:
        """Opens or makes the store in the folder `path`. Raises BackendAway if the disk refuses."""
        self.path = path
        self._pid = os.getpid()
        self._key = str(path.resolve())
        self._known: Schemas = {}
        self.cache = Cache()
        with embedded_fork.lock, self._guard():
            env, users = embedded_fork.environments.get(self._key, (None, 0))
            if env is None:
                path.mkdir(parents=True, exist_ok=True)
                _make_room(path / "lock.mdb")
                env = lmdb.open(str(path), map_size=map_size, max_dbs=4, max_readers=MAX_READERS, max_spare_txns=0)
                env.reader_check()  # slots of killed processes would keep old pages for ever
            self._env = env
            with embedded_fork.transaction():
                names = (b"schema", b"batches", b"fragments", b"overlay")
                # Not without a transaction: that takes the writers' lock and keeps the GIL, which a writing thread waits for.
                # Where another thread may be writing, the tables are there, and reading is enough.
                with env.begin(write=not users) as txn:
                    tables = [env.open_db(name, txn=txn, create=not users) for name in names]
                self._schema, self._batches, self._fragments, self._overlay = tables
                try:
                    embedded_format.check(env, self._schema, path)
                except BackendError:
                    if users == 0:
                        env.close()
                    raise
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
            raise BackendAway(f"the index store {self.path} cannot write: No space left on device") from error
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
            yield self._snapshot(txn, self.cache)

    def _snapshot(self, txn: Any, cache: Cache | None = None) -> Snapshot:
        return Snapshot(txn, self._schema, self._batches, self._fragments, self._overlay, self._known, cache)

    @contextmanager
    def _write(self, buffers: bool = False, says_what: bool = False) -> Iterator[Any]:
        """A write transaction; committed, and on the disk, when the `with` ends without an exception.

        says_what: it notes itself which shards' bits it changes; else all that processes keep of the store is no longer right."""
        with embedded_fork.transaction(), self._guard(), self._env.begin(write=True, buffers=buffers) as txn:
            if not says_what:
                txn.put(keys.CHANGED, keys.NUMBER.pack(txn.id()), db=self._overlay)
            yield txn

    @contextmanager
    def overlays(self, index: str) -> Iterator[tuple[Snapshot, Overlays]]:
        """A write transaction on what PQL wrote to an index, and a view in which everything is as it will be changed.

        Committed when the `with` ends without an exception. The first change makes the view's memoryviews invalid."""
        with self._write(buffers=True, says_what=True) as txn:
            yield self._snapshot(txn), Overlays(txn, self._overlay, index)

    @contextmanager
    def client_tables(self, index: str) -> Iterator[ClientTables]:
        """A write transaction on a client index; committed when the `with` ends without an exception."""
        with self._write(buffers=True, says_what=True) as txn:
            # Not with the schemas that this process knows: an aborted transaction's number is given again

            def snapshot() -> Snapshot:
                return Snapshot(txn, self._schema, self._batches, self._fragments, self._overlay)

            yield ClientTables(txn, self._schema, self._overlay, index, snapshot)

    @contextmanager
    def held_as_it_is(self) -> Iterator[Callable[[Path], None]]:
        """The store as it is now, until the `with` ends: what is yielded copies it into a folder, whatever comes meanwhile."""
        with embedded_fork.transaction(), self._guard(), self._env.begin() as txn:
            yield lambda folder: self._env.copy(str(folder), compact=True, txn=txn)

    def info(self) -> dict[str, Any]:
        """Size in bytes, map size, transaction id, readers, how many batches and fragments (blobs of bits) there are."""
        with embedded_fork.transaction(), self._guard(), self._env.begin() as txn:
            info, stat = self._env.info(), self._env.stat()
            return {
                "size": (info["last_pgno"] + 1) * stat["psize"],
                "map_size": info["map_size"],
                "transaction": info["last_txnid"],
                "readers": info["num_readers"],
                "batches": txn.stat(self._batches)["entries"],
                "fragments": txn.stat(self._fragments)["entries"],
            }

    def put_schema(self, index: str, fields: Iterable[FieldSchema]) -> None:
        """Declares an index and fields; those there are are left as they are."""
        with self._write(says_what=True) as txn:
            txn.put(keys.name_key(index), b"{}", db=self._schema)
            txn.put(keys.SCHEMA_VERSION, keys.NUMBER.pack(txn.id()), db=self._schema)
            for field in fields:
                value = json.dumps({"kind": field.kind, "minimum": field.minimum, "maximum": field.maximum}).encode()
                txn.put(keys.name_key(index) + field.name.encode(), value, db=self._schema, overwrite=False)

    def put_batch(self, index: str, batch: BatchRange, blobs: Sequence[Blob], keep_written: bool = False) -> None:
        """One durable transaction: the batch's old blobs go, the new ones come, and what PQL wrote to its columns goes, or stays.

        Raises Overlap."""
        with self.places(index) as places:
            old = places.remove(batch.batch)
            if not keep_written:
                places.overlays.forget([batch] if old is None else [old, batch])
            for shard, first, last in pieces(batch):
                mine = ((name, data) for name, its_shard, _, _, data in blobs if its_shard == shard)
                places.put_piece(Place(shard, first, last, batch.batch), mine)
            places.put_record(batch, (blob[0] for blob in blobs))

    def delete_batches(self, index: str, batches: Iterable[int]) -> None:
        """Takes batches out in one transaction, with what PQL wrote to their columns."""
        with self.places(index, must_exist=False) as places:
            gone = [places.remove(batch) for batch in batches]
            places.overlays.forget(batch for batch in gone if batch is not None)

    @contextmanager
    def places(self, index: str, must_exist: bool = True) -> Iterator[Places]:
        """A write transaction on one index; committed, and on the disk, when the `with` ends without an exception."""
        with self._write(says_what=True) as txn:
            if must_exist and txn.get(keys.name_key(index), db=self._schema) is None:
                raise BackendError(f"index {index} was dropped")
            places = Places(txn, self._batches, self._fragments, self._overlay, index)
            yield places
            places.finish()

    def clear_dirty(self, index: str, shard: int, mark: bytes) -> None:
        """Notes that nothing is to be done in a shard, unless something came or went since the mark was read."""
        key = keys.dirty_key(index, shard)
        with self._write(says_what=True) as txn:
            if txn.get(key, db=self._batches) == mark:
                txn.delete(key, db=self._batches)

    def drop(self, index: str) -> None:
        """Removes an index and everything in it, in one transaction."""
        with self._write() as txn:
            txn.put(keys.SCHEMA_VERSION, keys.NUMBER.pack(txn.id()), db=self._schema)
            tables = (self._schema, self._batches, self._fragments, self._overlay)
            prefixes = [*((table, keys.name_key(index)) for table in tables), (self._overlay, keys.changed_key(index))]
            for table, prefix in prefixes:
                with txn.cursor(db=table) as cursor:
                    more = cursor.set_range(prefix)
                    while more and cursor.key().startswith(prefix):
                        more = cursor.delete()  # moves to the next


def _make_room(lock: Path) -> None:
    """The file of the readers' slots is mapped, and LMDB makes it with a hole: on a full disk the first slot that is taken would
    kill the process (SIGBUS). With its blocks taken before, a full disk is an OSError here."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if os.fstat(file).st_size == 0:
            os.posix_fallocate(file, 0, MAX_READERS * _READER_BYTES + _HEAD_BYTES)
    finally:
        os.close(file)
