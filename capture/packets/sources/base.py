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

from capture.packets.batch import LOCATOR_DTYPE, CaptureInfo, ScannedBatch
from capture.packets.bpf import Program, compile_filter
from capture.packets.errors import FilterError, NotACapture, ReadError
from capture.packets.sources.window import Window

# offset, captured length, wire length, time, number, interface, link type: LOCATOR_DTYPE's order
Record = tuple[int, int, int, int, int, int, int]

# No format has a sane packet above this, whatever snapshot length it claims.
MAX_PACKET = 256 * 1024 * 1024

# A batch ends, full or not, when the filter dropped this many times its size: else progress would stand still.
FILTERED_OUT_FACTOR = 10

State = dict[str, Any]


class Walk(ABC):
    """One pass over the records of a capture. `offset` and `number` always stand behind the last packet handed out."""

    offset: int
    number: int

    @abstractmethod
    def packets(self, window: Window, need_data: bool) -> Iterator[Record]:
        """The packets from here on. With `need_data` the packet's bytes are in the window while its record is held.

        Raises ReadError where the capture breaks off or lies.
        """

    @abstractmethod
    def state(self) -> State:
        """JSON-able; a walk made from it goes on with the next packet."""


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
        most_filtered_out = FILTERED_OUT_FACTOR * batch_packets
        found: list[Record] = []
        filtered_out = 0
        filtering = filters.active
        matches = filters.matches
        try:
            for record in walk.packets(window, filtering):
                if not filtering or matches(record, window.address - window.base):
                    found.append(record)
                    if len(found) < batch_packets:
                        continue
                else:
                    filtered_out += 1
                    if filtered_out < most_filtered_out:
                        continue
                yield self._batch(walk, found, filtered_out)
                found, filtered_out = [], 0
        except ReadError as error:
            self.read_error = error
        if found or filtered_out:
            yield self._batch(walk, found, filtered_out)
        self._scanned(walk)
        self.end_state = walk.state()

    def _batch(self, walk: Walk, found: list[Record], filtered_out: int) -> ScannedBatch:
        self._scanned(walk)
        return ScannedBatch(np.array(found, LOCATOR_DTYPE), len(found) + filtered_out, filtered_out, walk.state())


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

    def matches(self, record: Record, origin: int) -> bool:
        """Whether a packet passes. origin: the address at which the capture's byte 0 would lie."""
        linktype = record[6]
        program = self._programs[linktype] if linktype in self._programs else self._compile(linktype)
        return program is not None and program.matches(origin + record[0], record[1], record[2])


def open_regular(path: str) -> io.FileIO:
    """Opens a regular file unbuffered. Raises OSError; NotACapture for pipes and devices, which would never end."""
    if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
        raise NotACapture("not a regular file")
    return io.FileIO(path, "rb")
