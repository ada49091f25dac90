"""From a column back to its packet: batch, locator record, bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Subquery
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from capture.packets.batch import LOCATOR_DTYPE
from capture.packets.locator import read_locator
from capture.packets.reading import read_packet
from indexing.models import Batch, BatchState
from proxy.locator_cache import LocatorCache

LOCATOR_BYTES = 24 << 20  # kept by a process


@dataclass(frozen=True)
class Located:
    """Columns with what their batches' locators say. job int64 (n,), record LOCATOR_DTYPE (n,), columns uint64 (n,)."""

    columns: NDArray[np.uint64]
    job: NDArray[np.int64]
    record: NDArray[Any]


def locate(index: str, columns: NDArray[np.uint64]) -> Located:
    """Locator records of ascending columns; columns of no visible batch (their job was just deleted) are left out."""
    records: list[NDArray[Any]] = []
    jobs: list[NDArray[np.int64]] = []
    kept: list[NDArray[np.uint64]] = []
    for batch in _batches(index, columns):
        low, high = np.searchsorted(columns, np.array([batch.first_column, batch.first_column + batch.packets], np.uint64))
        if low == high:
            continue
        mine = columns[low:high]
        try:
            locator = _locator(batch.locator)
        except FileNotFoundError:
            continue
        kept.append(mine)
        records.append(locator[(mine - np.uint64(batch.first_column)).astype(np.int64)])
        jobs.append(np.full(len(mine), batch.job, np.int64))
    if not kept:
        return Located(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, LOCATOR_DTYPE))
    return Located(np.concatenate(kept), np.concatenate(jobs), np.concatenate(records))


def batch_of(index: str, column: int) -> Batch | None:
    """The visible batch that holds a column."""
    batch = (
        Batch.objects.filter(index__name=index, state=BatchState.VISIBLE, packets__gt=0, first_column__lte=column)
        .order_by("-first_column")
        .first()
    )
    return batch if batch is not None and column <= batch.last_column else None


def column_of(job: int, number: int) -> tuple[str, int] | None:
    """Index and column of a job's packet by its number in the capture; None if it is not indexed (filtered out, say)."""
    batch = (
        Batch.objects.select_related("index")
        .filter(job=job, state=BatchState.VISIBLE, first_number__lte=number, last_number__gte=number)
        .first()
    )
    if batch is None:
        return None
    try:
        numbers = _locator(batch.locator)["number"]
    except FileNotFoundError:
        return None
    at = int(np.searchsorted(numbers, number))
    if at >= len(numbers) or int(numbers[at]) != number:
        return None
    return batch.index.name, batch.first_column + at


def packet_bytes(batch: Batch, column: int) -> tuple[bytes, Any]:
    """Bytes and locator record of one packet. Raises ReadError, OSError."""
    record = _locator(batch.locator)[column - batch.first_column]
    return read_packet(Path(settings.PICAPWEB_DATA) / batch.capture, record), record


def _batches(index: str, columns: NDArray[np.uint64]) -> list[Batch]:
    if not len(columns):
        return []
    visible = Batch.objects.filter(index__name=index, state=BatchState.VISIBLE, packets__gt=0)
    # One statement: between two, small batches may have become one, which begins before them.
    low = visible.filter(first_column__lte=int(columns[0])).order_by("-first_column").values("first_column")[:1]
    within = visible.filter(first_column__gte=Coalesce(Subquery(low), int(columns[0])), first_column__lte=int(columns[-1]))
    return list(within.order_by("first_column"))


# A path is written once: its name holds the scanner's token.
_locator = LocatorCache(lambda path: read_locator(Path(settings.PICAPWEB_DATA) / path), LOCATOR_BYTES)
