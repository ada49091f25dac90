"""Batches that may have a packet of a kind, and the columns of those that do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from capture import sight
from indexing import limits
from indexing.columns import ColumnSet, joined
from indexing.models import Batch, BatchState
from proxy.locate import locator_of

Flags = NDArray[np.bool_]


def visible(index: str) -> QuerySet[Batch]:
    """The batches of an index that are in answers, have packets, and are of jobs that whoever asks may see."""
    found = Batch.objects.filter(index__name=index, state=BatchState.VISIBLE, packets__gt=0)
    jobs = sight.seen_in(index)
    return found if jobs is None else found.filter(job__in=jobs)


def columns(some: Iterable[Batch], whole: Callable[[Batch], bool], which: Callable[[Batch, NDArray[Any]], Flags]) -> ColumnSet:
    """Columns of batches. whole: all packets of the batch are meant; else which: those of its locator. Raises LimitExceeded."""
    budget = limits.current()
    first: list[NDArray[np.uint64]] = []
    last: list[NDArray[np.uint64]] = []
    for batch in some:
        budget.check()
        if whole(batch):
            first.append(np.array([batch.first_column], np.uint64))
            last.append(np.array([batch.last_column], np.uint64))
            continue
        try:
            flags = which(batch, locator_of(batch))
        except FileNotFoundError:
            continue  # its job was deleted a moment ago
        edges = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
        first.append((np.flatnonzero(edges == 1) + batch.first_column).astype(np.uint64))
        last.append((np.flatnonzero(edges == -1) - 1 + batch.first_column).astype(np.uint64))
    if not first:
        return joined(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
    return joined(np.concatenate(first), np.concatenate(last))
