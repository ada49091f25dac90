"""How long a query may take and how much memory it may hold: a limit per query, looked at between its steps.

Who asks sets it (`within`), who answers looks at it (`current`). The time is looked at between shards, parts and groups, each of
which is milliseconds; memory is what a query's own arrays and results take, as the engine adds it up before it takes it.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from indexing.calls import QueryError

SECONDS_SETTING, MEMORY_SETTING = "PICAPWEB_QUERY_SECONDS", "PICAPWEB_QUERY_MEMORY"
SECONDS, MEMORY = 30.0, 512 << 20  # what these are if not set
TIME_STATUS, MEMORY_STATUS = 504, 413

# What a result's objects take in Python, about: a Pair, a GroupCount and each row in it, an id in a list.
PAIR_BYTES, GROUP_BYTES, GROUP_ROW_BYTES, ID_BYTES = 160, 260, 110, 40


class LimitExceeded(QueryError):
    """A query that was ended: status 504 if it took too long, 413 if it needs too much memory. It names limit and setting."""


class Budget:
    """What one query may still take. Not for several threads at once."""

    def __init__(self, seconds: float | None, memory: int | None) -> None:
        """seconds, from now; memory in bytes; None: no limit."""
        self.seconds, self.memory = seconds, memory
        self._end = None if seconds is None else time.monotonic() + seconds
        self.held = 0
        self._sizes: dict[int, int] = {}
        self.known: dict[Hashable, Any] = {}  # what was worked out for this query and may be asked again for it

    def left(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raises LimitExceeded when the time is over."""
        if self._end is not None and time.monotonic() >= self._end:
            raise self.too_long()

    def too_long(self) -> LimitExceeded:
        """What to raise when the time is over."""
        text = f"the query took longer than {self.seconds:g} s and was ended ({SECONDS_SETTING})"
        return LimitExceeded(text, status=TIME_STATUS)

    def take(self, size: int, what: str) -> None:
        """Adds up `size` bytes that the query is about to hold. Raises LimitExceeded if that is too much, naming `what`."""
        held = self.held + size
        if self.memory is not None and held > self.memory:
            raise LimitExceeded(
                f"the query was ended: it needs {_size(held)} of memory or more, for {what}, and may hold {_size(self.memory)} "
                f"({MEMORY_SETTING})",
                status=MEMORY_STATUS,
            )
        self.held = held

    def hold(self, whose: object, size: int, what: str) -> None:
        """Something that grows is `size` bytes now, all of it: what it was before is not added to that. Raises LimitExceeded."""
        before = self._sizes.get(id(whose), 0)
        self.take(size - before, what)
        self._sizes[id(whose)] = size

    def free(self, size: int) -> None:
        """The query holds so many bytes less."""
        self.held -= size


_budget: ContextVar[Budget | None] = ContextVar("query_budget", default=None)


def current() -> Budget:
    """The budget of what is being asked; one without limits if nobody set any."""
    budget = _budget.get()
    return Budget(None, None) if budget is None else budget


@contextmanager
def within(seconds: float | None = SECONDS, memory: int | None = MEMORY) -> Iterator[Budget]:
    """Limits what is asked of a backend within the `with`, all of it together; within another, the outer one holds."""
    outer = _budget.get()
    if outer is not None:
        yield outer
        return
    budget = Budget(seconds, memory)
    token = _budget.set(budget)
    try:
        yield budget
    finally:
        _budget.reset(token)


def _size(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB" if size >= 1 << 20 else f"{size} bytes"
