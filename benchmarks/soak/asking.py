"""People meanwhile: two queries a second and a page every few seconds."""

from __future__ import annotations

import itertools
import threading
import time

from benchmarks.live.product import Connection

EVERY = 0.5
PAGE_EVERY = 6  # queries
QUERIES = (
    "Count(Row(job={job}))",
    "TopN(netsrc, Row(job={job}), n=10)",
    'Count(Intersect(Row(job={job}), Row(tcp="SYN")))',
    "TopN(http-hostname, Row(job={job}), n=10)",
    "Sum(Row(job={job}), field=length)",
    "TopN(transdst, n=20)",
)
PAGES = ("/jobs/{job}/", "/", "/explore/?job={job}")


class Asker(threading.Thread):
    """asked: how many answers came, and how long each took. failed: what was no answer, in words."""

    def __init__(self, port: int, job: int) -> None:
        super().__init__(name="asker", daemon=True)
        self.took: list[float] = []
        self.pages = 0
        self.failed: list[str] = []
        self._connection, self._job = Connection(port), job
        self._done = threading.Event()

    def run(self) -> None:
        pages = itertools.cycle(PAGES)
        for number, query in enumerate(itertools.cycle(QUERIES), 1):
            if self._done.wait(EVERY):
                return
            self._ask("POST", "/index/net/query", query.format(job=self._job).encode())
            if number % PAGE_EVERY == 0:
                self.pages += 1
                self._ask("GET", next(pages).format(job=self._job), None)

    def _ask(self, method: str, path: str, body: bytes | None) -> None:
        began = time.monotonic()
        try:
            self._connection.ask(method, path, body, "application/json" if body else "text/html")
        except Exception as error:
            self.failed.append(f"{path} {body!r}: {error}")
        else:
            self.took.append(time.monotonic() - began)

    def end(self) -> None:
        self._done.set()
        self.join()
