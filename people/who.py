"""Who acts now: set for each request by picapweb.middleware.signed_in, read by whatever depends on it.

What runs outside of a request (workers, commands) acts for the system, which may and sees everything.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from people.models import Role

RANK = {"": 0, Role.VIEWER: 1, Role.OPERATOR: 2, Role.ADMIN: 3}


@dataclass(frozen=True)
class Who:
    """user: its number; None for nobody in particular. role: "" may nothing. writes: False for a read-only token.

    known: what was worked out for this one request."""

    user: int | None
    name: str
    role: str
    writes: bool
    via: str
    address: str = ""
    request: str = ""
    known: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def is_at_least(self, role: str) -> bool:
        return RANK[self.role] >= RANK[role]

    @property
    def sees_all(self) -> bool:
        """Whether every job and packet is theirs to see."""
        return self.role == Role.ADMIN


def system() -> Who:
    """Workers and commands."""
    return Who(None, "system", Role.ADMIN, True, "system")


_SYSTEM = system()
_who: ContextVar[Who] = ContextVar("who", default=_SYSTEM)


def current() -> Who:
    return _who.get()


@contextmanager
def acting(who: Who) -> Iterator[Who]:
    """Within the `with`, it is they who act."""
    token = _who.set(who)
    try:
        yield who
    finally:
        _who.reset(token)


class Streamed:
    """Pieces of an answer, each made with `who` acting: they are made after the request's own call has returned."""

    def __init__(self, who: Who, pieces: Iterable[bytes]) -> None:
        self._who, self._pieces = who, iter(pieces)

    def __iter__(self) -> Streamed:
        return self

    def __next__(self) -> bytes:
        with acting(self._who):
            return next(self._pieces)

    def close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if close is not None:
            with acting(self._who):
                close()
