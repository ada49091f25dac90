"""The ring files: whole blocks go in, each file stands alone, and what is told of a file is in it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from capture.packets.live.blocks import Description, interface_description, interface_statistics, section_header
from capture.packets.live.chunks import Chunk
from capture.packets.live.ledger import Ledger
from capture.packets.live.shape import WALK_AT, WALK_BYTES, WALK_LENGTH, WALK_PACKETS
from capture.packets.live.syncing import Syncer
from capture.packets.live.walk import walk_blocks

# Of one write(2): measured, larger ones cost up to half as much again, smaller ones more calls.
WRITE_BYTES = 256 << 10
NAME = "live-%06d.pcapng"


class RingFiles:
    """Writes chunks to one file after the other. One thread's.

    Raises OSError where the disk takes no more: then the file ends at its last whole block, and so does what is told of it.
    """

    def __init__(
        self,
        folder: Path,
        file_bytes: int,
        first_sequence: int,
        packets_before: int,
        application: str,
        ledger: Ledger,
        syncer: Syncer,
    ) -> None:
        self._folder, self._file_bytes = folder, file_bytes
        self._sequence = first_sequence - 1
        self._packets_before = packets_before
        self._header = section_header(application)
        self._ledger, self._syncer = ledger, syncer
        self._descriptions: list[tuple[int, bytes]] = []  # (interface of the ledger, block), by id within a section
        self._told: dict[int, object] = {}  # counts in the last statistics block, by interface
        self._fd = -1
        self._size = 0
        self._walked = np.zeros(WALK_LENGTH, np.int64)

    def describe(self, interface: int, description: Description) -> None:
        """Packets of the interface carry the next id from now on."""
        block = interface_description(description)
        self._descriptions.append((interface, block))
        if self._fd < 0:
            self._begin()
        else:
            self._write_other(block)

    def write(self, chunk: Chunk) -> None:
        """All blocks of a chunk; a file that is full meanwhile is closed, and the next one begun."""
        at = packets = captured = 0
        counts = (chunk.received, chunk.dropped_kernel, chunk.dropped_interface)
        while at < chunk.used:
            if self._fd < 0:
                self._begin()
            end, more, more_bytes = chunk.used, chunk.packets - packets, chunk.bytes - captured
            if chunk.used - at > self._file_bytes - self._size:
                end, more, more_bytes = self._walk(chunk, at, chunk.used, max(1, self._file_bytes - self._size))
            self._write(chunk, at, end, more, more_bytes, counts)
            at, packets, captured = end, packets + more, captured + more_bytes
            if self._size >= self._file_bytes:
                self.close()
        self._ledger.add_super_frames(chunk.interface, chunk.super_frames)

    def tell_counts(self) -> None:
        """A statistics block of each interface whose counts are not those of the last one."""
        if self._fd < 0:
            return
        now, blocks = time.time_ns(), b""
        # An interface that was described anew, since its link type had changed, is counted where its packets are now.
        for interface, number in {interface: number for number, (interface, _) in enumerate(self._descriptions)}.items():
            counts = self._ledger.counts(interface)
            if self._told.get(interface) != counts:
                blocks += interface_statistics(number, now, counts)
                self._told[interface] = counts
        if blocks:
            self._write_other(blocks)

    def close(self) -> None:
        """Ends the current file, if there is one."""
        if self._fd < 0:
            return
        self._told.clear()  # at the end of a file all interfaces are counted
        try:
            self.tell_counts()
        finally:
            self._packets_before += self._ledger.close_file(self._sequence)
            self._told.clear()
            self._fd = -1
            self._syncer.closed()

    def _begin(self) -> None:
        header = self._header + b"".join(block for _, block in self._descriptions)
        path = self._folder / (NAME % (self._sequence + 1))
        # Never over a file that is there: it may hold packets that somebody knows.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._sequence, self._fd, self._size = self._sequence + 1, fd, 0
        self._syncer.opened(fd)
        self._ledger.begin_file(self._sequence, path, 0, self._packets_before)
        self._write_other(header)

    def _write_other(self, blocks: bytes) -> None:
        """Blocks that are no packets: all of them, or nothing."""
        try:
            self._append(memoryview(blocks))
        except OSError:
            self._cut()
            raise
        self._size += len(blocks)
        self._ledger.grow_file(self._sequence, len(blocks))

    def _write(self, chunk: Chunk, at: int, end: int, packets: int, captured: int, counts: tuple[int, int, int]) -> None:
        done = [0]
        try:
            self._append(chunk.buffer.data[at:end], done)
        except OSError:
            # What the disk still took, as far as it is whole blocks, is captured.
            whole, packets, captured = self._walk(chunk, at, at + done[0], chunk.used)
            self._size += whole - at
            self._cut()
            self._ledger.capture(self._sequence, whole - at, chunk.interface, packets, captured, counts)
            raise
        self._size += end - at
        self._ledger.capture(self._sequence, end - at, chunk.interface, packets, captured, counts)

    def _append(self, data: memoryview, done: list[int] | None = None) -> None:
        """done: set to how many bytes were written, also when OSError is raised."""
        at = 0
        while at < len(data):
            at += os.write(self._fd, data[at : at + WRITE_BYTES])
            if done is not None:
                done[0] = at
        self._syncer.wrote()

    def _cut(self) -> None:
        os.ftruncate(self._fd, self._size)
        os.lseek(self._fd, self._size, os.SEEK_SET)

    def _walk(self, chunk: Chunk, at: int, end: int, most: int) -> tuple[int, int, int]:
        walk_blocks(chunk.buffer, at, end, most, self._walked)
        return int(self._walked[WALK_AT]), int(self._walked[WALK_PACKETS]), int(self._walked[WALK_BYTES])
