"""The real thing as a user starts it: `manage.py up` in a process of its own, on a free port and a data folder of the test's."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 60


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def clean_environment(**extra: str) -> dict[str, str]:
    """Our environment without the settings of the test session."""
    ours = ("PICAPWEB_", "DATABASE_URL", "BROKER_URL", "INDEX_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | extra


class Server:
    """A started server; `lines` is what it printed so far."""

    def __init__(self, data: Path, *files: Path, **environment: str) -> None:
        self.port = free_port()
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(self.port), "--data", str(data), *map(str, files)],
            env=clean_environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def wait_for(self, condition: Callable[[], Any], seconds: float = READY_SECONDS) -> Any:
        """The first true value of a condition. Raises AssertionError with what the server printed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := condition():
                return value
            assert self.process.poll() is None, "".join(self.lines)
            time.sleep(0.05)
        raise AssertionError("not in time; the server printed:\n" + "".join(self.lines))

    def line(self, start: str, seconds: float = READY_SECONDS) -> str:
        """The first printed line that begins so."""
        return str(self.wait_for(lambda: next((line for line in self.lines if line.startswith(start)), ""), seconds)).strip()

    def ready(self) -> Server:
        self.line("ready: ")
        return self

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {"Host": f"localhost:{self.port}", "Accept": "application/json", **headers})
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

    def upload(self, capture: Path, query: str = "") -> dict[str, Any]:
        """A job for a file."""
        with capture.open("rb") as body:
            status, job = self.ask("POST", f"/jobs/{query}", body.read(), **{"Content-Type": "application/octet-stream"})
        assert status == 202, job
        return dict(job)

    def job(self, number: int) -> dict[str, Any]:
        return dict(self.ask("GET", f"/jobs/{number}/")[1])

    def pql(self, text: str) -> Any:
        """Results of a query."""
        status, answer = self.ask("POST", "/index/net/query", text.encode())
        assert status == 200, answer
        return answer["results"]

    def processes(self, *words: str) -> list[psutil.Process]:
        """The server's descendants whose command line holds all of the words."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if all(word in " ".join(process.cmdline()) for word in words):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
