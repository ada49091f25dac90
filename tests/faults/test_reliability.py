"""script/reliability, for a moment: two faults under load, and nobody gets a wrong answer. And it says so when somebody does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability import campaign as module
from benchmarks.reliability.campaign import Campaign, Seen
from benchmarks.reliability.faults import FAULTS, Fault
from benchmarks.reliability.load import Load, Tally, Upload, answers
from capture.sample import sample
from tests.hostile import capture as hostile

CHOSEN = ("`kill -9` of the workers", "`kill -9` of Postgres")
PACKETS = 7  # of each job of the product that is made up here
FOUND = {"packets": {"retransmissions": 1}, "times": {}, "retransmitting_hosts": []}


def test_nobody_gets_a_wrong_answer_while_workers_and_postgres_are_killed(tmp_path: Path):
    asked, uploaded = tmp_path / "sample.pcap", tmp_path / "hostile.pcapng"
    asked.write_bytes(sample())
    hostile.made(uploaded)
    options = ["--uploaders=2", "--queriers=4", "--around=3", "--seed=3", "--no-page"]
    options += [f"--capture={path}" for path in (asked, uploaded)] + [f"--only={words}" for words in CHOSEN]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reliability", *options], capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("2 of 2 faults without a wrong answer"), done.stdout
    for words in CHOSEN:
        (line,) = (one for one in done.stderr.splitlines() if one.startswith(f"{words}: "))
        right, jobs = re.search(r": (\d+) right answers, .* (\d+) jobs of ", line).groups()
        assert int(right) > 0 and int(jobs) > 0, line


def test_the_faults_that_are_chosen_here_are_there():
    assert set(CHOSEN) <= {one.words for one in FAULTS}


class MadeUp:
    """A product that answers at once. Job 1 is the one that is asked about; asked: how often. bad: what it does wrong."""

    def __init__(self, port: int) -> None:
        self.port, self.bad, self.jobs, self.asked = port, "", 0, 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        job = re.match(r"/jobs/(\d+)/$", path)
        first = b"job=1)" in body or b"job=1," in body or "job=1&" in path
        self.asked += first
        if path == "/readyz":
            return 503 if self.bad == "never ready" else 200, {}, {}
        if path.startswith("/jobs/?"):
            self.jobs += 1
            return (500, "oh", {}) if self.bad == "500 to an upload" else (202, {"id": self.jobs}, {})
        if job and method == "DELETE":
            return 204, None, {}
        if job:
            indexed = PACKETS - (self.bad == "a packet is lost")
            state = "failed" if self.bad == "a job fails" else "done"
            error = "oh" if state == "failed" else None
            told = {"state": state, "error": error, "packets": {"indexed": indexed}, "conversations": {"state": "done"}}
            return 200, told, {}
        if path.endswith("/health/"):
            return 200, {**FOUND, "packets": {"retransmissions": 1 + (self.bad == "a retransmission is found twice")}}, {}
        if first and self.bad == "500":
            return 500, "oh", {}
        if first and self.bad == "503 without Retry-After":
            return 503, {}, {}
        if first and self.bad == "503":
            return 503, {}, {"Retry-After": "1"}
        count = PACKETS + (first and self.bad == "a wrong answer") + (not first and self.bad == "a packet comes twice")
        return 200, {"results": [count], "seconds": 0.1}, {}


@pytest.fixture
def product() -> Iterator[MadeUp]:
    class Handler(BaseHTTPRequestHandler):
        def _go(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if made_up.bad == "no answer" and self.path.startswith("/count/"):
                made_up.asked += 1
                self.close_connection = True
                return
            status, said, headers = made_up.answer(self.command, self.path, body)
            text = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = _go

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        made_up = MadeUp(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made_up
        server.shutdown()
        thread.join()


class RunningMadeUp:
    """What Campaign asks of benchmarks.faults.running.Running."""

    def __init__(self, product: MadeUp) -> None:
        self.up = self._product = product

    def order(self, _path: Path, _options: str) -> int:
        self._product.jobs += 1
        return self._product.jobs

    def job(self, number: int) -> dict[str, Any]:
        return self._product.answer("GET", f"/jobs/{number}/", b"")[1]

    def ask(self, method: str, path: str) -> tuple[int, Any]:
        return self._product.answer(method, path, b"")[:2]

    def delete(self, number: int) -> None:
        pass

    def serves(self) -> bool:
        return self._product.answer("GET", "/readyz", b"")[0] == 200

    def until(self, condition, what: str, seconds: float) -> Any:
        for _ in range(20):
            if value := condition():
                return value
        raise TimeoutError(f"{what}: not within {seconds:.0f} s")


def load(product: MadeUp, capture: Path, bad: str) -> Tally:
    """What people tell of it: until they tell something, or have asked each question a few times."""
    product.jobs = 1
    expected = answers(product.port, 1)
    product.bad, product.asked = bad, 0
    people = Load(product.port, expected, [Upload(capture, PACKETS, FOUND)], uploaders=1, queriers=4, seed=1)
    with people:
        while len(people.tally.wrong) + people.tally.away + people.tally.refused == 0 and product.asked < 60:
            people.queriers[0].ending.wait(0.05)
        product.bad = ""
    return people.tally


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "a.pcap"
    path.write_bytes(b"whatever")
    return path


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("a wrong answer", '200: {"results": [8]'),
        ("500", '500: "oh"'),
        ("500 to an upload", 'POST /jobs/?again=true&bufsize=2000: 500: "oh"'),
        ("503 without Retry-After", "503: {}"),
        ("a packet is lost", "done None {'indexed': 6}"),
        ("a packet comes twice", "[8] packets are found, and not 7"),
        ("a job fails", "failed oh"),
        ("a retransmission is found twice", "{'retransmissions': 2}"),
    ],
)
def test_people_tell_what_is_wrong(product, capture, bad, words):
    tally = load(product, capture, bad)
    assert tally.wrong and all(words in one for one in tally.wrong), tally.wrong


@pytest.mark.parametrize(("bad", "away", "refused"), [("", False, False), ("503", True, False), ("no answer", False, True)])
def test_what_is_away_is_not_wrong(product, capture, bad, away, refused):
    tally = load(product, capture, bad)
    assert (tally.wrong, tally.away > 0, tally.refused > 0) == ([], away, refused)


def seen(product: MadeUp, capture: Path, during: str, afterwards: str) -> Seen:
    """Of a campaign with one fault that lasts until it is over, and may leave something behind."""

    @contextmanager
    def lasts(_running: object) -> Iterator[None]:
        product.bad = during
        yield
        product.bad = afterwards

    running: Any = RunningMadeUp(product)
    said: list[str] = []
    campaign = Campaign(running, [(capture, PACKETS)] * 2, 1, 2, 1, said.append, around=0.6)
    (one,) = campaign.run([Fault("it happens", lasts)])
    assert said == [module.line(one)]
    assert ("WRONG" in said[0]) == bool(one.wrong)
    return one


def test_a_campaign_tells_what_a_fault_leaves_behind(product, capture):
    one = seen(product, capture, "", "a wrong answer")
    assert any(words.startswith("afterwards: ") and "[8]" in words for words in one.wrong), one.wrong


def test_a_campaign_tells_of_what_does_not_recover(product, capture):
    one = seen(product, capture, "", "never ready")
    assert one.wrong == ["/readyz: not within 180 s"]


def test_a_campaign_without_anything_wrong(product, capture):
    one = seen(product, capture, "503", "")
    assert (one.wrong, one.right > 0, one.jobs > 0) == ([], True, True)


def test_what_one_fault_spoils_unseen_the_next_one_shows(product, capture):
    """Each answer is held against the one before the first fault."""
    running: Any = RunningMadeUp(product)
    campaign = Campaign(running, [(capture, PACKETS)] * 2, 1, 2, 1, lambda line: None, around=0.6)
    faults = [Fault("first", lambda _: nullcontext()), Fault("second", lambda _: nullcontext())]
    found = campaign.run(faults)
    assert next(found).wrong == []
    product.bad = "a wrong answer"
    assert next(found).wrong != []
