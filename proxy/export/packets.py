"""The packets of an export in their order, block by block: where each lies, and all that its record header says.

The first pass over them finds out which captures, interfaces and losses there are; later passes give the same packets, or end
with ExportBroken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from capture.packets.errors import PacketsError
from capture.packets.locator import read_locator_and_names
from indexing import limits
from indexing.models import Batch, BatchState
from proxy.export.errors import ExportBroken
from proxy.export.moving import put_records
from proxy.export.snapshot import BatchRow, Piece, Snapshot

# Rows of a block of packets, int64 (ROWS, n): each row is contiguous. TIME in ns or NO_TIME; INTERFACE and CAPTURE number the
# lists of Packets; the others are as in LOCATOR_DTYPE.
COLUMN, JOB, NUMBER, TIME, CAPTURED, WIRE, OFFSET, DIRECTION, INTERFACE, CAPTURE = range(10)
ROWS = 10
Records = NDArray[np.int64]
BLOCK = 1 << 16
# Records of so few packets (80 bytes each) are held: a second look at locators, of which they may need little, takes longer.
FEW = 1 << 18


@dataclass(frozen=True)
class Interface:
    """An interface of a job. number: its index in the capture. name: as the capture has it, b"" if it has none."""

    job: int
    number: int
    linktype: int
    name: bytes


@dataclass(frozen=True)
class Capture:
    """A stored capture. size: its bytes when the export began, -1 if it was not there."""

    path: Path
    relative: str
    size: int


class Packets:
    """See above. by_time: by time, then column, packets without a time stamp first; all records are held then, or if they
    are few.

    with_bytes: only packets whose bytes are still there. gone: by job, how many of the question's packets are left out,
    for their bytes (or their place in the capture) are gone."""

    def __init__(self, snapshot: Snapshot, *, by_time: bool = False, with_bytes: bool = True) -> None:
        self.snapshot, self._with_bytes = snapshot, with_bytes
        self.interfaces: list[Interface] = []
        self.captures: list[Capture] = []
        self.first_capture: list[int] = []  # by interface
        self.gone: Counter[int] = Counter()
        self._number_of: dict[Interface, int] = {}
        self._capture_of: dict[str, int] = {}
        self._lost: set[int] = set()  # first columns of pieces whose locator is gone
        self._settled = False
        self._read: tuple[str, NDArray[Any], tuple[bytes, ...]] | None = None
        self._held: Records | None = None
        if by_time or snapshot.count <= FEW:
            limits.current().take(2 * 8 * ROWS * snapshot.count, "where the packets lie")
            parts = list(self._pieces())
            records = np.concatenate(parts, axis=1) if parts else np.zeros((ROWS, 0), np.int64)
            del parts
            if by_time:
                # take() and compress(): what an index array selects of the second axis would have no contiguous rows.
                records = records.take(np.lexsort((records[COLUMN], records[TIME])), axis=1)
            self._held, self._settled = records, True

    def blocks(self, size: int = BLOCK) -> Iterator[Records]:
        """All packets in order, at most `size` at once, int64 (ROWS, n), n > 0. Raises ExportBroken after the first pass."""
        if self._held is not None:
            for begin in range(0, self._held.shape[1], size):
                yield self._held[:, begin : begin + size]
            return
        held: list[Records] = []
        room = size
        for records in self._pieces():
            while records.shape[1]:
                held.append(records[:, :room])
                records = records[:, room:]
                room -= held[-1].shape[1]
                if not room:
                    yield _joined(held)
                    held, room = [], size
        if held:
            yield _joined(held)
        self._settled = True

    def _pieces(self) -> Iterator[Records]:
        budget = limits.current()
        for piece in self.snapshot.pieces():
            budget.check()
            records = self._records(piece)
            if records is not None and records.shape[1]:
                yield records
        self._read = None

    def _records(self, piece: Piece) -> Records | None:
        if int(piece.columns[0]) in self._lost:
            return None
        batch = piece.batch
        try:
            locator, names = self._locator(batch.locator)
            if len(locator) != batch.packets:
                raise PacketsError(f"{batch.locator} has {len(locator)} packets and not {batch.packets}")
        except (FileNotFoundError, PacketsError) as error:
            try:
                batch, locator, names = self._merged(piece, error)
            except ExportBroken:
                if self._settled:
                    raise
                self._lost.add(int(piece.columns[0]))
                self.gone[batch.job] += len(piece.columns)
                return None
        records = np.empty((ROWS, len(piece.columns)), np.int64)
        records[COLUMN], records[JOB] = piece.columns, batch.job
        linktype = np.empty(len(piece.columns), np.int64)
        rows = (records[row] for row in (NUMBER, TIME, CAPTURED, WIRE, OFFSET, DIRECTION, INTERFACE))
        if not put_records(locator, records[COLUMN] - batch.first_column, *rows, linktype):
            raise ExportBroken(f"{batch.locator} does not have all packets of its batch")
        records[INTERFACE] = self._interfaces(batch, records[INTERFACE], linktype, names)
        records[CAPTURE] = at = self._capture(batch.capture)
        return self._there(records, self.captures[at].size) if self._with_bytes else records

    def _there(self, records: Records, size: int) -> Records:
        # offset < 0: in a damaged locator those that wrapped to negative numbers
        there = (records[OFFSET] >= 0) & (records[OFFSET] <= size - records[CAPTURED])
        if there.all():
            return records
        if not self._settled:
            self.gone[int(records[JOB][0])] += int(np.count_nonzero(~there))
        return records.compress(there, axis=1)

    def _locator(self, relative: str) -> tuple[NDArray[Any], tuple[bytes, ...]]:
        if self._read is None or self._read[0] != relative:
            self._read = (relative, *read_locator_and_names(Path(settings.PICAPWEB_DATA) / relative))
        return self._read[1:]

    def _merged(self, piece: Piece, error: Exception) -> tuple[BatchRow, NDArray[Any], tuple[bytes, ...]]:
        """The batch that holds a piece by now, where small ones became one since the snapshot. Raises ExportBroken."""
        first, last = int(piece.columns[0]), int(piece.columns[-1])
        rows = Batch.objects.filter(index__name=self.snapshot.index, state=BatchState.VISIBLE, job=piece.batch.job)
        row = rows.filter(packets__gt=0, first_column__lte=first).order_by("-first_column").first()
        if row is None or row.last_column < last or row.locator == piece.batch.locator:
            raise ExportBroken(f"packets of job {piece.batch.job} are not there any more: {error}") from None
        batch = BatchRow(row.job, row.first_column, row.packets, row.capture, row.locator)
        try:
            return batch, *self._locator(batch.locator)
        except (OSError, PacketsError) as again:
            raise ExportBroken(f"packets of job {piece.batch.job} are not there any more: {again}") from None

    def _interfaces(
        self, batch: BatchRow, numbers: NDArray[np.int64], linktypes: NDArray[np.int64], names: tuple[bytes, ...]
    ) -> Any:
        """Numbers in `interfaces` of the packets' interfaces: one for all, or an array."""
        both = numbers << 16 | linktypes
        if (both == both[0]).all():
            return self._interface(batch, int(numbers[0]), int(linktypes[0]), names)
        distinct, first, inverse = np.unique(both, return_index=True, return_inverse=True)
        known = np.empty(len(distinct), np.int64)
        for i in np.argsort(first).tolist():  # numbered by first use
            known[i] = self._interface(batch, int(distinct[i]) >> 16, int(distinct[i]) & 0xFFFF, names)
        return known[inverse]

    def _interface(self, batch: BatchRow, number: int, linktype: int, names: tuple[bytes, ...]) -> int:
        one = Interface(batch.job, number, linktype, names[number] if number < len(names) else b"")
        known = self._number_of.get(one)
        if known is None:
            if self._settled:
                raise ExportBroken(f"job {one.job} has another interface {number} than when the export began")
            known = self._number_of[one] = len(self.interfaces)
            self.interfaces.append(one)
            self.first_capture.append(self._capture(batch.capture))
        return known

    def _capture(self, relative: str) -> int:
        known = self._capture_of.get(relative)
        if known is None:
            path = Path(settings.PICAPWEB_DATA) / relative
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                size = -1
            known = self._capture_of[relative] = len(self.captures)
            self.captures.append(Capture(path, relative, size))
        return known


def _joined(held: list[Records]) -> Records:
    return held[0] if len(held) == 1 else np.concatenate(held, axis=1)
