"""Tags: a row of the set field `tag`, written by people. It has the packets that a query had when they were tagged, and no
others: what a live capture brings later is not tagged.

A tag is written shard by shard, each step a transaction that holds the batches of its packets (so that their job is not deleted
meanwhile, which would leave bits of nobody) and shares the values' epoch (so that the tag's row is not freed before it has a
bit). Each step writes only what is missing: a write that broke off is asked again, and goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from numpy.typing import NDArray

from indexing import limits, store, translation, translation_freeing
from indexing.backends.base import SHARD_WIDTH
from indexing.calls import Call, CountResult, RowRef, RowResult
from indexing.limits import LimitExceeded
from indexing.models import PacketIndex
from proxy.ask import ask_rows, in_rows

FIELD = "tag"
# Between the look at the columns and the lock on their batches small batches may have become one: then it is looked again.
TRIES = 5
# What a removed tag was called is looked at for being unused after so long: tags are often removed one after the other.
FREE_AFTER_SECONDS = 60.0

U64 = NDArray[np.uint64]


@dataclass(frozen=True)
class Tagged:
    """packets: of the query. changed: of them, those that got the tag now, or lost it."""

    packets: int
    changed: int


def write_tag(index: str, call: Call, tag: bytes, there: bool = True) -> Tagged:
    """Tags the packets of a bitmap call in values, or takes the tag from them.

    Raises QueryError, LimitExceeded (some of it may have been written by then: the words say so), BackendAway, BackendError."""
    store.ensure_index(index)
    changed = 0
    with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
        asked = in_rows(index, call)
        (total,) = ask_rows(index, [Call("Count", [asked])])
        assert isinstance(total, CountResult)
        writer = _Writer(index, tag, there)
        try:
            for shard in range(_shards(index)):
                if writer.row is None:  # nothing is called so: there is nothing to take away
                    break
                changed += writer.write(asked, shard)
        except LimitExceeded as error:
            if changed:
                words = "have the tag now" if there else "have it no more"
                raise LimitExceeded(f"{error}; {changed:,} packets {words}: ask again to go on", status=error.status) from error
            raise
    if not there and changed:
        with transaction.atomic():
            translation_freeing.want([index], FREE_AFTER_SECONDS)
    return Tagged(total.count, changed)


def _shards(index: str) -> int:
    columns = PacketIndex.objects.filter(name=index).values_list("next_column", flat=True).first() or 0
    return int(-(-columns // SHARD_WIDTH))


class _Writer:
    """row: what the tag is in the index; None: nothing, and it is not to be made."""

    def __init__(self, index: str, tag: bytes, there: bool) -> None:
        self._index, self._tag, self._there = index, tag, there
        self._find()

    def _find(self) -> None:
        self._epoch = translation.epoch(self._index)
        if self._there:
            self.row: int | None = int(translation.resolve(self._index, {FIELD: [self._tag]})[FIELD][0])
        else:
            self.row = translation.lookup(self._index, {FIELD: [self._tag]})[FIELD].get(self._tag)

    def write(self, asked: Call, shard: int) -> int:
        """One shard. How many packets were changed."""
        changed = 0
        for _ in range(TRIES):
            columns = self._to_change(asked, shard)
            if columns.size == 0:
                break
            with transaction.atomic():
                held = hold(self._index, columns)
                good = not self._there or translation.shares_epoch(self._index, self._epoch)
                if good and held:
                    assert self.row is not None
                    store.backend().write_row(self._index, FIELD, self.row, held, self._there)
            if not good:
                translation.catch_up(self._index)
                self._find()
                continue
            changed += sum(some.size for some in held.values())
            if sum(some.size for some in held.values()) == columns.size:
                break
        return changed

    def _to_change(self, asked: Call, shard: int) -> U64:
        have = Call("Row", args={"row": RowRef(FIELD, self.row)})
        (result,) = ask_rows(self._index, [Call("Difference" if self._there else "Intersect", [asked, have])], [shard])
        assert isinstance(result, RowResult)
        return np.asarray(result.columns, np.uint64)


def hold(index: str, columns: U64) -> dict[int, U64]:
    """Those of the columns (ascending) that are of visible batches, by the batches' generation; the batches stay as they are
    until the caller's transaction ends."""
    first, last = int(columns[0]), int(columns[-1])
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT b.first_column, b.packets, b.generation FROM indexing_batch b
               WHERE b.index_id = (SELECT id FROM indexing_packetindex WHERE name = %s)
                 AND b.state = 'visible' AND b.packets > 0 AND b.first_column <= %s AND b.first_column >= coalesce((
                     SELECT max(o.first_column) FROM indexing_batch o
                     WHERE o.index_id = (SELECT id FROM indexing_packetindex WHERE name = %s)
                       AND o.state = 'visible' AND o.packets > 0 AND o.first_column <= %s), %s)
               ORDER BY b.id FOR SHARE OF b""",
            [index, last, index, first, first],
        )
        rows = cursor.fetchall()
    found: dict[int, list[U64]] = {}
    for begin, packets, generation in sorted(rows):
        low, high = np.searchsorted(columns, np.array([begin, begin + packets], np.uint64))
        if low < high:
            found.setdefault(generation, []).append(columns[low:high])
    return {generation: np.concatenate(some) for generation, some in found.items()}
