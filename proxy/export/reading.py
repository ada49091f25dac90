"""Bytes of packets of many captures, put where they are wanted: read in long runs, moved by a compiled loop."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from proxy.export.errors import ExportBroken
from proxy.export.moving import move
from proxy.export.packets import CAPTURE, CAPTURED, NUMBER, OFFSET, Capture, Records

I64 = NDArray[np.int64]
# What lies between two packets is read over up to this many bytes: cheaper than another call to the kernel.
MAX_GAP = 16 * 1024
PIECE = 4 << 20
MOST_OPEN = 32


class Reader:
    """Reads captures of one export; for one thread. A capture that is open stays readable when it is removed. close() it."""

    def __init__(self, captures: Sequence[Capture]) -> None:
        self._captures = captures
        self._open: OrderedDict[int, int] = OrderedDict()  # capture -> file descriptor, the last used one last
        self._piece = np.empty(PIECE, np.uint8)

    def close(self) -> None:
        """Lets go of the files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def fill(self, out: NDArray[np.uint8], at: I64, records: Records) -> None:
        """Puts the bytes of packet i to out[at[i] : at[i] + captured length]. Raises ExportBroken."""
        capture, offset = records[CAPTURE], np.ascontiguousarray(records[OFFSET])
        length = np.ascontiguousarray(records[CAPTURED])
        order = np.arange(len(offset))
        if not (np.all(capture == capture[0]) and np.all(offset[1:] >= offset[:-1])):
            order = np.lexsort((offset, capture))
        starts = np.flatnonzero(np.diff(capture[order], prepend=-1))
        for begin, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
            some = order[begin:end]
            try:
                self._fill(int(capture[some[0]]), out, at, some, offset, length)
            except _Short as short:
                packet = records[:, some[short.i]]
                name = self._captures[packet[CAPTURE]].relative
                raise ExportBroken(
                    f"{name} ends before packet {packet[NUMBER]} now, which it had when the export began"
                ) from None

    def _fill(self, capture: int, out: NDArray[np.uint8], at: I64, order: I64, offset: I64, length: I64) -> None:
        """Packets `order`, ascending by offset, of one capture."""
        low = offset[order]
        high = np.maximum.accumulate(low + length[order])
        apart = np.flatnonzero(low[1:] - high[:-1] > MAX_GAP) + 1
        place = np.empty(len(offset), np.int64)  # in the piece, by packet
        first = used = 0  # of what the piece holds: the first packet, and bytes
        for begin, end in _runs(low, high, [0, *apart.tolist(), len(order)]):
            span = int(high[end - 1] - low[begin])
            if used + span > PIECE:
                self._move(used, order[first:begin], place, length, at, out)
                first, used = begin, 0
            if span > PIECE:  # one packet, then: straight to where it is wanted
                k = int(order[begin])
                self._read(capture, int(low[begin]), out[at[k] : at[k] + span], begin)
                first = end
                continue
            self._read(capture, int(low[begin]), self._piece[used : used + span], begin)
            place[order[begin:end]] = low[begin:end] - (low[begin] - used)
            used += span
        self._move(used, order[first:], place, length, at, out)

    def _move(self, used: int, order: I64, place: I64, length: I64, at: I64, out: NDArray[np.uint8]) -> None:
        missing = move(self._piece[:used], order, place, length, at, out)
        if missing >= 0:
            raise AssertionError(f"packet {missing} of a chunk was not read")

    def _read(self, capture: int, offset: int, into: NDArray[np.uint8], i: int) -> None:
        view = into.data
        file = self._file(capture)
        while len(view):
            try:
                got = os.preadv(file, [view], offset)
            except OSError as error:
                raise ExportBroken(f"{self._captures[capture].relative} cannot be read: {error.strerror}") from None
            if not got:
                raise _Short(i)
            view, offset = view[got:], offset + got

    def _file(self, capture: int) -> int:
        known = self._open.get(capture)
        if known is not None:
            self._open.move_to_end(capture)
            return known
        if len(self._open) >= MOST_OPEN:
            os.close(self._open.popitem(last=False)[1])
        one = self._captures[capture]
        try:
            found = self._open[capture] = os.open(one.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ExportBroken(f"{one.relative} was removed meanwhile: {error.strerror}") from None
        return found


class _Short(Exception):
    def __init__(self, i: int) -> None:
        super().__init__()
        self.i = i


def _runs(low: I64, high: I64, cuts: list[int]) -> list[tuple[int, int]]:
    """What is read at once: packets between cuts, and no more than a piece, unless one packet alone is larger."""
    runs = []
    for begin, end in pairwise(cuts):
        while high[end - 1] - low[begin] > PIECE and end - begin > 1:
            middle = max(begin + 1, int(np.searchsorted(high[:end], low[begin] + PIECE, "right")))
            runs.append((begin, middle))
            begin = middle
            if begin == end:
                break
        if begin < end:
            runs.append((begin, end))
    return runs
