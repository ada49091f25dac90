"""A worker that is told to end finishes its batch; told twice it ends at once, and another takes up what it had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from django.conf import settings as django_settings
from django.test import Client

from capture.models import Job
from capture.services import alive, work
from capture.services.checking import check_all
from indexing.models import Batch
from tests.retention.captures import udp_capture
from tests.server import ROOT

PACKETS = 4_000


def until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def worker(data: Path, broker: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of one process as `up` and the compose file start it, on the test's own database."""
    one = django_settings.DATABASES["default"]
    url = f"postgresql://{one['USER']}@/{one['NAME']}?host={one['HOST']}&port={one['PORT']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PICAPWEB_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "--quiet", "-A", "picapweb.celery", "worker", "--concurrency", "1", "--without-gossip"],
        cwd=ROOT,
        env={**kept, "PICAPWEB_DATA": str(data), "DATABASE_URL": url, "BROKER_URL": broker, "PICAPWEB_WORKERS": "1"},
    )
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


@pytest.fixture
def job(worker) -> Job:
    """A job of slow batches (scapy takes a second and more for each), one of them at work; others wait."""
    client = Client(headers={"host": "localhost", "accept": "application/json"})
    body = udp_capture(PACKETS)
    said = client.post("/jobs/?dissector=scapy&bufsize=2000", body, content_type="application/octet-stream")
    assert said.status_code == 202, said.content
    until(lambda: Batch.objects.filter(state="claimed", lease_until__isnull=False).exists())
    return Job.objects.get(pk=said.json()["id"])


def finished(job: Job) -> None:
    """By this process, as another worker: every packet once."""
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.packets_indexed) == ("done", PACKETS)
    assert list(check_all()) == []


def stopped_at_work(worker: subprocess.Popen[bytes]) -> tuple[Batch, list[psutil.Process]]:
    """The batch of a worker whose processes stand still amid it, and they: it will not be quicker than a signal."""
    found: list[Batch] = []
    children: list[psutil.Process] = []

    def stop() -> bool:
        children[:] = psutil.Process(worker.pid).children(recursive=True)
        each(children, psutil.Process.suspend)
        found.extend(Batch.objects.filter(state="claimed"))
        if not found:
            each(children, psutil.Process.resume)
        return bool(found)

    until(stop)
    return found[0], children


def each(processes: list[psutil.Process], do: Callable[[psutil.Process], None]) -> None:
    """Does something with each of those that have not ended meanwhile."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            do(process)


def test_told_once_it_finishes_its_batch(worker, job: Job):
    at_work, children = stopped_at_work(worker)
    worker.send_signal(signal.SIGTERM)
    each(children, psutil.Process.resume)
    assert worker.wait(120) == 0
    at_work.refresh_from_db()
    assert at_work.state == "visible" and at_work.attempt == 1
    assert not Batch.objects.filter(state="claimed").exists()
    finished(job)


def test_told_twice_it_ends_at_once_and_another_takes_over(worker, job: Job):
    at_work, _ = stopped_at_work(worker)
    worker.send_signal(signal.SIGTERM)
    time.sleep(0.1)  # two signals at once are one

    def ended() -> bool:
        worker.send_signal(signal.SIGTERM)
        return worker.poll() is not None

    until(ended)
    at_work.refresh_from_db()
    assert at_work.state == "claimed"
    # Not after its lease (30 s): who looks finds that its holder is dead.
    until(lambda: alive.is_gone(at_work.worker))
    alive.end_claims_of_the_dead()
    finished(job)
    at_work.refresh_from_db()
    assert at_work.attempt == 2
