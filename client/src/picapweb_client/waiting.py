"""Following a job until it ends: by its stream of events, or by asking again and again where there is none to be had."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from picapweb_client.errors import Away, JobFailed, NotFound, Timeout, WaitTimeout
from picapweb_client.job import Job, Watch
from picapweb_client.progress import job_bar

if TYPE_CHECKING:
    from picapweb_client.client import Client

# The server says something on a stream at least each 10 s: one that is silent for longer is dead.
SILENCE_SECONDS = 20.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


def wait_for(client: Client, job: Job, timeout: float | None, progress: Watch, check: bool) -> Job:
    """See Job.wait."""
    deadline = None if timeout is None else time.monotonic() + timeout
    with job_bar(progress) as show:
        show(job)
        while not job.ended:
            for now in _follow(client, job, deadline):
                job = now
                show(job)
            if not job.ended and timeout is not None and deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(job, timeout)
    if check and job.state == "failed":
        raise JobFailed(job)
    return job


def _follow(client: Client, job: Job, deadline: float | None) -> Iterator[Job]:
    # Streams cannot be left at a moment, only when something comes: the last seconds are polled.
    if deadline is None or deadline - time.monotonic() > 2 * SILENCE_SECONDS:
        try:
            yield from _streamed(client, job, deadline)
            return
        except (Away, Timeout):
            pass  # too many streams are open, or it broke off: asking shows whether the server is there
    yield from _polled(client, job, deadline)


def _streamed(client: Client, job: Job, deadline: float | None) -> Iterator[Job]:
    with client.http.stream("GET", f"/jobs/{job.id}/events/", timeout=SILENCE_SECONDS) as answer:
        for kind, data in events(lines(answer.stream())):
            if kind == "deleted":
                raise NotFound(f"job {job.id} was deleted", status=404)
            if kind == "job":
                yield client.job_from(json.loads(data))
            if deadline is not None and deadline - time.monotonic() <= SILENCE_SECONDS:
                return


def _polled(client: Client, job: Job, deadline: float | None) -> Iterator[Job]:
    pause = FIRST_PAUSE
    while True:
        job = client.job(job.id)
        yield job
        left = pause if deadline is None else deadline - time.monotonic()
        if job.ended or left <= 0:
            return
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)


def lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Lines, without their ends, of a stream that comes in pieces."""
    held = b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r").decode()


def events(text: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Kind and data of server-sent events; a comment, which only says that the stream lives, is an event of kind ""."""
    kind, data = "", []
    for line in text:
        if line.startswith(":"):
            yield "", ""
        elif line.startswith("event:"):
            kind = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and data:
            yield kind, "\n".join(data)
            kind, data = "", []
