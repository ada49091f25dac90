"""What Postgres said a moment ago, for questions that come by the thousand."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values that are believed for `seconds` after they were asked for; at most `most` of them. Thread-safe."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K, ask: Callable[[], V], keep: Callable[[V], bool] = lambda _: True) -> V:
        """The value of a key: what is kept, or what `ask` says now, kept if `keep` says so."""
        found = self._kept.get(key)
        # The time is that before the question: what changed while it was asked is not believed any longer.
        now = time.monotonic()
        if found is not None and now - found[0] < self._seconds:
            return found[1]
        value = ask()
        with self._lock:
            self._kept.pop(key, None)
            if keep(value):
                self._kept[key] = now, value
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forgets all."""
        with self._lock:
            self._kept.clear()
