"""Several requests on their way at a time: while Pilosa works on one, the next is made ready."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any

# Pilosa works on eight imports at a time; more of ours would only hold memory.
_AT_ONCE = 6


class Flights:
    """The threads of a process that send. They are made when first needed, and anew after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._pool: ThreadPoolExecutor | None = None

    def begin(self) -> Flight:
        """Requests that belong together."""
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                self._pool, self._pid = ThreadPoolExecutor(_AT_ONCE, "pilosa-import"), os.getpid()
            return Flight(self._pool)

    def close(self) -> None:
        """Ends the threads."""
        with self._lock:
            if self._pool is not None and self._pid == os.getpid():
                self._pool.shutdown(wait=False)
            self._pool = None


class Flight:
    """Sends, and waits for what was sent. Leaving it by an exception waits, too: nothing is on its way afterwards."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._under_way: set[Future[Any]] = set()

    def send(self, do: Callable[..., Any], *args: Any) -> None:
        """Begins; waits first if much is on its way. Raises what an earlier one has raised."""
        if len(self._under_way) >= 2 * _AT_ONCE:
            done, self._under_way = wait(self._under_way, return_when="FIRST_COMPLETED")
            for one in done:
                one.result()
        self._under_way.add(self._pool.submit(do, *args))

    def land(self) -> None:
        """Waits for all that are on their way. Raises what one of them has raised."""
        done, left = wait(self._under_way, return_when=FIRST_EXCEPTION)
        for one in done:
            one.result()
        assert not left
        self._under_way = set()

    def __enter__(self) -> Flight:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for one in self._under_way:
            one.cancel()
        wait(self._under_way)
