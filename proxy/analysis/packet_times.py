"""The time and the length of every packet of a call, out of locators: what is finer than a time row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import F
from numpy.typing import NDArray

from capture.packets.batch import NO_TIME
from capture.packets.locator import read_locator
from indexing import limits
from indexing.models import Batch, BatchState
from proxy.locator_cache import LocatorCache

# Kept by a process: 12 bytes a packet.
MOST_BYTES = 128 << 20
_TIMES = np.dtype([("time_ns", "<i8"), ("wire_length", "<u4")])


Timed = tuple[NDArray[np.int64], NDArray[np.uint32]]


def times_of(index: str, columns: Iterable[NDArray[np.uint64]]) -> Iterator[Timed]:
    """Times int64 (n,), in ns since 1970, and lengths on the wire (n,) of the packets in columns that have a time stamp.

    columns: part by part, ascending. Raises LimitExceeded."""
    for some in columns:
        yield from _located(index, some)


def _located(index: str, columns: NDArray[np.uint64]) -> Iterator[Timed]:
    if not columns.size:
        return
    visible = Batch.objects.filter(index__name=index, state=BatchState.VISIBLE, packets__gt=0)
    some = visible.filter(first_column__lte=int(columns[-1]), first_column__gt=int(columns[0]) - F("packets"))
    for batch in some.order_by("first_column"):
        low, high = np.searchsorted(columns, np.array([batch.first_column, batch.first_column + batch.packets], np.uint64))
        if low == high:
            continue
        limits.current().check()
        try:
            known = _kept(batch.locator)
        except FileNotFoundError:
            continue  # its job was deleted a moment ago
        if high - low < batch.packets:
            known = known[(columns[low:high] - np.uint64(batch.first_column)).astype(np.int64)]
        times, lengths = known["time_ns"], known["wire_length"]
        timed = times != NO_TIME
        yield (times, lengths) if timed.all() else (times[timed], lengths[timed])


def times_and_lengths(batch: Batch) -> NDArray[Any]:
    """Of each packet of a batch, in order: `time_ns` (NO_TIME: it has no stamp) and `wire_length`. Raises FileNotFoundError."""
    return _kept(batch.locator)


def _read(path: str) -> NDArray[Any]:
    record = read_locator(Path(settings.PICAPWEB_DATA) / path)
    found = np.empty(len(record), _TIMES)
    for name in _TIMES.names or ():
        found[name] = record[name]
    return found


_kept = LocatorCache(_read, MOST_BYTES)
