"""Asks how many packets of a job are in the answers, over and over, on one connection."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from benchmarks.live.delays import NS, Poll
from benchmarks.live.product import Connection

EVERY = 0.04
LATE = 2.0  # so long after its end a second of the wire is to be in the answers, all of it


class Poller(threading.Thread):
    """polls: what came. seconds: of each second since 1970, the packets of it in an answer that was asked LATE after its end."""

    def __init__(self, port: int, job: int) -> None:
        super().__init__(name="poller", daemon=True)
        self.polls: list[Poll] = []
        self.seconds: dict[int, int] = {}
        self.error: Exception | None = None
        self._connection, self._job = Connection(port), job
        self._done = threading.Event()

    def run(self) -> None:
        try:
            while not self._done.wait(EVERY):
                self._count()
                self._look_back()
        except Exception as error:
            self.error = error

    def _count(self) -> None:
        asked = time.time_ns()
        (count,) = self._connection.pql(f"Count(Row(job={self._job}))")
        self.polls.append(Poll(asked, time.time_ns(), int(count)))

    def _look_back(self) -> None:
        second = int((time.time_ns() - LATE * NS) // NS) - 1
        if second not in self.seconds:
            name = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            (count,) = self._connection.pql(f'Count(Intersect(Row(job={self._job}), Row(time-second="{name}")))')
            self.seconds[second] = int(count)

    @property
    def count(self) -> int:
        """Packets in the last answer. Raises what ended the polling."""
        if self.error:
            raise self.error
        return self.polls[-1].count if self.polls else 0

    def end(self) -> None:
        """Ends it. Raises what ended it before."""
        self._done.set()
        self.join()
        if self.error:
            raise self.error
