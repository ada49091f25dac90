"""The one thread of a recorder that writes: chunks in the order in which readers hand them over."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from capture.packets.live.blocks import Description
from capture.packets.live.chunks import Chunk, ChunkPool
from capture.packets.live.ring_files import RingFiles

STATISTICS_SECONDS = 5.0


class Writer:
    """failed: called with what the disk said (or an error that nobody foresaw) when nothing more can be written; what is handed
    over from then on is lost, and told as unread."""

    def __init__(self, files: RingFiles, pool: ChunkPool, failed: Callable[[Exception], None]) -> None:
        self._files, self._pool, self._failed_with = files, pool, failed
        self._waiting: queue.SimpleQueue[Chunk | tuple[int, Description] | None] = queue.SimpleQueue()
        self._ids = 0
        self._describing = threading.Lock()
        self._has_failed = False
        self._thread = threading.Thread(target=self._run, name="live-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def describe(self, interface: int, description: Description) -> int:
        """The id that the interface's packets carry from now on, in all files."""
        with self._describing:
            self._waiting.put((interface, description))
            self._ids += 1
            return self._ids - 1

    def hand_over(self, chunk: Chunk) -> None:
        """The chunk is the writer's now."""
        self._waiting.put(chunk)

    def end(self) -> None:
        """When all that was handed over is written, the file is closed. Returns then."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        told = time.monotonic()
        while True:
            try:
                item = self._waiting.get(timeout=max(0.0, told + STATISTICS_SECONDS - time.monotonic()))
            except queue.Empty:
                told = time.monotonic()
                self._try(self._files.tell_counts)
                continue
            if item is None:
                # A file that the disk refused is closed, too: what is in it is whole.
                self._has_failed = False
                self._try(self._files.close)
                return
            self._take(item)
            if time.monotonic() - told >= STATISTICS_SECONDS:
                told = time.monotonic()
                self._try(self._files.tell_counts)

    def _take(self, item: Chunk | tuple[int, Description]) -> None:
        if isinstance(item, Chunk):
            self._try(lambda: self._files.write(item))
            self._pool.give(item)
        else:
            self._try(lambda: self._files.describe(*item))

    def _try(self, act: Callable[[], None]) -> None:
        if self._has_failed:
            return
        try:
            act()
        except Exception as error:
            self._has_failed = True
            self._failed_with(error)
