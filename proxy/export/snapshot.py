"""The columns of a question at one moment, kept small, and the batches that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing import limits
from indexing.backends.base import SHARD_WIDTH
from indexing.calls import Call, RowResult
from indexing.models import Batch, BatchState, PacketIndex
from proxy.ask import ask

U64 = NDArray[np.uint64]
# Shards that are asked at once, of one state of the store: for a moment their columns take 8 bytes each.
SHARDS_AT_ONCE = 16
# Columns of a shard are kept as numbers of 4 bytes, or, from here on, as bits.
_FEW = SHARD_WIDTH // 32


@dataclass(frozen=True)
class BatchRow:
    """What is needed of a batch. capture, locator: paths relative to the data folder."""

    job: int
    first_column: int
    packets: int
    capture: str
    locator: str


@dataclass(frozen=True)
class Piece:
    """Columns, ascending, of one batch within one shard."""

    batch: BatchRow
    columns: U64


class Snapshot:
    """Columns that a bitmap call has now, of batches that are visible before and after it was asked: whole ones only, so a batch
    that comes or goes meanwhile is not there at all. Later changes are not seen.

    Takes at most 128 KiB a shard (2^20 columns). Raises QueryError (LimitExceeded too), BackendAway."""

    def __init__(self, index: str, call: Call) -> None:
        self.index = index
        self._shards: dict[int, NDArray[Any]] = {}
        budget = limits.current()
        before = _ranges(index)
        last = (PacketIndex.objects.filter(name=index).values_list("next_column", flat=True).first() or 0) - 1
        for shard in range(0, last // SHARD_WIDTH + 1, SHARDS_AT_ONCE):
            result = ask(index, [call], list(range(shard, shard + SHARDS_AT_ONCE))).results[0]
            assert isinstance(result, RowResult)
            self._keep(_inside(np.asarray(result.columns, np.uint64), *before), budget)
        rows = _visible(index).order_by("first_column")
        found = rows.values_list("job", "first_column", "packets", "capture", "locator")
        self._batches = [BatchRow(*row) for row in found] if self._shards else []
        self._first = np.array([one.first_column for one in self._batches], np.uint64)
        self._end = self._first + np.array([one.packets for one in self._batches], np.uint64)
        self.count = sum(len(piece.columns) for piece in self.pieces())

    def pieces(self) -> Iterator[Piece]:
        """All columns, ascending; the same pieces each time."""
        for shard in sorted(self._shards):
            columns = _unpacked(shard, self._shards[shard])
            some = self._batches_of(columns)
            cuts = _cuts(columns, self._first[some], self._end[some])
            for batch, begin, end in zip(self._batches[some], *(cut.tolist() for cut in cuts), strict=True):
                if begin < end:
                    yield Piece(batch, columns[begin:end])

    def _batches_of(self, columns: U64) -> slice:
        """The batches among which those of ascending columns are."""
        first = int(np.searchsorted(self._end, columns[0], "right"))
        return slice(first, int(np.searchsorted(self._first, columns[-1], "right")))

    def _keep(self, columns: U64, budget: limits.Budget) -> None:
        if not len(columns):
            return
        shards = columns // np.uint64(SHARD_WIDTH)
        cuts = np.flatnonzero(np.diff(shards, prepend=shards[0] + np.uint64(1), append=shards[-1] + np.uint64(1)))
        for begin, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            kept = _packed(columns[begin:end] % np.uint64(SHARD_WIDTH))
            budget.take(kept.nbytes, "the columns of the packets")
            self._shards[int(shards[begin])] = kept


def _visible(index: str) -> Any:
    return Batch.objects.filter(index__name=index, state=BatchState.VISIBLE, packets__gt=0)


def _ranges(index: str) -> tuple[U64, U64]:
    """First columns of the visible batches, ascending, and their ends."""
    rows = np.array(list(_visible(index).order_by("first_column").values_list("first_column", "packets")), np.uint64)
    rows = rows.reshape(-1, 2)
    return rows[:, 0], rows[:, 0] + rows[:, 1]


def _cuts(columns: U64, first: U64, end: U64) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where in ascending columns those of each range [first, end) begin and end."""
    return np.searchsorted(columns, first), np.searchsorted(columns, end)


def _inside(columns: U64, first: U64, end: U64) -> U64:
    """Those of ascending columns that lie in one of the ranges [first, end), which are ascending and apart."""
    begins, ends = _cuts(columns, first, end)
    if int((ends - begins).sum()) == len(columns):
        return columns
    parts = [columns[b:e] for b, e in zip(begins.tolist(), ends.tolist(), strict=True) if b < e]
    return np.concatenate(parts) if parts else columns[:0]


def _packed(local: U64) -> NDArray[Any]:
    if len(local) <= _FEW:
        return local.astype(np.uint32)
    bits = np.zeros(SHARD_WIDTH, np.bool_)
    bits[local] = True
    return np.packbits(bits)


def _unpacked(shard: int, kept: NDArray[Any]) -> U64:
    local = np.flatnonzero(np.unpackbits(kept)) if kept.dtype == np.uint8 else kept
    return local.astype(np.uint64) + np.uint64(shard * SHARD_WIDTH)
