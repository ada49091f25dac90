"""One child process: how it is started, asked for readiness, and ended with everything that it started itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from picapweb.embedded import launch

LAUNCHER = Path(launch.__file__)
SAME_USER = "same"
CAPTURE = "capture"


@dataclass(frozen=True)
class Service:
    """A row of the process table.

    mode:         as whom it runs (embedded/launch.py)
    prepare:      called before each start: clears away what a killed predecessor left
    probe:        True once it serves; may be called often, must be quick, raises nothing
    stop_signal:  asks it to end; after ``stop_seconds`` it is killed
    log:          the file that its output goes to; None: its output is the supervisor's to tell
    parent_death: what the kernel sends it when we are killed
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    mode: str = SAME_USER
    prepare: Callable[[], None] | None = None
    probe: Callable[[], bool] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    parent_death: signal.Signals = signal.SIGKILL
    cwd: Path | None = None
    log: Path | None = None


# A log that has grown past this is begun anew when its service starts; the old one is kept beside it.
LOG_BYTES = 10_000_000


class NotReady(Exception):
    """A service ended before it served, or did not serve in time; the text says which and why."""


def launcher(argv: Sequence[str], *, mode: str = SAME_USER, parent_death: signal.Signals = signal.SIGKILL) -> list[str]:
    """The command line that starts ``argv`` as a child of this process through embedded/launch.py."""
    return [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(parent_death)), mode, *argv]


class Child:
    """A started service. It leads a process group of its own, so that the terminal's Ctrl-C reaches only us."""

    def __init__(self, service: Service) -> None:
        """Starts it; its output goes to its log, or comes from ``output``. Start it from a thread that lives on."""
        self.service = service
        if service.prepare is not None:
            service.prepare()
        with _open_log(service.log) if service.log else nullcontext() as log:
            self.process = subprocess.Popen(
                launcher(service.argv, mode=service.mode, parent_death=service.parent_death),
                env={**os.environ, **service.env},
                cwd=service.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log or subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> IO[bytes] | None:
        """Its output, where that does not go to a log."""
        return self.process.stdout

    def exit_reason(self) -> str | None:
        """Why it ended, in words, with its log's last lines if it ended by itself; None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        words = [describe_exit(code)]
        if code > 0 and self.service.log is not None:
            words += self.service.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        return " / ".join(words)

    def is_ready(self) -> bool:
        return self.exit_reason() is None and (self.service.probe is None or self.service.probe())

    def wait_ready(self, seconds: float) -> None:
        """Wait until it serves. Raises NotReady if it ends before, or takes longer than ``seconds``."""
        end = time.monotonic() + seconds
        while not self.is_ready():
            if (reason := self.exit_reason()) is not None:
                raise NotReady(f"{self.service.name} {reason} before it was ready")
            if time.monotonic() > end:
                raise NotReady(f"{self.service.name} was not ready after {seconds:.0f} s")
            time.sleep(0.02)

    def ask_to_stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(self.service.stop_signal)

    def stop(self, hurry: threading.Event | None = None) -> None:
        """Ask it to end, wait, then kill whatever is left of it and of the processes that it started.

        hurry: once it is set, nothing is waited for any more."""
        family = _descendants(self.pid)
        self.ask_to_stop()
        end = time.monotonic() + self.service.stop_seconds
        while time.monotonic() < end and not (hurry is not None and hurry.is_set()):
            try:
                self.process.wait(0.1)
                break
            except subprocess.TimeoutExpired:
                continue
        self.kill(family)

    def kill(self, family: Sequence[psutil.Process] = ()) -> None:
        """Kill it, its process group, and ``family``: descendants that may have left the group (Postgres' own do)."""
        for process in (*family, *_descendants(self.pid)):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.process.wait()


def _open_log(file: Path) -> IO[bytes]:
    if file.exists() and file.stat().st_size > LOG_BYTES:
        file.replace(file.with_name(file.name + ".old"))
    return file.open("ab")


def describe_exit(code: int) -> str:
    """A subprocess return code in words: ``ended with exit code 3``, ``was killed by SIGKILL``."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []
