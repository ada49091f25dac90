"""The product that faults happen to: `manage.py up` on a disk of our own, perhaps beside a Pilosa, asked from outside."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.faults.disk import Disk
from benchmarks.faults.pilosa import Pilosa
from benchmarks.live.up import Up
from benchmarks.reliability.clock import Clock
from benchmarks.soak.watch import service_of

PATIENCE = 180.0
# Small, so that a fault costs seconds; faults and their ends are the same with longer ones.
SETTINGS = {"PICAPWEB_WORKERS": "2", "PICAPWEB_LEASE_SECONDS": "2", "PICAPWEB_RING_SECONDS": "0.5"}


class Running:
    """A context manager; entered, it serves."""

    def __init__(self, disk: Disk, pilosa: Pilosa | None = None, clock: Clock | None = None) -> None:
        self.disk, self.pilosa, self.clock = disk, pilosa, clock
        self.data = disk.folder / "data"
        self.settings = SETTINGS | ({"INDEX_URL": pilosa.url} if pilosa else {}) | (clock.settings if clock else {})
        self.lines: list[str] = []
        self.starts = 0

    def __enter__(self) -> Running:
        if self.pilosa is not None:
            self.pilosa.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.up.__exit__()
        self._keep_lines()
        if self.pilosa is not None:
            self.pilosa.kill()

    def start(self) -> None:
        """Starts everything; waits until it serves."""
        self.up = Up(self.data, **self.settings)
        self.up.__enter__()
        self.starts += 1

    def kill_all(self) -> None:
        """SIGKILL for `up` and all that it started, at once; returns when none of it is left."""
        family = [psutil.Process(self.up.pid), *psutil.Process(self.up.pid).children(recursive=True)]
        for process in family:
            kill(process)
        psutil.wait_procs(family, timeout=30)
        self.up.__exit__()
        self._keep_lines()

    def _keep_lines(self) -> None:
        self.lines += self.up.lines

    # Processes

    def service(self, name: str) -> psutil.Process | None:
        """The first process of a service (soak/watch.py), if it runs now."""
        for process in psutil.Process(self.up.pid).children():
            try:
                if service_of(" ".join(process.cmdline())) == name:
                    return process
            except psutil.Error:
                continue
        return None

    def children(self, name: str) -> list[psutil.Process]:
        """What the first process of a service has started, by process id."""
        first = self.service(name)
        try:
            found = first.children(recursive=True) if first else []
        except psutil.NoSuchProcess:
            return []
        return sorted(found, key=lambda process: process.pid)

    def flush_broker(self) -> None:
        """Everything that the broker holds goes."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as broker:
            broker.settimeout(5)
            broker.connect(str((self.data / "run").resolve() / "valkey.sock"))
            broker.sendall(b"FLUSHALL\r\n")
            broker.recv(64)

    # Its API

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Status and JSON; (0, the reason) where there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.up.port, timeout=30)
        try:
            headers = {"Host": f"localhost:{self.up.port}", "Accept": "application/json"}
            connection.request(method, path, body, {**headers, "Content-Type": "application/octet-stream"} if body else headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        except (OSError, http.client.HTTPException, ValueError) as error:
            return 0, str(error)
        finally:
            connection.close()

    def until(self, condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """The first true value of a condition. Raises TimeoutError, saying what was waited for."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(0.1)
        raise TimeoutError(f"{what}: not within {seconds:.0f} s")

    def order(self, capture: Path, options: str) -> int:
        """A job for a capture, as often as it has to be asked for; its number."""
        body = capture.read_bytes()

        def asked() -> Any:
            status, said = self.ask("POST", f"/jobs/?again=true&{options}", body)
            if status and status < 500 and status != 202:
                raise RuntimeError(f"{capture.name}: {status}: {said}")
            return said if status == 202 else None

        return int(self.until(asked, f"an order for {capture.name}")["id"])

    def job(self, number: int) -> dict[str, Any] | None:
        """A job as the API has it; None where it does not answer now."""
        status, said = self.ask("GET", f"/jobs/{number}/")
        return dict(said) if status == 200 else None

    def delete(self, number: int) -> None:
        """Deletes a job, as often as it has to be asked for."""
        self.until(lambda: self.ask("DELETE", f"/jobs/{number}/")[0] in (204, 404), f"the deletion of job {number}")

    def serves(self) -> bool:
        return self.ask("GET", "/readyz")[0] == 200


def kill(process: psutil.Process, number: signal.Signals = signal.SIGKILL) -> bool:
    """Whether it was there to be killed."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True
