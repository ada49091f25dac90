"""The whole product as a user starts it, seen from outside: its API over one connection, its processes, its tables."""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks.live.up import Up
from picapweb.embedded import postgres
from picapweb.embedded.data import DataFolder

WORKERS = 2
PATIENCE = 120.0


class Product:
    """`manage.py up` on a folder, a context manager."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.up = Up(folder, **{"PICAPWEB_WORKERS": str(WORKERS), **settings})
        self.data = folder

    def __enter__(self) -> Product:
        self.up.__enter__()
        self.connection = Connection(self.up.port)
        return self

    def __exit__(self, kind: object = None, *_: object) -> None:
        ended = self.up.returncode
        self.up.__exit__()
        if kind is not None:  # what it said is all that is left of it
            print(*self.up.lines[-40:], sep="\n", file=sys.stderr)
            print(f"manage.py up {'ran to the end' if ended is None else f'had ended before: {ended}'}", file=sys.stderr)

    def capture(self, interface: str, **options: Any) -> int:
        """Orders a live job, and waits until its interface is open; its number."""
        order = json.dumps({"iface": interface, **options}).encode()
        job = int(json.loads(self.connection.ask("POST", "/jobs/", order))["id"])
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            said = self.connection.job(job)
            if said["finished"] or any(one["state"] == "up" for one in said["live"]["interfaces"]):
                break
            time.sleep(0.05)
        if said["state"] != "running":
            raise RuntimeError(f"job {job} does not capture: {said}")
        return job

    def caught_up(self, job: int, count: Callable[[], int]) -> dict[str, Any]:
        """Waits until nothing more comes and all that came is counted; the job then."""
        until = time.monotonic() + PATIENCE
        before, said = -1, self.connection.job(job)
        while said["live"]["received"] != before or count() != said["live"]["captured"]:
            if time.monotonic() > until:
                raise RuntimeError(f"{count()} packets are in the answers: {said}")
            before = said["live"]["received"]
            time.sleep(1.5)  # its counters are a second old at most
            said = self.connection.job(job)
        return said

    def processes(self) -> list[psutil.Process]:
        """`up` and all that it started."""
        up = psutil.Process(self.up.pid)
        return [up, *up.children(recursive=True)]

    def sql(self, query: str) -> Any:
        """The one value of a query to its database."""
        with psycopg.connect(postgres.url(DataFolder(self.data)), autocommit=True) as database:
            row = database.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    def new_values(self) -> int:
        """Values in the translation table: of all fields, those that have a name of their own."""
        return int(self.sql("SELECT count(*) FROM indexing_translationvalue"))


class Connection:
    """One connection that is kept alive, for one thread."""

    def __init__(self, port: int) -> None:
        self.host = f"localhost:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, accept: str = "application/json") -> bytes:
        """The body of an answer. Raises RuntimeError where it is no success."""
        try:
            return self._ask(method, path, body, accept)
        except http.client.RemoteDisconnected:
            if method != "GET":
                raise
            return self._ask(method, path, body, accept)  # it was idle for too long, and the server hung up

    def _ask(self, method: str, path: str, body: bytes | None, accept: str) -> bytes:
        try:
            headers = {"Host": self.host, "Accept": accept, **({"Content-Type": "application/json"} if body else {})}
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path}: {answer.status}: {said[:300]!r}")
        return said

    def pql(self, text: str) -> list[Any]:
        """Results of a query."""
        results: list[Any] = json.loads(self.ask("POST", "/index/net/query", text.encode()))["results"]
        return results

    def job(self, number: int) -> dict[str, Any]:
        """A job as the API has it."""
        job: dict[str, Any] = json.loads(self.ask("GET", f"/jobs/{number}/"))
        return job
