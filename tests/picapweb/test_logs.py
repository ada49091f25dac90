"""Lines of the log: what they belong to, and that nobody who is logged can write one."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys

import pytest
from django.test import RequestFactory

from capture.services import work
from indexing import batches
from indexing.models import Batch, BatchState, PacketIndex
from picapweb import logs
from picapweb.middleware.request_id import RequestId
from picapweb.requests import Requests
from tests.server import ROOT, clean_environment

EVIL = 'x"\nERROR root: forged\r\x1b[31m\x9b\u2028\u202e'


def line(formatter: logging.Formatter, words: str, *args: object, **more: object) -> str:
    record = logging.LogRecord("a.b", logging.WARNING, __file__, 1, words, args, more.get("exc_info"))  # type: ignore[arg-type]
    return formatter.format(record)


@pytest.fixture(autouse=True)
def _nothing_bound():
    logs.bind()


def test_a_line_of_text_says_what_it_belongs_to():
    with logs.bound(job=7), logs.bound(batch=2):
        assert line(logs.Text(), "all of %s", "it") == "WARNING a.b: all of it [job=7 batch=2]"
    assert line(logs.Text(), "x") == "WARNING a.b: x"


def test_what_is_logged_begins_no_line_and_steers_no_terminal():
    said = line(logs.Text(), "host %s", EVIL)
    assert said == 'WARNING a.b: host x"\\nERROR root: forged\\r\\x1b[31m\\u009b\\u2028\\u202e'
    said = line(logs.Json(), "host %s", EVIL)
    assert said.isascii() and "\n" not in said
    assert json.loads(said)["message"] == f"host {EVIL}"


def test_a_traceback_is_set_in():
    try:
        raise ValueError(EVIL)
    except ValueError:
        error = sys.exc_info()
    first, *more = line(logs.Text(), "it broke", exc_info=error).split("\n")
    assert first == "WARNING a.b: it broke"
    assert more[0] == "  | Traceback (most recent call last):"
    assert all(one.startswith("  | ") for one in more) and any("forged" in one for one in more)
    assert "\x1b" not in "".join(more)
    assert "ValueError" in json.loads(line(logs.Json(), "it broke", exc_info=error))["trace"]


def test_json_has_the_facts():
    with logs.bound(request="abc"):
        said = json.loads(line(logs.Json(), "words"))
    assert {name: said[name] for name in ("level", "logger", "message", "request")} == {
        "level": "WARNING",
        "logger": "a.b",
        "message": "words",
        "request": "abc",
    }
    assert said["time"].endswith("Z")


def _asked(environ: dict, status: str = "200 OK") -> tuple[dict, dict]:
    """Headers of the answer, and the environment as the application within saw it."""
    seen: dict = {}

    def whole(environ: dict, start_response) -> list[bytes]:
        seen.update(environ, **logs.belongs())
        start_response(status, [("Content-Type", "text/plain")])
        return [b"x"]

    headers: dict = {}
    assert Requests(whole)(environ, lambda _, given, *__: headers.update(given)) == [b"x"]
    return headers, seen


@pytest.mark.parametrize("given", ["7f", "a-b.c:1/2+3=", "A" * 128])
def test_a_sane_id_is_kept(given: str):
    headers, seen = _asked({"HTTP_X_REQUEST_ID": given})
    assert headers["X-Request-ID"] == seen["picapweb.request_id"] == seen["request"] == given


@pytest.mark.parametrize("given", [None, "", "a b", "a\nb", "a\x00", "é", "-a", "A" * 129, "<script>"])
def test_another_one_is_made(given: str | None):
    made = {_asked({} if given is None else {"HTTP_X_REQUEST_ID": given})[0]["X-Request-ID"] for _ in range(2)}
    assert len(made) == 2
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in made)


def test_views_know_it():
    request = RequestFactory().get("/", headers={"x-request-id": "abc"})
    assert RequestId(lambda request: request.id)(request) == "abc"  # type: ignore[attr-defined]


def test_each_request_is_a_line(settings, caplog):
    settings.ACCESS_LOG = True
    with caplog.at_level(logging.INFO, "picapweb.access"):
        _asked({"REQUEST_METHOD": "GET", "PATH_INFO": "/a\nb", "QUERY_STRING": "secret", "REMOTE_ADDR": "::1"}, "404 Not Found")
    (record,) = caplog.records
    assert record.facts["path"] == "/a\nb" and record.facts["status"] == 404  # type: ignore[attr-defined]
    text = logs.Text().format(record)
    assert re.match(r"INFO picapweb\.access: GET /a\\nb 404 \d+\.\d", text) and "secret" not in text


@pytest.mark.django_db
def test_a_batch_that_fails_is_named(data, caplog, monkeypatch):
    index = PacketIndex.objects.create(name="net")
    figures = {"fields": [], "first_column": 0, "packets": 1, "read": 1, "filtered_out": 0}
    Batch.objects.create(index=index, job=5, sequence=3, state=BatchState.READY, **figures)
    said: list[dict] = []
    monkeypatch.setattr(work, "_index", lambda *_: said.append(logs.belongs()))
    monkeypatch.setattr(batches.random, "randrange", lambda _: 1)
    assert work.step()
    assert said == [{"job": 5, "batch": 3}]
    assert logs.belongs() == {}


def test_a_bad_format_stops_the_start():
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=clean_environment(PICAPWEB_LOG_FORMAT="xml"),
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and "PICAPWEB_LOG_FORMAT='xml' is not one of text, json" in done.stderr


def test_lines_of_children(monkeypatch):
    monkeypatch.delenv("PICAPWEB_LOG_FORMAT", raising=False)
    assert logs.of_child("web", "a\x1bb") == "web: a\\x1bb"
    monkeypatch.setenv("PICAPWEB_LOG_FORMAT", "json")
    assert json.loads(logs.of_child("web", '{"message": "x"}')) == {"message": "x", "service": "web"}
    assert json.loads(logs.of_child("postgres", "FATAL: x"))["message"] == "FATAL: x"
    assert json.loads(logs.of_child("web", "{broken"))["message"] == "{broken"


THREADS_SAY = """
import sys, threading
from picapweb import logs
sys.setswitchinterval(1e-6)
def say(name):
    for number in range(500):
        logs.of_up(f"{name}: {number} {'x' * 60}")
every = [threading.Thread(target=say, args=(f"child-{one}",)) for one in range(8)]
for one in every:
    one.start()
for one in every:
    one.join()
"""


def test_lines_of_several_children_are_whole():
    """A thread relays each child's."""
    said = subprocess.run([sys.executable, "-c", THREADS_SAY], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=True).stderr
    wanted = [f"child-{one}: {number} {'x' * 60}" for one in range(8) for number in range(500)]
    assert sorted(said.splitlines()) == sorted(wanted)
