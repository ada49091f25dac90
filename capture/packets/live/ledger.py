"""What a recorder says of itself: readers and writer put it down here, one lock keeps it consistent."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from capture.packets.live.blocks import Counts
from capture.packets.live.order import FileState, InterfaceState, InterfaceStateName, Snapshot


@dataclass
class Row:
    """An interface: see InterfaceState. started: when it was first opened, nanoseconds since 1970; 0 before."""

    name: bytes
    state: InterfaceStateName = "starting"
    words: str = ""
    linktype: int | None = None
    filter: str = ""
    mtu: int = 0
    received: int = 0
    dropped_kernel: int = 0
    dropped_interface: int = 0
    captured: int = 0
    bytes_captured: int = 0
    super_frames: int = 0
    started: int = 0

    def shown(self) -> InterfaceState:
        received = max(self.received, self.captured + self.dropped_kernel)
        return InterfaceState(
            self.name,
            self.state,
            self.words,
            self.linktype,
            self.filter,
            self.mtu,
            received,
            self.dropped_kernel,
            self.dropped_interface,
            self.captured,
            self.bytes_captured,
            self.super_frames,
            received - self.captured - self.dropped_kernel,
        )


class Ledger:
    """Rows by interface, in the order's order; files by sequence."""

    def __init__(self, interfaces: tuple[bytes, ...]) -> None:
        self._lock = threading.Lock()
        self._rows = [Row(name) for name in interfaces]
        self._files: dict[int, FileState] = {}

    def snapshot(self) -> Snapshot:
        with self._lock:
            return Snapshot(tuple(self._files.values()), tuple(row.shown() for row in self._rows))

    def forget(self, sequence: int) -> None:
        """Closed files up to `sequence` are told no more."""
        with self._lock:
            for one in [one for one in self._files.values() if one.sequence <= sequence and not one.open]:
                del self._files[one.sequence]

    def set_state(self, interface: int, state: InterfaceStateName, words: str = "") -> None:
        with self._lock:
            self._rows[interface].state, self._rows[interface].words = state, words

    def set_opened(self, interface: int, linktype: int, filter_text: str) -> None:
        with self._lock:
            row = self._rows[interface]
            row.state, row.words, row.linktype, row.filter = "up", "", linktype, filter_text
            row.started = row.started or time.time_ns()

    def set_mtu(self, interface: int, mtu: int) -> None:
        with self._lock:
            self._rows[interface].mtu = mtu

    def set_received(self, interface: int, received: int, dropped_kernel: int, dropped_interface: int) -> None:
        """Counts of one moment; those of an earlier one change nothing."""
        with self._lock:
            self._receive(self._rows[interface], received, dropped_kernel, dropped_interface)

    def _receive(self, row: Row, received: int, dropped_kernel: int, dropped_interface: int) -> None:
        row.received = max(row.received, received)
        row.dropped_kernel = max(row.dropped_kernel, dropped_kernel)
        row.dropped_interface = max(row.dropped_interface, dropped_interface)

    def begin_file(self, sequence: int, path: Path, size: int, packets_before: int) -> None:
        with self._lock:
            self._files[sequence] = FileState(sequence, path, size, 0, packets_before, True)

    def grow_file(self, sequence: int, by: int) -> None:
        """Blocks that are no packets."""
        with self._lock:
            state = self._files[sequence]
            self._files[sequence] = replace(state, size=state.size + by)

    def capture(
        self, sequence: int, size: int, interface: int, packets: int, captured_bytes: int, received: tuple[int, int, int]
    ) -> None:
        """Packets have come into a file: `size` bytes more, so many packets and captured bytes of an interface, whose counts
        were `received` (see set_received) at the last of them or later."""
        with self._lock:
            state = self._files[sequence]
            self._files[sequence] = replace(state, size=state.size + size, packets=state.packets + packets)
            row = self._rows[interface]
            row.captured += packets
            row.bytes_captured += captured_bytes
            self._receive(row, *received)

    def add_super_frames(self, interface: int, count: int) -> None:
        with self._lock:
            self._rows[interface].super_frames += count

    def close_file(self, sequence: int) -> int:
        """The file grows no more; how many packets it has."""
        with self._lock:
            closed = self._files[sequence] = replace(self._files[sequence], open=False)
            return closed.packets

    def counts(self, interface: int) -> Counts:
        """For an interface statistics block."""
        with self._lock:
            row = self._rows[interface]
            shown = row.shown()
            return Counts(row.started, shown.received, shown.dropped_kernel, shown.dropped_interface, shown.captured)

    def states(self) -> list[tuple[InterfaceStateName, str]]:
        with self._lock:
            return [(row.state, row.words) for row in self._rows]
