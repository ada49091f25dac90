"""Locators that were read lately, by path, up to so many bytes of them: batches are of some packets or of a million."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray


class LocatorCache:
    """A path is written once, so what is kept of it cannot become wrong. Threads may share one.

    most: bytes of all kept locators; one that is larger than that alone is handed out and not kept."""

    def __init__(self, read: Callable[[str], NDArray[Any]], most: int) -> None:
        self._read, self._most = read, most
        self._kept: OrderedDict[str, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0

    def clear(self) -> None:
        """Forgets all of them."""
        with self._lock:
            self._kept.clear()
            self.bytes = 0

    def __call__(self, path: str) -> NDArray[Any]:
        """The locator at `path`. Raises what reading it raises."""
        with self._lock:
            found = self._kept.get(path)
            if found is not None:
                self._kept.move_to_end(path)
                return found
        found = self._read(path)  # without the lock: others need not wait for the disk
        with self._lock:
            if path not in self._kept and found.nbytes <= self._most:
                self._kept[path] = found
                self.bytes += found.nbytes
            while self.bytes > self._most:
                _, oldest = self._kept.popitem(last=False)
                self.bytes -= oldest.nbytes
        return found
