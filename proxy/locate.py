"""From a column back to its packet: batch, locator record, bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Subquery
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from capture import sight
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
    found = list(by_batch(index, columns))
    if not found:
        return Located(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, LOCATOR_DTYPE))
    jobs = [np.full(len(mine), batch.job, np.int64) for batch, mine, _ in found]
    return Located(
        np.concatenate([mine for _, mine, _ in found]), np.concatenate(jobs), np.concatenate([records for _, _, records in found])
    )


def by_batch(index: str, columns: NDArray[np.uint64]) -> Iterator[tuple[Batch, NDArray[np.uint64], NDArray[Any]]]:
    """Visible batches that hold some of ascending columns, with those of them and their locator records."""
    for batch in _batches(index, columns):
        low, high = np.searchsorted(columns, np.array([batch.first_column, batch.first_column + batch.packets], np.uint64))
        if low == high:
            continue
        mine = columns[low:high]
        try:
            locator = _locator(batch.locator)
        except FileNotFoundError:
            continue
        yield batch, mine, locator[(mine - np.uint64(batch.first_column)).astype(np.int64)]


def batch_of(index: str, column: int) -> Batch | None:
    """The visible batch that holds a column, if whoever asks may see its job."""
    batch = (
        Batch.objects.filter(index__name=index, state=BatchState.VISIBLE, packets__gt=0, first_column__lte=column)
        .order_by("-first_column")
        .first()
    )
    if batch is None or column > batch.last_column or not sight.may_see(batch.job):
        return None
    return batch


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


def locator_of(batch: Batch) -> NDArray[Any]:
    """The locator of a batch, LOCATOR_DTYPE (packets,). Raises PacketsError, FileNotFoundError (its job was deleted)."""
    return _locator(batch.locator)


# A path is written once: its name holds the scanner's token.
_locator = LocatorCache(lambda path: read_locator(Path(settings.PICAPWEB_DATA) / path), LOCATOR_BYTES)
