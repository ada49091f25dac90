"""`manage.py up` as a user starts it, on a folder of its own and a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0  # compiling the loops is part of it, where nobody did that before


class Up:
    """A context manager; entered, it serves. lines: what it printed so far."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data, self.port = data, _free_port()
        self.lines: list[str] = []
        self._settings = settings
        self._ready = threading.Event()

    def __enter__(self) -> Up:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PICAPWEB_", "DJANGO_"))}
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(self.port), "--data", str(self.data)],
            env={**kept, **self._settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, name="up", daemon=True)
        self._reader.start()
        until = time.monotonic() + PATIENCE
        while not self._ready.wait(0.1):
            if self._process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise RuntimeError("\n".join(["manage.py up does not serve:", *self.lines]))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(10)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.poll()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("ready: "):
                self._ready.set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
