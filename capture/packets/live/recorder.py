"""A recorder: one live capture, from interfaces into ring files. Several may run in one process."""

from __future__ import annotations

import errno
import os
import threading
import time

import numpy as np

from capture.packets.live import shape
from capture.packets.live.chunks import ChunkPool
from capture.packets.live.ledger import Ledger
from capture.packets.live.order import End, EndKind, FileState, InterfaceState, RecorderOrder, Snapshot
from capture.packets.live.syncing import Syncer

__all__ = ["End", "FileState", "InterfaceState", "Recorder", "RecorderOrder", "Snapshot"]

KEEP_SECONDS = 0.05
DISK_SECONDS = 0.5
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Recorder:
    """Threads: one per interface that reads, one that writes, one that syncs, and one that keeps the stop rules."""

    def __init__(self, order: RecorderOrder) -> None:
        # Compiled parts: only who captures waits for them, not who reads what a recorder says.
        from capture.packets.live.reader import Reader
        from capture.packets.live.ring_files import RingFiles
        from capture.packets.live.writer import Writer

        self.order = order
        self._ledger = Ledger(order.interfaces)
        self._stopping = threading.Event()
        self._end: End | None = None  # the first reason
        self._ended: End | None = None  # the same, when all is written
        self._deciding = threading.Lock()
        self._syncer = Syncer(order.folder, self._disk_failed)
        files = RingFiles(
            order.folder,
            max(1, order.file_bytes),
            order.first_sequence,
            order.packets_before,
            order.application,
            self._ledger,
            self._syncer,
        )
        pool = ChunkPool(order.snaplen)
        self._writer = Writer(files, pool, self._cannot_write)
        budget = None
        if order.max_packets or order.max_bytes:
            budget = np.zeros(shape.BUDGET_LENGTH, np.int64)
            budget[shape.BUDGET_PACKETS], budget[shape.BUDGET_BYTES] = order.packets_before, order.bytes_before
            budget[shape.MOST_PACKETS] = order.max_packets or shape.NEVER
            budget[shape.MOST_BYTES] = order.max_bytes or shape.NEVER
        self._readers = [
            Reader(order, number, self._ledger, pool, self._writer, budget, self._stopping, self._reached, self._broke)
            for number in range(len(order.interfaces))
        ]
        self._began = 0.0
        self._disk_looked_at = 0.0
        self._keeper = threading.Thread(target=self._keep, name="live-keeper", daemon=True)

    def start(self) -> None:
        """Begins to capture, and returns at once. What an interface has against it stands in the snapshot."""
        self._began = time.monotonic()
        self._keeper.start()

    def stop(self) -> None:
        """Asks for the end; returns at once. What the kernel has captured until now is written."""
        self._finish("stopped", "stopped")

    def join(self, seconds: float) -> bool:
        """Waits for the end, and for all that was written to be on the disk. Whether that came to pass."""
        until = time.monotonic() + seconds
        self._keeper.join(seconds)
        return not self._keeper.is_alive() and self._syncer.join(max(0.0, until - time.monotonic()))

    @property
    def ended(self) -> End | None:
        """Why it ended, once everything is written and the last file closed."""
        return self._ended

    def snapshot(self) -> Snapshot:
        """What is captured by now."""
        return self._ledger.snapshot()

    def forget(self, sequence: int) -> None:
        """Closed files up to `sequence` are left out of snapshots from now on."""
        self._ledger.forget(sequence)

    # -- called by its threads

    def _finish(self, kind: EndKind, words: str) -> None:
        with self._deciding:
            self._end = self._end or End(kind, words)
        self._stopping.set()

    def _reached(self, rule: int) -> None:
        if rule == shape.PACKET_RULE:
            self._finish("packets", f"{self.order.max_packets} packets are captured, as many as were asked for")
        else:
            self._finish("bytes", f"{self.order.max_bytes} bytes are captured, as many as were asked for")

    def _disk_failed(self, error: OSError) -> None:
        full = error.errno in _FULL
        self._finish("disk" if full else "error", f"the capture cannot be written: {error.strerror or error}")

    def _cannot_write(self, error: Exception) -> None:
        if isinstance(error, OSError):
            self._disk_failed(error)
        else:
            self._broke(error)

    def _broke(self, error: Exception) -> None:
        self._finish("error", f"{type(error).__name__}: {error}")

    # -- the keeper's

    def _keep(self) -> None:
        self._syncer.start()
        self._writer.start()
        self._keep_rules()  # before the first packet: an earlier recorder may have reached them
        if not self._stopping.is_set():
            for reader in self._readers:
                reader.start()
        while not self._stopping.wait(KEEP_SECONDS):
            self._keep_rules()
            if not any(reader.is_alive() for reader in self._readers):
                self._interfaces_ended()
        for reader in self._readers:
            if reader.is_alive():
                reader.join()
        self._writer.end()
        self._syncer.end()
        self._ended = self._end

    def _keep_rules(self) -> None:
        order = self.order
        if order.max_packets and order.packets_before >= order.max_packets:
            self._reached(shape.PACKET_RULE)
        elif order.max_bytes and order.bytes_before >= order.max_bytes:
            self._reached(shape.BYTE_RULE)
        now = time.monotonic()
        if order.max_seconds and order.seconds_before + now - self._began >= order.max_seconds:
            self._finish("seconds", f"{order.max_seconds:g} seconds have passed, as many as were asked for")
        if order.min_free_bytes and now - self._disk_looked_at >= DISK_SECONDS:
            self._disk_looked_at = now
            self._look_at_disk()

    def _look_at_disk(self) -> None:
        try:
            found = os.statvfs(self.order.folder)
        except OSError as error:
            self._disk_failed(error)
            return
        free = found.f_bavail * found.f_frsize
        if free < self.order.min_free_bytes:
            self._finish(
                "disk", f"the disk has {free} bytes free, fewer than {self.order.min_free_bytes}, which are left to others"
            )

    def _interfaces_ended(self) -> None:
        states = self._ledger.states()
        words = "; ".join(dict.fromkeys(words for _, words in states if words))
        if all(state == "refused" for state, _ in states):
            self._finish("error", words)
        else:
            self._finish("gone", words or "all interfaces are gone")
