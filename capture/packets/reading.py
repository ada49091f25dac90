"""Packets by locator: from a stored capture back to bytes."""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import PacketBatch
from capture.packets.errors import ReadError

# What lies between two packets (record headers, packets that a filter dropped) is read over up to this many bytes.
MAX_GAP = 64 * 1024
# A region is kept as it lies in the file if it is not much larger than its packets; else packets are moved together.
SPARE = 1 << 20
PIECE = 4 << 20


def read_batch(path: str | os.PathLike[str], locator: NDArray[Any], interfaces: tuple[bytes, ...] = ()) -> PacketBatch:
    """The packets of a locator (LOCATOR_DTYPE, in any order) with their bytes. interfaces: as PacketBatch has them.

    Takes memory for the packets, at most twice their bytes plus some MiB, however far apart they lie.
    Raises ReadError if the file is shorter than the locator says (it was cut after the scan), OSError.
    """
    count = len(locator)
    if not count:
        return PacketBatch(np.zeros(0, np.uint8), np.zeros(0, np.int64), locator, interfaces)
    offset = locator["offset"].astype(np.int64)
    length = locator["captured_length"].astype(np.int64)
    end = offset + length
    with io.FileIO(os.fspath(path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        # offset > size: in a damaged locator also those that wrapped to negative numbers
        beyond = np.flatnonzero((end > size) | (offset < 0))
        if len(beyond):
            raise _too_short(locator, int(beyond[0]), size)
        low, high = int(offset.min()), int(end.max())
        total = int(length.sum())
        if high - low <= 2 * total + SPARE:
            data = _room(high - low)
            got = _fill(file, low, data.data)
            if got < high - low:
                raise _too_short(locator, int(np.flatnonzero(end > low + got)[0]), low + got)
            return PacketBatch(data, offset - low, locator, interfaces)
        return PacketBatch(*_compact(file, locator, offset, end, total), locator, interfaces)


class _Kept(threading.local):
    """Memory of the batch before, by thread."""

    bytes_: NDArray[np.uint8] = np.zeros(0, np.uint8)


_kept = _Kept()
# What sys.getrefcount tells of memory that no batch has: the attribute, the local name, its own argument.
_NOBODY = 3


def _room(size: int) -> NDArray[np.uint8]:
    """`size` bytes: where nobody holds the batch before any more, its memory again, whose pages need not be made anew."""
    room = _kept.bytes_
    if len(room) < size or sys.getrefcount(room) > _NOBODY:  # a batch, and whatever was cut from it, holds a reference
        room = _kept.bytes_ = np.empty(size + size // 4, np.uint8)
    return room[:size]


def _compact(
    file: io.FileIO, locator: NDArray[Any], offset: NDArray[np.int64], end: NDArray[np.int64], total: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(data, start) with the packets one behind the other, read piece by piece in file order."""
    from capture.packets.gather import gather  # compiled: a single packet is read without

    data = np.empty(total, np.uint8)
    length = end - offset
    start = np.cumsum(length) - length
    order = np.argsort(offset, kind="stable")
    low, high = offset[order], np.maximum.accumulate(end[order])
    buffer = np.empty(PIECE, np.uint8)
    i = 0
    while i < len(order):
        # As many packets as one piece holds, with no large gap between them; at least one, of whatever size.
        j = max(i + 1, int(np.searchsorted(high, low[i] + PIECE, "right")))
        gaps = np.flatnonzero(low[i + 1 : j] - high[i : j - 1] > MAX_GAP)
        if len(gaps):
            j = i + 1 + int(gaps[0])
        first, wanted = int(low[i]), int(high[j - 1] - low[i])
        piece = buffer if wanted <= PIECE else np.empty(wanted, np.uint8)
        got = _fill(file, first, piece.data[:wanted])
        short = gather(piece[:got], first, order[i:j], offset, length, start, data)
        if short >= 0:
            raise _too_short(locator, int(short), first + got)
        i = j
    return data, start


def _fill(file: io.FileIO, offset: int, view: memoryview) -> int:
    """Reads into `view` from `offset` on; how many bytes there were."""
    file.seek(offset)
    filled = 0
    while filled < len(view):
        got = file.readinto(view[filled:])
        if not got:
            break
        filled += got
    return filled


def _too_short(locator: NDArray[Any], i: int, size: int) -> ReadError:
    record = locator[i]
    wanted = int(record["captured_length"])
    return ReadError(
        f"the stored capture has only {size} bytes, and {wanted} are wanted here", int(record["offset"]), int(record["number"])
    )


def read_packet(path: str | os.PathLike[str], locator_record: Any) -> bytes:
    """The bytes of one packet, from its record of a locator. Raises ReadError, OSError."""
    record = np.atleast_1d(np.asarray(locator_record))
    return read_batch(path, record).packet(0)
