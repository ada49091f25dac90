"""The blobs of the embedded store: each can be read, and holds columns that are its own, rows with a value, the right jobs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends.base import SHARD_WIDTH, FieldSchema
from indexing.backends.embedded_ints import IntFragment
from indexing.backends.embedded_shard import Shard
from indexing.backends.embedded_store import Snapshot, Store
from indexing.checking_findings import Finding, agreed
from indexing.checking_values import Translations, is_text, no_value
from indexing.fragment import Fragment, flags_of_bitmap
from indexing.models import Batch, BatchState
from indexing.roaring import SHARD_EXPONENT, RoaringError

JOB_FIELD = "job"
UNREADABLE = (ValueError, IndexError, OverflowError, RoaringError)
U64 = NDArray[np.uint64]


def blobs(index: str, folder: Path, known: Translations) -> Iterator[Finding]:
    """Findings about every blob of an index, one at a time: of bits, one blob's are in memory."""
    store = Store(folder)
    try:
        with store.read() as snapshot:
            fields, shards = snapshot.fields(index) or {}, snapshot.shards(index)
        for shard in shards:
            for field in fields.values():
                yield from agreed(partial(_look, index, store, shard, field, known))
    finally:
        store.close()


def int_values(index: str, folder: Path, field: str, columns: U64) -> Iterator[tuple[U64, U64]]:
    """Columns and values (modulo 2^64) of an int field, of those of the columns (ascending) that have one: as answers have them,
    without what has gone from a segment and with what PQL wrote."""
    store = Store(folder)
    try:
        for shard in np.unique(columns >> np.uint64(SHARD_EXPONENT)).tolist():
            with store.read() as snapshot:
                schema = snapshot.fields(index) or {}
                for fragment, alive in Shard(snapshot, index, schema, shard).ints(field) if field in schema else ():
                    local = fragment.columns
                    there = local.astype(np.uint64) + np.uint64(shard * SHARD_WIDTH)
                    wanted = np.isin(there, columns, assume_unique=True)
                    if alive is not None:
                        wanted &= flags_of_bitmap(alive)[local]
                    yield there[wanted], fragment.values.astype(np.uint64)[wanted]
    finally:
        store.close()


def _pieces(snapshot: Snapshot, index: str, field: str, shard: int) -> Iterator[tuple[int, int, memoryview]]:
    for place, blob in snapshot.fragments(index, field, shard):
        yield place.first, place.last, blob


def _look(index: str, store: Store, shard: int, field: FieldSchema, known: Translations) -> list[Finding]:
    # A snapshot for each field: one of the whole store would keep what is freed meanwhile from being used again.
    owners = _owners(index, shard)
    found: list[Finding] = []
    jobs = np.zeros(SHARD_WIDTH if field.name == JOB_FIELD else 0, np.int64)
    with store.read() as snapshot:
        for first, last, blob in _pieces(snapshot, index, field.name, shard):
            where: dict[str, Any] = {"index": index, "field": field.name, "shard": shard, "columns": f"{first} to {last}"}
            batches = [batch for batch, _, _, begin, end in owners if begin <= last and first < end]
            if batches:
                where |= {"batch": batches[0] if len(batches) == 1 else batches}
            try:
                columns, rows = _read(blob, field, first, last)
            except UNREADABLE as error:
                found.append(Finding("corrupt", f"its blob of {len(blob)} bytes cannot be read: {error}", where))
                continue
            live = _live(owners, columns)
            if is_text(field.name) and (unknown := known.unknown(field.name, np.unique(rows[live]))):
                found.append(no_value(where, unknown))
            if field.name == JOB_FIELD:
                jobs[columns[live].astype(np.int64)] = rows[live].astype(np.int64)
    return found + (list(_jobs(index, shard, owners, jobs)) if field.name == JOB_FIELD else [])


Owner = tuple[int, int, bool, int, int]  # batch, job, visible, first column within the shard, the one behind the last


def _owners(index: str, shard: int) -> list[Owner]:
    """The batches that have columns of a shard."""
    start = shard * SHARD_WIDTH
    rows = Batch.objects.filter(index__name=index, packets__gt=0).exclude(state=BatchState.HIDDEN).order_by("first_column")
    rows = rows.filter(first_column__gt=start - SHARD_WIDTH, first_column__lt=start + SHARD_WIDTH)
    return [
        (pk, job, state == BatchState.VISIBLE, max(0, first - start), min(SHARD_WIDTH, first + packets - start))
        for pk, job, state, first, packets in rows.values_list("pk", "job", "state", "first_column", "packets")
        if first + packets > start
    ]


def _live(owners: list[Owner], columns: U64) -> NDArray[np.bool_]:
    """Which of the columns are of a visible batch: bits of others may be left in a blob, and are in no answer."""
    flags = np.zeros(SHARD_WIDTH, np.bool_)
    for _, _, visible, begin, end in owners:
        flags[begin:end] = visible
    live: NDArray[np.bool_] = flags[columns.astype(np.int64)]
    return live


def _read(blob: memoryview, field: FieldSchema, first: int, last: int) -> tuple[U64, U64]:
    """Columns and rows of all bits of a blob; of an int field, columns and zeros. Raises UNREADABLE where something is wrong."""
    if field.kind == "int":
        values = IntFragment(blob)
        columns = values.columns.astype(np.uint64)
        if values.count and not (field.minimum <= values.minimum <= values.maximum <= field.maximum):
            raise ValueError(f"it has values from {values.minimum} to {values.maximum}")
        if values.values.size != columns.size:
            raise ValueError(f"it has {columns.size} columns and {values.values.size} values")
        return _inside(columns, first, last), np.zeros(columns.size, np.uint64)
    fragment = Fragment(blob)
    positions = fragment.positions()
    if positions.size != int(fragment.cards.sum()):
        raise ValueError(f"it has {positions.size} bits, and its head says {int(fragment.cards.sum())}")
    if positions.size and not bool((positions[1:] > positions[:-1]).all()):
        raise ValueError("its bits are not in order")
    return _inside(positions & np.uint64(SHARD_WIDTH - 1), first, last), positions >> np.uint64(SHARD_EXPONENT)


def _inside(columns: U64, first: int, last: int) -> U64:
    if columns.size and (int(columns.min()) < first or int(columns.max()) > last):
        raise ValueError(f"it has columns {int(columns.min())} to {int(columns.max())}, its place is {first} to {last}")
    return columns


def _jobs(index: str, shard: int, owners: list[Owner], jobs: NDArray[np.int64]) -> Iterator[Finding]:
    """Each packet of a visible batch has the batch's job."""
    for batch, job, visible, begin, end in owners:
        if visible and bool((wrong := jobs[begin:end] != job).any()):
            others = np.unique(jobs[begin:end][wrong]).tolist()
            words = f"{int(wrong.sum())} of its {end - begin} packets there have another job, or none (0): {others[:5]}"
            yield Finding("packets of another job", words, {"index": index, "job": job, "batch": batch, "shard": shard})
