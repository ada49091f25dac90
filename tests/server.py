"""`manage.py up` as a user starts it: a process of its own, whose lines can be waited for."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
LAUNCHER = ROOT / "picapweb" / "embedded" / "launch.py"
PATIENCE = 180.0


def clean_environment(**more: str) -> dict[str, str]:
    """Our own, without what the test session set for itself."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PICAPWEB_", "DJANGO_"))}
    return {**kept, "PICAPWEB_WORKERS": "1", **more}


class Server:
    """A running `up`, a context manager. mode: as whom it runs (picapweb/embedded/launch.py); prefix: what starts it."""

    def __init__(
        self,
        data: Path,
        *arguments: str,
        mode: str = "same",
        port: int | None = None,
        prefix: Sequence[str] = (),
        **environment: str,
    ) -> None:
        self.data, self.port = data, port or free_port()
        command = [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(self.port), "--data", str(data), *arguments]
        if mode != "same":
            command = [sys.executable, str(LAUNCHER), str(os.getpid()), "15", mode, *command]
        command = [*prefix, *command]
        self.lines: list[str] = []
        self._more = threading.Condition()
        self._process = subprocess.Popen(
            command,
            env=clean_environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Server:
        try:
            self.wait_for(r"^ready: ")
        except BaseException:
            self.__exit__()  # or it would go on beside all the tests that follow
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line that matches; it may be there already. AssertionError with all the lines if it does not come."""
        end, seen = time.monotonic() + PATIENCE, 0
        with self._more:
            while True:
                ended = not self._reader.is_alive()  # asked before looking: no line comes after it
                for line in self.lines[seen:]:
                    if match := re.search(pattern, line):
                        return match
                seen = len(self.lines)
                if ended or time.monotonic() > end:
                    raise AssertionError(f"no line like {pattern!r}:\n" + "\n".join(self.lines))
                self._more.wait(0.5)

    def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """The first true value of a condition. AssertionError with all the lines if it does not come true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := condition():
                return value
            assert self._process.poll() is None, "\n".join(self.lines)
            time.sleep(0.05)
        raise AssertionError("not in time; the server printed:\n" + "\n".join(self.lines))

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit code."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError("it did not end:\n" + "\n".join(self.lines)) from None
        self._reader.join(PATIENCE)
        return code

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def child(self, name: str) -> psutil.Process:
        """The process of a service, by what its command line holds; waited for where it is just being started again."""
        mark = {
            "postgres": "bin/postgres",
            "valkey": "valkey-server",
            "worker": " worker ",
            "beat": " beat ",
            "web": "granian",
            "live": "manage.py live",
        }[name]
        found: psutil.Process = self.until(
            lambda: next((one for one in psutil.Process(self.pid).children() if mark in command_line(one)), None)
        )
        return found

    def get(self, path: str) -> tuple[int, bytes]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
            return answer.status, answer.read()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
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

    def known_or_uploaded(self, capture: Path, query: str = "") -> dict[str, Any]:
        """The job of a file in an index that is filled once: pytest may make a fixture of the session again for another file."""
        with capture.open("rb") as body:
            status, said = self.ask("POST", f"/jobs/{query}", body.read(), **{"Content-Type": "application/octet-stream"})
        assert status in (202, 409), said
        return dict(said if status == 202 else said["job"])

    def job(self, number: int) -> dict[str, Any]:
        """A job as the API has it now."""
        return dict(self.ask("GET", f"/jobs/{number}/")[1])

    def pql(self, text: str) -> Any:
        """Results of a query."""
        status, answer = self.ask("POST", "/index/net/query", text.encode())
        assert status == 200, answer
        return answer["results"]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._more:
                self.lines.append(line.rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self._more.notify_all()


def command_line(process: psutil.Process) -> str:
    """As it was started; "" of one that has ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run (zombies do not)."""
    return [one for one in processes if one.is_running() and _status(one) != psutil.STATUS_ZOMBIE]


def left_on(data: Path) -> list[list[str]]:
    """Command lines of all processes of this machine that name the data folder or work in it."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(data) in " ".join(process.cmdline()) or process.cwd().startswith(str(data)):
                found.append(process.cmdline())
        except (psutil.Error, OSError):
            continue
    return found


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE
