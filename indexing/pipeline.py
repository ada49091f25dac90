"""The way of one batch: read -> dissect -> row ids -> bits -> backend -> visible. Each stage a function over the batch."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from capture.packets.batch import PacketBatch
from capture.packets.columns import Dissected, IntValues, SetValues
from capture.packets.dissect import dissect
from capture.packets.locator import read_locator_and_names
from capture.packets.reading import read_batch
from capture.packets.registry import FIELDS
from indexing import translation
from indexing.backends.base import BatchBits, CodedBits, IntBits, SetBits
from indexing.batches import ClaimLost
from indexing.models import Batch

JOB_FIELD = "job"
# A job outlives the package that brought its field.
NO_SUCH_FIELD = "no installed package has this field: it had one when the job was made"


def read(batch: Batch) -> PacketBatch:
    """The batch's packets from its stored capture. Raises ReadError, OSError."""
    data = Path(settings.PICAPWEB_DATA)
    return read_batch(data / batch.capture, *read_locator_and_names(data / batch.locator))


def row_ids(index: str, dissected: Dissected) -> dict[str, NDArray[np.uint64]]:
    """Row ids of the distinct values of every set field, in the order of its `values`. Raises TranslationCollision."""
    texts: dict[str, list[bytes]] = {}
    rows: dict[str, NDArray[np.uint64]] = {}
    for name, column in dissected.fields.items():
        if isinstance(column, SetValues):
            if FIELDS[name].encoding == "text":
                texts[name] = list(column.values)
            else:
                rows[name] = np.asarray(column.values, np.uint64)
    rows.update(translation.resolve(index, texts))
    return rows


def bits(batch: Batch, dissected: Dissected, rows: dict[str, NDArray[np.uint64]]) -> BatchBits:
    """All bits of a dissected batch, its `job` row included."""
    fields: dict[str, SetBits | CodedBits | IntBits] = {}
    for name, column in dissected.fields.items():
        if isinstance(column, IntValues):
            fields[name] = IntBits(column.packet.astype(np.uint64) + np.uint64(batch.first_column), column.value)
        else:
            fields[name] = CodedBits(column.packet, column.code, rows[name])
    every, one = np.arange(batch.packets, dtype=np.uint32), np.zeros(batch.packets, np.uint32)
    fields[JOB_FIELD] = CodedBits(every, one, np.array([batch.job], np.uint64))
    return BatchBits(batch.pk, batch.first_column, batch.packets, fields, batch.generation)


def prepare(batch: Batch, lost: threading.Event) -> tuple[BatchBits, Dissected]:
    """Everything up to the import: slow, and without a lock. Raises ReadError, OSError, ClaimLost, TranslationCollision."""
    packets = read(batch)
    dissected = dissect(packets, [name for name in batch.fields if name in FIELDS], batch.dissector)
    dissected.not_indexed.update((name, NO_SUCH_FIELD) for name in batch.fields if name not in FIELDS)
    if lost.is_set():
        raise ClaimLost(f"batch {batch.pk}: its job was stopped or its lease ran out")
    return bits(batch, dissected, row_ids(batch.index.name, dissected)), dissected
