"""Brings written files to the disk in a thread of its own: what a machine crash may take is the last seconds."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

SYNC_SECONDS = 2.0


class Syncer:
    """fdatasync of the file that is being written every SYNC_SECONDS, and of each file when it is closed.

    failed: called with an OSError when the disk did not take what was written. It may come from this thread.
    """

    def __init__(self, folder: Path, failed: Callable[[OSError], None]) -> None:
        self._folder = folder
        self._failed = failed
        self._open: int | None = None
        self._dirty = False
        self._is_new = False
        self._closed: list[int] = []
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="live-sync", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def opened(self, fd: int) -> None:
        """A new file; it is this one's to close."""
        with self._changed:
            self._open, self._is_new = fd, True

    def wrote(self) -> None:
        """There is something to bring to the disk."""
        self._dirty = True

    def closed(self) -> None:
        """The file is whole: it is synced and closed soon."""
        with self._changed:
            if self._open is not None:
                self._closed.append(self._open)
            self._open, self._dirty = None, False
            self._changed.notify()

    def end(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def join(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._closed and not self._ended:
                    self._changed.wait(SYNC_SECONDS)
                closed, self._closed = self._closed, []
                # Of its own: the writer may have this file closed while it is synced.
                current = os.dup(self._open) if self._open is not None and self._dirty else None
                self._dirty = False
                is_new, self._is_new = self._is_new, False
                last = self._ended and not closed
            if last:
                return
            if is_new:
                self._try(self._sync_folder)
            for fd in closed:
                self._sync(fd)
            if current is not None:
                self._sync(current)

    def _sync(self, fd: int) -> None:
        self._try(lambda: os.fdatasync(fd))
        self._try(lambda: os.close(fd))

    def _sync_folder(self) -> None:
        # The name of a new file is in its folder, which has to reach the disk as well.
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as error:
            self._failed(error)
