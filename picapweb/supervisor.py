"""One small process table: starts services in order, restarts the ones that die, ends them all in reverse order.

All children are started, watched and ended by one thread, which lives as long as they are to live: the kernel's "your
parent died" signal counts threads (embedded/launch.py). The caller's thread is free, and is the one that gets signals.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO

from picapweb import logs
from picapweb.embedded.child import Child, NotReady, Service

# Of each service. One that ends is noticed at once: this is for one that hangs, and a busy machine may be slow with all of them.
START_SECONDS = 180.0
TICK_SECONDS = 0.1
# A child that dies is started again after so long; twice as long each time, unless it has run for STEADY_SECONDS meanwhile.
FIRST_RESTART_SECONDS = 0.2
LAST_RESTART_SECONDS = 30.0
STEADY_SECONDS = 60.0


@dataclass
class Row:
    """A service and what became of it. ``child`` is None between its death and its restart at ``restart_at``."""

    service: Service
    child: Child | None = None
    started: float = 0.0
    restart_at: float = 0.0
    pause: float = FIRST_RESTART_SECONDS
    returning: bool = False


to_stderr = logs.of_up


class Supervisor:
    """Runs ``plan``: an iterable of services in order of start. The next one is asked for when the one before serves, so
    that a generator can do things in between (migrate once Postgres is there). ``echo`` gets every line there is to say:
    the children's, with their name in front, and the supervisor's own.
    """

    def __init__(self, plan: Iterable[Service], echo: Callable[[str], None] = to_stderr) -> None:
        self._plan = plan
        self._echo = echo
        self._rows: list[Row] = []
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._ended = threading.Event()
        self._hurry = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def start(self) -> None:
        """Start everything; returns when the last service serves. Raises what went wrong, everything ended again."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """End every child, the last started first. Returns when none is left. May be called twice, and before ``start``."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def hurry(self) -> None:
        """What is being ended is not waited for any more, but killed. May be called by a signal's handler."""
        self._hurry.set()

    def wait(self) -> None:
        """Wait until it has ended. Raises what ended it, unless it was ``stop``."""
        self._ended.wait()
        if self._error is not None:
            raise self._error

    def pids(self) -> dict[str, int]:
        """The process id of each service that runs now."""
        return {row.service.name: row.child.pid for row in list(self._rows) if row.child is not None}

    # Everything below runs in the supervisor's thread.

    def _run(self) -> None:
        try:
            for service in self._plan:
                if self._stopping.is_set():
                    break
                self._rows.append(row := Row(service))
                self._launch(row)
                self._wait_ready(row)
            self._started.set()
            while not self._stopping.wait(TICK_SECONDS):
                for row in self._rows:
                    self._watch(row)
        except Exception as error:
            self._error = error
        finally:
            for row in reversed(self._rows):
                if row.child is not None:
                    row.child.stop(self._hurry)
            self._ended.set()
            self._started.set()

    def _launch(self, row: Row) -> None:
        row.child = Child(row.service)
        row.started = time.monotonic()
        if row.child.output is not None:
            threading.Thread(target=self._relay, args=(row.service.name, row.child.output), daemon=True).start()

    def _wait_ready(self, row: Row) -> None:
        end = time.monotonic() + START_SECONDS
        assert row.child is not None
        while not row.child.is_ready() and not self._stopping.is_set():
            if (reason := row.child.exit_reason()) is not None:
                raise NotReady(f"{row.service.name} {reason} before it served")
            if time.monotonic() > end:
                raise NotReady(f"{row.service.name} did not serve within {START_SECONDS:.0f} s")
            for earlier in self._rows[:-1]:
                self._watch(earlier)
            time.sleep(0.02)

    def _watch(self, row: Row) -> None:
        """Notice a death, start again when it is time, and say when it serves again."""
        now = time.monotonic()
        if row.child is None:
            if now >= row.restart_at:
                self._restart(row)
        elif (reason := row.child.exit_reason()) is not None:
            # What it started itself must not go on without it, least of all beside its successor.
            row.child.kill()
            row.child = None
            if now - row.started > STEADY_SECONDS:
                row.pause = FIRST_RESTART_SECONDS
            self._schedule(row, f"{row.service.name} {reason}")
        elif row.returning and row.child.is_ready():
            row.returning = False
            self._echo(f"up: {row.service.name} is back (process {row.child.pid})")

    def _restart(self, row: Row) -> None:
        try:
            self._launch(row)
            row.returning = True
        except Exception as error:
            self._schedule(row, f"{row.service.name} cannot be started: {error}")

    def _schedule(self, row: Row, why: str) -> None:
        self._echo(f"up: {why}; it is started again in {row.pause:.1f} s")
        row.restart_at = time.monotonic() + row.pause
        row.pause = min(row.pause * 2, LAST_RESTART_SECONDS)

    def _relay(self, name: str, output: IO[bytes]) -> None:
        with output:
            for line in output:
                if text := line.decode("utf-8", "replace").rstrip():
                    self._echo(logs.of_child(name, text))
