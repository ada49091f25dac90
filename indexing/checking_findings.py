"""What a check finds, and how it looks twice: an index at work changes while it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

# A check waits so long for imports in flight; longer, and somebody else's transaction hangs.
PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be. what: a short name of its kind; where: index, job, batch, field, shard as far as
    there are any. repaired: it was, and is gone."""

    what: str
    words: str
    where: dict[str, Any] = field(default_factory=dict)
    repaired: bool = False

    def __str__(self) -> str:
        where = ", ".join(f"{name} {value}" for name, value in self.where.items())
        return f"{self.what}: {where}: {self.words}" + (" (repaired)" if self.repaired else "")

    def json(self) -> dict[str, Any]:
        """For machines."""
        return {"what": self.what, **self.where, "words": self.words, "repaired": self.repaired}


Findings = Iterator[Finding]


@contextmanager
def settled() -> Iterator[None]:
    """A moment in which no batch comes, changes or goes: imports in flight are waited for, others wait. Reads go on.

    Between the commit of the store and that of a batch's row, only this tells a batch that is arriving from one that nobody
    knows: an import holds a lock of a row, and so one of the table, from before the first to after the second."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS}s'")
            cursor.execute("LOCK TABLE indexing_batch IN EXCLUSIVE MODE")
        yield


def agreed(look: Callable[[], list[Finding]]) -> list[Finding]:
    """What `look` finds, and finds again in a settled moment (only if there was something: nobody waits for a clean index)."""
    if not look():
        return []
    with settled():
        return look()
