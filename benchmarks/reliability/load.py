"""People meanwhile: some who upload captures and wait for them, more who ask what is known not to change."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

PATIENCE = 45.0  # of a client; longer than any limit of a query
ENDED = ("done", "failed", "stopped")
SHOWN = 200  # characters of an answer that was not right
Question = tuple[str, str, str | None]
Answers = Sequence[tuple[Question, Any]]
# What is asked of the first job, whose packets do not change: (method, path, body).
QUESTIONS: tuple[Question, ...] = (
    ("POST", "/index/net/query", "Count(Row(job={job}))"),
    ("POST", "/index/net/query", "TopN(netsrc, Row(job={job}), n=10)"),
    ("POST", "/index/net/query", 'Count(Intersect(Row(job={job}), Row(transproto="TCP")))'),
    ("POST", "/index/net/query", "Sum(Row(job={job}), field=length)"),
    ("GET", "/count/?job={job}&q=" + quote("tcp.flags.syn == 1"), None),
    ("GET", "/top/?job={job}&field=transdst&n=10", None),
    ("GET", "/histogram/?job={job}&bins=20", None),
    ("GET", "/packets/?job={job}&n=5&q=" + quote("udp"), None),
    ("GET", "/count/?job={job}&q=" + quote("tcp.analysis.flags || tcp.analysis.ack_rtt > 0.01"), None),
)
# Of an answer, what differs from one time to the next.
PASSING = frozenset({"seconds", "took", "took_ms"})


class Upload(NamedTuple):
    """A capture that is uploaded again and again: its packets, and what the second pass finds among them (`found_in`)."""

    path: Path
    packets: int
    found: Any


@dataclass
class Tally:
    """What came of requests, of all threads. away: 503 with Retry-After. refused: no answer (connection refused, broken or
    too slow). wrong: answers that are not right, and statuses that should not be, in words. seconds: of those that were right."""

    right: int = 0
    away: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_right(self, seconds: float) -> None:
        with self.lock:
            self.right += 1
            self.seconds.append(seconds)

    def add_away(self) -> None:
        with self.lock:
            self.away += 1

    def add_refused(self) -> None:
        with self.lock:
            self.refused += 1

    def add_wrong(self, words: str) -> None:
        with self.lock:
            self.wrong.append(words)


class Client:
    """One connection, made anew where it broke."""

    def __init__(self, port: int, patience: float = PATIENCE) -> None:
        self._port, self._patience = port, patience
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes, bool]:
        """Status, body, and whether Retry-After came with it. Raises OSError or HTTPException where no answer came."""
        headers = {"Host": f"localhost:{self._port}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        fresh = self._connection is None
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._patience)
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Retry-After") is not None
        except (OSError, http.client.HTTPException):
            self.close()
            if fresh:
                raise
        return self.ask(method, path, body)  # a connection that was kept may have ended meanwhile

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Person(threading.Thread):
    """Goes on until it is told to end."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.ending = threading.Event()


class Querier(Person):
    """Asks one question after the other and holds each answer against the one that came when all was well."""

    def __init__(self, port: int, expected: Answers, seed: int, tally: Tally) -> None:
        super().__init__("querier")
        self._client, self._expected, self._tally = Client(port), list(expected), tally
        self._pause = random.Random(seed)
        self._pause.shuffle(self._expected)

    def run(self) -> None:
        for question, wanted in itertools.cycle(self._expected):
            if self.ending.wait(self._pause.uniform(0.1, 0.4)):
                break
            self._one(question, wanted)
        self._client.close()

    def _one(self, question: Question, wanted: Any) -> None:
        method, path, body = question
        began = time.monotonic()
        try:
            status, text, again = self._client.ask(method, path, body.encode() if body is not None else None)
        except (OSError, http.client.HTTPException):
            self._tally.add_refused()
            return
        if status == 503 and again:
            self._tally.add_away()
        elif status == 200 and settled(text) == wanted:
            self._tally.add_right(time.monotonic() - began)
        else:
            self._tally.add_wrong(f"{body or path}: {status}: {text[:SHOWN].decode(errors='replace')}")


class Uploader(Person):
    """Uploads a capture, waits until every packet of it is indexed, counts them, deletes the job, and begins again.

    An order whose answer never came may have made a job: nobody counts that one."""

    def __init__(self, port: int, uploads: Sequence[Upload], seed: int, tally: Tally) -> None:
        super().__init__("uploader")
        self._client, self._uploads, self._tally = Client(port), uploads, tally
        self._choice = random.Random(seed)
        self.jobs = self.packets = 0

    def run(self) -> None:
        while not self.ending.is_set():
            upload = self._choice.choice(self._uploads)
            job = self._order(upload.path)
            if job is not None:
                self._follow(job, upload)
        self._client.close()

    def _order(self, path: Path) -> int | None:
        answer = self._asked("POST", "/jobs/?again=true&bufsize=2000", path.read_bytes(), (202,))
        return None if answer is None else int(answer["id"])

    def _follow(self, job: int, upload: Upload) -> None:
        """Even when the load ends: each job that was taken is seen to its end."""
        name, packets = upload.path.name, upload.packets
        said = self._until(lambda: self._asked("GET", f"/jobs/{job}/", None, (200,)), lambda one: one["state"] in ENDED)
        while said["state"] == "failed" and "No space left" in (said["error"] or ""):
            self._asked("POST", f"/jobs/{job}/retry/", b"", (200, 202, 409))
            said = self._until(lambda: self._asked("GET", f"/jobs/{job}/", None, (200,)), lambda one: one["state"] in ENDED)
        if said["state"] != "done" or said["packets"]["indexed"] != packets:
            self._tally.add_wrong(f"job {job} of {name}: {said['state']} {said['error']} {said['packets']}")
            return
        query = f"Count(Row(job={job}))".encode()
        counted = self._until(lambda: self._asked("POST", "/index/net/query", query, (200,)), lambda one: True)
        if counted["results"] != [packets]:
            self._tally.add_wrong(f"job {job} of {name}: {counted['results']} packets are found, and not {packets}")
            return
        self._until(lambda: self._asked("GET", f"/jobs/{job}/", None, (200,)), is_found)
        found = found_in(self._until(lambda: self._asked("GET", f"/jobs/{job}/health/", None, (200,)), lambda one: True))
        if found != upload.found:
            self._tally.add_wrong(f"job {job} of {name}: in its conversations {found} is found, and not {upload.found}")
            return
        self.jobs, self.packets = self.jobs + 1, self.packets + packets
        self._until(lambda: self._asked("DELETE", f"/jobs/{job}/", None, (204, 404)), lambda one: True)

    def _until(self, ask: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
        while True:
            said = ask()
            if said is not None and enough(said):
                return said
            time.sleep(0.25)

    def _asked(self, method: str, path: str, body: bytes | None, good: tuple[int, ...]) -> Any:
        """The JSON of a good answer ({} of none); None where there was none now."""
        began = time.monotonic()
        try:
            status, text, again = self._client.ask(method, path, body)
        except (OSError, http.client.HTTPException):
            self._tally.add_refused()
            time.sleep(0.2)
            return None
        if status in good:
            self._tally.add_right(time.monotonic() - began)
            return json.loads(text) if text else {}
        if (status == 503 and again) or status == 507:
            self._tally.add_away()
        else:
            self._tally.add_wrong(f"{method} {path}: {status}: {text[:SHOWN].decode(errors='replace')}")
        time.sleep(0.5)
        return None


class Load:
    """A context manager: while it is entered, so many people upload and ask. expected: see `answers`."""

    def __init__(
        self, port: int, expected: Answers, uploads: Sequence[Upload], uploaders: int, queriers: int, seed: int
    ) -> None:
        self.tally = Tally()
        self.uploaders = [Uploader(port, uploads, seed + number, self.tally) for number in range(uploaders)]
        self.queriers = [Querier(port, expected, seed + number, self.tally) for number in range(queriers)]

    def __enter__(self) -> Load:
        for one in (*self.uploaders, *self.queriers):
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        people: list[Person] = [*self.queriers, *self.uploaders]
        for one in people:
            one.ending.set()
        for one in people:
            one.join(300)
            if one.is_alive():
                self.tally.add_wrong(f"a {one.name} still waits")

    @property
    def jobs(self) -> int:
        return sum(one.jobs for one in self.uploaders)

    @property
    def packets(self) -> int:
        return sum(one.packets for one in self.uploaders)


def answers(port: int, job: int) -> Answers:
    """Each question with its answer, now that nobody disturbs. Raises RuntimeError where there is none."""
    client, found = Client(port), list[tuple[Question, Any]]()
    for method, path, body in QUESTIONS:
        question = method, path.format(job=job), body.format(job=job) if body is not None else None
        status, text, _ = client.ask(method, question[1], question[2].encode() if question[2] is not None else None)
        if status != 200:
            raise RuntimeError(f"{question}: {status}: {text[:SHOWN]!r}")
        found.append((question, settled(text)))
    client.close()
    return found


def is_found(job: Any) -> bool:
    """Whether the second pass over a job's packets is done."""
    return job["conversations"] is None or job["conversations"]["state"] == "done"


def found_in(health: Any) -> Any:
    """What GET /jobs/{id}/health/ says of the packets."""
    return {name: health[name] for name in ("packets", "times", "retransmitting_hosts")}


def settled(text: bytes) -> Any:
    """An answer without what differs each time; None where it is no JSON."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return {name: value for name, value in answer.items() if name not in PASSING} if isinstance(answer, dict) else answer
