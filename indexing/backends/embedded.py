"""The embedded backend: bitmaps in this process, blobs in LMDB. Any number of processes read while one writes a batch."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends import embedded_compact, embedded_ints, embedded_merge, embedded_more, embedded_writes
from indexing.backends.base import (
    ACCESS_FIELD,
    BackendAway,
    BackendError,
    BatchBits,
    BatchRange,
    FieldSchema,
    IntBits,
    MergeRefused,
)
from indexing.backends.blobs import set_blob
from indexing.backends.embedded_analysis import EmbeddedAnalysis
from indexing.backends.embedded_cache import Cache
from indexing.backends.embedded_engine import open_engine
from indexing.backends.embedded_format import FORMAT
from indexing.backends.embedded_keys import EXISTS_FIELD
from indexing.backends.embedded_overlays import unpacked_set
from indexing.backends.embedded_store import MAP_SIZE, Blob, Store
from indexing.backends.names import check_bits, check_names, check_same
from indexing.backends.ranges import pieces
from indexing.calls import Call, QueryError, Result
from indexing.client.embedded import EmbeddedClients
from indexing.client.embedded_fields import is_client
from indexing.roaring import SHARD_EXPONENT, U64, sorted_unique

_TRIES = 5


class EmbeddedBackend:
    """See indexing.backends.base.Backend. A batch comes and goes in one commit, so nothing needs the mask; what it took is
    free when it goes, so generations are nothing here."""

    name = "embedded"
    format = FORMAT
    masked = False
    generational = False

    def __init__(self, path: Path, map_size: int = MAP_SIZE) -> None:
        """path: the store's folder, made when first used; map_size: greatest size in bytes (sparse, see embedded_store)."""
        self._path, self._map_size = path, map_size
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._pid = 0
        self.clients = EmbeddedClients(self._opened)

    def _opened(self) -> Store:
        """The store of this process: a forked child opens its own."""
        store = self._store
        if store is not None and self._pid == os.getpid():
            return store
        if self._pid not in (0, os.getpid()):
            self._lock = threading.Lock()  # the parent's may be held by a thread that does not exist here
        with self._lock:
            if self._store is None or self._pid != os.getpid():
                self._store, self._pid = Store(self._path, self._map_size), os.getpid()
            return self._store

    def start_anew(self) -> None:
        """Removes the store, also one that cannot be opened; the next call makes an empty one. Nobody else may have it open."""
        self.close()
        for name in ("data.mdb", "lock.mdb"):
            (self._path / name).unlink(missing_ok=True)

    @contextmanager
    def held_as_it_is(self) -> Iterator[Callable[[Path], None]]:
        """The store as it is now, until the `with` ends: what is yielded copies it into a folder, whatever comes meanwhile."""
        with self._opened().held_as_it_is() as copy_to:
            yield copy_to

    @property
    def query_cache(self) -> Cache | None:
        """What this process keeps between queries; None if the store is not open."""
        return None if self._store is None or self._pid != os.getpid() else self._store.cache

    def close(self) -> None:
        """Lets go of the store; the next call opens it again."""
        if self._store is not None and self._pid == os.getpid():
            self._store.close()
        self._store = None

    # Schema

    def ensure_index(self, index: str, fields: Iterable[FieldSchema]) -> None:
        """See Backend."""
        fields = [field for field in fields if field.name != ACCESS_FIELD]
        check_names(index, fields)
        with self._opened().read() as snapshot:
            have = snapshot.fields(index)
        for field in fields:
            if have is not None and field.name in have:
                check_same(index, have[field.name], field)
        missing = [field for field in fields if have is None or field.name not in have]
        if have is None or missing:
            self._opened().put_schema(index, missing)

    def drop_index(self, index: str) -> None:
        """See Backend."""
        self._opened().drop(index)

    def indexes(self) -> dict[str, list[FieldSchema]]:
        """See Backend."""
        with self._opened().read() as snapshot:
            indexes = snapshot.indexes().items()
            return {index: list(fields.values()) for index, fields in indexes if not is_client(index)}

    # Batches

    def import_batch(self, index: str, bits: BatchBits) -> None:
        """See Backend. A retry replaces what the batch had: fields that it has no more are gone."""
        self._put(index, bits, keep_written=False)

    def import_again(self, index: str, bits: BatchBits) -> None:
        """A visible batch's bits in place of those that it has, in one commit; what queries wrote to its columns stays."""
        self._put(index, bits, keep_written=True)

    def import_more(self, index: str, bits: BatchBits, fields: Collection[str], again: bool = False) -> None:
        """See Backend."""
        batch, blobs = self._checked(index, bits)
        for _ in range(_TRIES):
            try:
                return embedded_more.put_fields(self._opened(), index, batch, fields, blobs)
            except embedded_merge.Changed as changed:  # compacted meanwhile, most likely
                why = str(changed)
        raise BackendAway(why)

    def _put(self, index: str, bits: BatchBits, keep_written: bool) -> None:
        batch, blobs = self._checked(index, bits)
        self._opened().put_batch(index, batch, blobs, keep_written=keep_written)

    def _checked(self, index: str, bits: BatchBits) -> tuple[BatchRange, list[Blob]]:
        with self._opened().read() as snapshot:
            fields = snapshot.fields(index)
        if fields is None:
            raise BackendError(f"index {index} does not exist")
        check_bits(index, fields, bits)
        batch = BatchRange(bits.batch, bits.first_column, bits.count)
        return batch, list(_blobs(batch, bits))

    def hide_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        """See Backend. Their blobs go in one transaction."""
        self._opened().delete_batches(index, [batch.batch for batch in batches])

    def clear_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        """See Backend: nothing is left after hide_batches."""
        self.hide_batches(index, batches)

    def merge_batches(self, index: str, batches: Sequence[BatchRange], into: BatchRange) -> None:
        """See Backend. One commit: a reader sees the small batches or the large one."""
        for _ in range(_TRIES):
            try:
                return embedded_merge.merge(self._opened(), index, batches, into)
            except embedded_merge.Changed as changed:  # compacted meanwhile, most likely
                why = str(changed)
        raise MergeRefused(why)

    def compact(self) -> bool:
        """See Backend: small blobs become few."""
        return embedded_compact.compact(self._opened())

    def drop_generation(self, index: str, generation: int) -> None:
        """See Backend: nothing is left after hide_batches."""

    def generations(self, index: str) -> list[int]:
        """See Backend."""
        return []

    def batches(self, index: str) -> list[BatchRange]:
        """The batches in the store, by id: what a restore compares with Postgres."""
        with self._opened().read() as snapshot:
            return snapshot.batches(index)

    # Questions

    def query(self, index: str, calls: Sequence[Call], shards: Sequence[int] | None = None) -> list[Result]:
        """See Backend. All calls see the same state of the store, and what those before them have written.

        Set, Clear, ClearRow and Store are done in order, each in a commit of its own; the first error ends it, and what was
        written before stays, as in Pilosa."""
        store, results = self._opened(), list[Result]()
        for writing, some in groupby(calls, embedded_writes.is_write) if calls else [(False, calls)]:
            if writing:
                results += [embedded_writes.write(store, index, call, shards) for call in some]
                continue
            with store.read() as snapshot:
                engine = open_engine(snapshot, index, shards)
                results += [engine.answer(call) for call in some]
        return results

    def rows_of_columns(self, index: str, field: str, columns: U64) -> tuple[U64, U64]:
        """See Backend."""
        with self._opened().read() as snapshot:
            engine = open_engine(snapshot, index, None)
            if field not in engine.schema:
                raise QueryError("field not found")
            if engine.schema[field].kind == "int":
                return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
            return engine.rows_of_columns(field, columns)

    def numbers_of_columns(self, index: str, field: str, columns: U64) -> tuple[U64, NDArray[np.int64]]:
        """See Backend."""
        with self._opened().read() as snapshot:
            engine = open_engine(snapshot, index, None)
            if field not in engine.schema:
                raise QueryError("field not found")
            if engine.schema[field].kind != "int":
                return np.zeros(0, np.uint64), np.zeros(0, np.int64)
            return engine.numbers_of_columns(field, columns)

    @contextmanager
    def analysis(self, index: str) -> Iterator[EmbeddedAnalysis]:
        """What is asked within the `with` is of one state of the store. Raises QueryError if there is no such index."""
        with self._opened().read() as snapshot:
            yield EmbeddedAnalysis(open_engine(snapshot, index, None))

    def write_row(self, index: str, field: str, row: int, columns: Mapping[int, U64], there: bool = True) -> None:
        """See Backend. One commit."""
        every = sorted_unique(np.concatenate([np.zeros(0, np.uint64), *columns.values()]))
        if every.size:
            embedded_writes.write_columns(self._opened(), index, field, row, every, there)

    def written_columns(self, index: str) -> U64:
        """See Backend."""
        with self._opened().read() as snapshot:
            found = [np.zeros(0, np.uint64)]
            for shard in sorted(snapshot.overlaid(index)):
                exists = unpacked_set(snapshot.overlay(index, EXISTS_FIELD, shard), index, EXISTS_FIELD, shard)
                found.append(exists.added + np.uint64(shard << SHARD_EXPONENT))
            return np.concatenate(found)

    def status(self) -> dict[str, Any]:
        """See Backend; besides: size (bytes on disk), map_size, transaction, readers, batches, fragments."""
        info = self._opened().info()
        return {"name": self.name, "state": "NORMAL", "detail": f"{info['size'] / 1e6:.1f} MB on disk", **info}


def _blobs(batch: BatchRange, bits: BatchBits) -> Iterable[Blob]:
    """The batch's bits as blobs, one a field and shard; a field without bits has none."""
    for shard, first, last in pieces(batch):
        for name, some in bits.fields.items():
            data = _int_blob(some, shard) if isinstance(some, IntBits) else set_blob(some, bits, shard, first, last)
            if data is not None:
                yield name, shard, first, last, data


def _int_blob(some: IntBits, shard: int) -> bytes | None:
    inside = (some.column >> np.uint64(SHARD_EXPONENT)) == np.uint64(shard)
    if not inside.any():
        return None
    local = (some.column[inside] & np.uint64((1 << SHARD_EXPONENT) - 1)).astype(np.int64)
    return embedded_ints.encode(local, some.value[inside])
