"""Everything on one machine in the foreground: starts the parts, restarts a dead one and says why, ends all of them."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management import call_command

from picapweb import environment, processes
from picapweb.embedded import postgres, privilege
from picapweb.embedded.child import Child, NotReady, Service
from picapweb.embedded.data import DataFolder, DataFolderError
from picapweb.embedded.services import embedded_services

READY_SECONDS = 60.0
POLL_SECONDS = 0.2
# A child that keeps dying is started again after 0.5, 1, 2 ... seconds; one that lived this long starts anew at 0.5.
FIRST_BACK_OFF, LONGEST_BACK_OFF, STEADY_SECONDS = 0.5, 30.0, 60.0
LOG_LINES = 5


class CannotStart(Exception):
    """Why not, in a sentence."""


@dataclass
class _Watched:
    service: Service
    child: Child | None = None
    started: float = 0.0
    back_off: float = FIRST_BACK_OFF
    again_at: float = 0.0


def say(text: str) -> None:
    """A line on the terminal."""
    print(text, flush=True)


class Supervisor:
    """The parts of one machine on one data folder.

    host, port: where the web server listens. workers: processes that index.
    Embedded Postgres and Valkey are started unless DATABASE_URL and BROKER_URL name others.
    """

    def __init__(self, data: Path, *, host: str = "127.0.0.1", port: int = 11000, workers: int = 2) -> None:
        self.data = DataFolder(data)
        self.host, self.port, self.workers = host, port, workers
        self._watched: list[_Watched] = []
        self._stop = threading.Event()

    def run(self, when_ready: Callable[[], int | None] | None = None, *, end: bool = False) -> int:
        """Starts everything, calls `when_ready` in a thread, watches until SIGINT or SIGTERM (or, with `end`, until
        `when_ready` is through), and ends every child. Call it from the main thread.

        The exit status: 0, or with `end` what `when_ready` gave. Raises CannotStart; nothing is left running then.
        """
        handlers = {one: signal.signal(one, self._asked_to_stop) for one in (signal.SIGINT, signal.SIGTERM)}
        status: list[int] = []

        def serve() -> None:
            try:
                status.append((when_ready() if when_ready else 0) or 0)
            except Exception as error:  # noqa: BLE001 - the server goes on without it, unless it was all there was to do
                say(f"failed: {error}")
                status.append(1)
            if end:
                self._stop.set()

        try:
            self._start()
            if not self._stop.is_set():
                threading.Thread(target=serve, daemon=True).start()
            while not self._stop.wait(POLL_SECONDS):
                self._watch()
        finally:
            self._end()
            for one, handler in handlers.items():
                signal.signal(one, handler)
        return status[0] if end and status else int(end)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _start(self) -> None:
        try:
            self.data.create()
            self.data.lock()
            self._check_port()
            if self.data.run_is_elsewhere:
                say(f"sockets: {self.data.run} (the data folder's own path is too long for them)")
            mode = privilege.choose(self.data)
            database = environment.raw("DATABASE_URL") is None
            broker = environment.raw("BROKER_URL") is None
            for service in embedded_services(self.data, database=database, broker=broker, mode=mode):
                self._start_one(service, wait=True)
            if database:
                postgres.create_database(self.data)
            call_command("migrate", interactive=False, verbosity=0)
            env = self._environment()
            self._start_one(processes.web(self.host, self.port, env), wait=False)
            self._start_one(processes.worker(self.workers, env), wait=False)
            self._start_one(processes.beat(env), wait=False)
            self._wait_ready(self._watched[-3])
        except (DataFolderError, postgres.PostgresError, NotReady, OSError) as error:
            raise CannotStart(str(error)) from error

    def _environment(self) -> dict[str, str]:
        return {"PICAPWEB_DATA": str(self.data.root), "PICAPWEB_PORT": str(self.port), "PICAPWEB_WORKERS": str(self.workers)}

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise CannotStart(f"port {self.port} of {self.host} cannot be had: {error.strerror}; choose another with --port") from error

    def _start_one(self, service: Service, *, wait: bool) -> None:
        watched = _Watched(service)
        self._watched.append(watched)
        self._launch(watched)
        if wait:
            self._wait_ready(watched)

    def _launch(self, watched: _Watched) -> None:
        with self._log(watched.service.name).open("ab") as output:
            watched.child, watched.started = Child(watched.service, output), time.monotonic()

    def _wait_ready(self, watched: _Watched) -> None:
        assert watched.child is not None
        until = time.monotonic() + READY_SECONDS
        while not self._stop.is_set() and not watched.child.is_ready():
            reason = watched.child.exit_reason()
            if reason is not None or time.monotonic() > until:
                said = reason or f"was not ready after {READY_SECONDS:.0f} s"
                raise NotReady(f"{watched.service.name} {said}; its last words: {self._last_words(watched)}")
            time.sleep(0.02)

    def _watch(self) -> None:
        now = time.monotonic()
        for watched in self._watched:
            if watched.child is not None:
                reason = watched.child.exit_reason()
                if reason is None:
                    continue
                watched.child.kill()
                watched.child = None
                if now - watched.started > STEADY_SECONDS:
                    watched.back_off = FIRST_BACK_OFF
                watched.again_at = now + watched.back_off
                say(f"{watched.service.name} {reason}; it is started again in {watched.back_off:g} s. {self._last_words(watched)}")
                watched.back_off = min(watched.back_off * 2, LONGEST_BACK_OFF)
            elif now >= watched.again_at:
                try:
                    self._launch(watched)
                except (OSError, postgres.PostgresError) as error:
                    watched.again_at = now + watched.back_off
                    say(f"{watched.service.name} cannot be started: {error}")

    def _end(self) -> None:
        for watched in reversed(self._watched):
            if watched.child is not None:
                watched.child.stop()
                watched.child = None
        self._watched.clear()
        self.data.unlock()

    def _log(self, name: str) -> Path:
        return self.data.log / f"{name}.log"

    def _last_words(self, watched: _Watched) -> str:
        try:
            with self._log(watched.service.name).open("rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - 4096))
                lines = file.read().decode(errors="replace").strip().splitlines()[-LOG_LINES:]
        except OSError:
            lines = []
        return " / ".join(line.strip() for line in lines) or "It said nothing."


def run_or_exit(supervisor: Supervisor, when_ready: Callable[[], int | None] | None = None, **options: Any) -> None:
    """`run` for a command: a supervisor that cannot start is a message and exit status 1."""
    try:
        sys.exit(supervisor.run(when_ready, **options))
    except CannotStart as error:
        print(f"cannot start: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
