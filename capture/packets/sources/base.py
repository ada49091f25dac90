"""What every source does the same way: cutting the packets of a capture into batches, filtering, resuming."""

from __future__ import annotations

import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets import libpcap
from capture.packets.batch import LOCATOR_DTYPE, CaptureInfo, ScannedBatch
from capture.packets.bpf import Program, compile_filter
from capture.packets.errors import FilterError, NotACapture, ReadError
from capture.packets.sources.walking import (
    BASE,
    END,
    FILTERED_OUT,
    FOUND,
    FUNCTION,
    MOST_FILTERED_OUT,
    NONE_MATCH,
    NUMBER,
    OFFSET,
    ROOM,
    SIZE,
)
from capture.packets.sources.window import Window

# No format has a sane packet above this, whatever snapshot length it claims.
MAX_PACKET = 256 * 1024 * 1024

# A batch ends, full or not, when the filter dropped this many times its size: else progress would stand still.
FILTERED_OUT_FACTOR = 10

# Records that a batch is given room for at first; it grows to what the caller asked for.
FIRST_ROOM = 1 << 16

State = dict[str, Any]


class Walk(ABC):
    """One pass over the records of a capture. `offset` and `number` always stand behind the last packet handed out."""

    def __init__(self, length: int) -> None:
        self.at = np.zeros(length, np.int64)  # see capture.packets.sources.walking

    @property
    def offset(self) -> int:
        return int(self.at[OFFSET])

    @property
    def number(self) -> int:
        return int(self.at[NUMBER])

    @abstractmethod
    def fill(self, window: Window, filling: Filling) -> bool:
        """Fills a batch with the packets from here on; False if the capture ended before it was full.

        Raises ReadError where the capture breaks off or lies.
        """

    @abstractmethod
    def state(self) -> State:
        """JSON-able; a walk made from it goes on with the next packet."""

    def _show(self, window: Window) -> None:
        """Tells the loop where its window lies."""
        at = self.at
        at[BASE], at[END], at[SIZE] = window.base, window.base + window.end, window.size


class Filling:
    """The batch that a walk fills: records so far (counted in the walk's array), how many there may be, the filter."""

    def __init__(self, at: NDArray[np.int64], batch_packets: int, filters: Filters) -> None:
        self._at = at
        self._most = batch_packets
        self.filters = filters
        self._allocate(min(batch_packets, FIRST_ROOM))
        at[MOST_FILTERED_OUT] = min(FILTERED_OUT_FACTOR * batch_packets, np.iinfo(np.int64).max)
        at[FUNCTION] = libpcap.bpf_filter_address if filters.active else 0

    def _allocate(self, room: int) -> None:
        self.out = np.empty(room, LOCATOR_DTYPE)
        self._at[ROOM] = room

    def is_full(self) -> bool:
        """What a loop that came back with FULL has to know: there may be more room to be had."""
        found = int(self._at[FOUND])
        if self._at[FILTERED_OUT] >= self._at[MOST_FILTERED_OUT] or found >= self._most:
            return True
        kept = self.out
        self._allocate(min(self._most, 2 * len(kept)))
        self.out[:found] = kept[:found]
        return False

    def take(self) -> tuple[NDArray[Any], int]:
        """The records, and the number of packets dropped; the next batch begins."""
        found, filtered_out = int(self._at[FOUND]), int(self._at[FILTERED_OUT])
        self._at[FOUND] = self._at[FILTERED_OUT] = 0
        if found == len(self.out):
            records = self.out
            self._allocate(len(records))
        else:
            records = self.out[:found].copy()
        return records, filtered_out


class Source(ABC):
    """An open capture. `info` is what its head says; a scan completes it.

    read_error: after a scan is exhausted: what ended it before the end of the file, or None.
    end_state: after a scan is exhausted: where it stopped. A scan from there goes on where a file has grown.
    """

    info: CaptureInfo

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.read_error: ReadError | None = None
        self.end_state: State = {}
        self._file = open_regular(self.path)
        try:
            self._read_head(Window(self._file, 1 << 16))
        except BaseException:
            self._file.close()
            raise

    @abstractmethod
    def _read_head(self, window: Window) -> None:
        """Fills `info`. Raises NotACapture."""

    @abstractmethod
    def _walk(self, state: State | None) -> Walk:
        """A pass from the start, or from a state."""

    def _scanned(self, walk: Walk) -> None:  # noqa: B027  (most formats learn nothing more)
        """Called before each batch is handed out: completes `info` from what the walk met."""

    def close(self) -> None:
        """Closes the file. A scan under way cannot go on."""
        self._file.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def scan(self, batch_packets: int, bpf: str = "", state: State | None = None) -> Iterator[ScannedBatch]:
        """Cuts the capture into batches of at most `batch_packets` packets that pass the filter `bpf`.

        state: continue behind a batch that was scanned before, in this process or another: the batches are those that
        an undisturbed scan would have given. The filter must be the same.
        Raises FilterError before anything is read. A capture that breaks off raises nothing: its whole packets come
        as batches, and `read_error` says the rest.
        """
        if batch_packets < 1:
            raise ValueError(f"batch_packets must be at least 1, not {batch_packets}")
        filters = Filters(bpf, self._linktypes())
        return self._scan(batch_packets, filters, state)

    def _linktypes(self) -> list[int]:
        return list(dict.fromkeys(interface.linktype for interface in self.info.interfaces)) or [1]

    def _scan(self, batch_packets: int, filters: Filters, state: State | None) -> Generator[ScannedBatch, None, None]:
        self.read_error = None
        walk = self._walk(state)
        window = Window(self._file)
        filling = Filling(walk.at, batch_packets, filters)
        try:
            while walk.fill(window, filling):
                yield self._batch(walk, filling)
        except ReadError as error:
            self.read_error = error
        if walk.at[FOUND] or walk.at[FILTERED_OUT]:
            yield self._batch(walk, filling)
        self._scanned(walk)
        self.end_state = walk.state()

    def _batch(self, walk: Walk, filling: Filling) -> ScannedBatch:
        self._scanned(walk)
        found, filtered_out = filling.take()
        return ScannedBatch(found, len(found) + filtered_out, filtered_out, walk.state())


class Filters:
    """One expression, compiled for each link type that a capture has.

    Where a capture has several link types, one that cannot have what the expression asks for ("no VLAN support for
    Raw IP") has no packets that match. Raises FilterError if that is so for all that are known from the start.
    """

    def __init__(self, expression: str, linktypes: list[int]) -> None:
        self.active = bool(expression.strip())
        self._expression = expression
        self._programs: dict[int, Program | None] = {}
        if not self.active:
            return
        refused: FilterError | None = None
        for linktype in linktypes:
            try:
                self._programs[linktype] = compile_filter(expression, linktype)
            except FilterError as error:
                self._programs[linktype] = None
                refused = refused or error
        if refused and not any(self._programs.values()):
            raise refused

    def _compile(self, linktype: int) -> Program | None:
        try:
            program = compile_filter(self._expression, linktype)
        except FilterError:
            program = None
        self._programs[linktype] = program
        return program

    def program(self, linktype: int) -> int:
        """Address of the instructions for a link type, NONE_MATCH if it cannot have what is asked for. Held as long as this."""
        program = self._programs[linktype] if linktype in self._programs else self._compile(linktype)
        return NONE_MATCH if program is None else program.instructions


def open_regular(path: str) -> io.FileIO:
    """Opens a regular file unbuffered. Raises OSError; NotACapture for pipes and devices, which would never end."""
    if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
        raise NotACapture("not a regular file")
    return io.FileIO(path, "rb")
