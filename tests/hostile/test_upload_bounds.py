"""Uploads are bounded in size, number, rate, and in what they become: each bound holds, says so, and leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import os
import signal
import struct
import threading
import time
from pathlib import Path

import pytest
import zstandard
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from capture.models import Job, JobState
from capture.services import admission, scan, work
from capture.services.errors import Refused

HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def capture(number: int, packets: int = 1) -> bytes:
    """A pcap of packets of zeros, none like another number's."""
    return HEAD + b"".join(struct.pack("<IIII", number, i, 60, 60) + bytes(60) for i in range(packets))


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost"})


def post(client: Client, body: bytes, query: str = ""):
    return client.post(f"/jobs/{query}", body, content_type="application/octet-stream")


def left(data: Path) -> list[str]:
    return [path.name for path in (data / "captures" / "incoming").iterdir()] if (data / "captures" / "incoming").is_dir() else []


@pytest.mark.parametrize("form", ["raw", "multipart", "without a length"])
def test_size(client, data, settings, form):
    settings.MAX_UPLOAD_BYTES = 2000
    body = capture(1, 100)
    if form == "multipart":
        settings.MAX_UPLOAD_BYTES = 1000
        body = capture(1, 20_000)
        answer = client.post("/jobs/", {"file": SimpleUploadedFile("a.pcap", body)})
    elif form == "raw":
        answer = post(client, body)
    else:
        stream = io.BytesIO(body)
        answer = client.generic(
            "POST",
            "/jobs/",
            content_type="application/octet-stream",
            **{
                "wsgi.input": stream,
                "CONTENT_LENGTH": "",
                "HTTP_TRANSFER_ENCODING": "chunked",
                "CONTENT_TYPE": "application/octet-stream",
            },
        )
    assert answer.status_code == 413, answer.content
    assert "PICAPWEB_MAX_UPLOAD_BYTES" in answer.json()["detail"]
    assert not Job.objects.exists() and left(data) == []


def test_rate(client, settings, monkeypatch):
    settings.UPLOADS_A_MINUTE = 3
    now = [1000.0]
    monkeypatch.setattr("capture.services.admission.time.time", lambda: now[0])
    assert [post(client, capture(number)).status_code for number in range(5)] == [202, 202, 202, 429, 429]
    refused = post(client, b"nonsense")
    assert refused.status_code == 429
    assert "PICAPWEB_UPLOADS_A_MINUTE" in refused.json()["detail"]
    now[0] += int(refused["Retry-After"])
    assert post(client, capture(7)).status_code == 202
    assert post(client, capture(8)).status_code == 429
    now[0] -= 500  # a clock that was set back
    assert post(client, capture(8)).status_code == 429
    page = client.post("/jobs/", {"file": SimpleUploadedFile("a.pcap", capture(9))}, headers={"accept": "text/html"})
    assert (page.status_code, "PICAPWEB_UPLOADS_A_MINUTE" in page.content.decode(), "Retry-After" in page) == (429, True, True)


def test_open_jobs(client, settings):
    settings.MAX_OPEN_JOBS = 2
    assert [post(client, capture(number)).status_code for number in range(3)] == [202, 202, 429]
    work.until_idle()
    assert post(client, capture(4)).status_code == 202


def test_uploads_at_once(client, data, settings):
    """One is coming in, byte by byte, in another thread; it ends, and there is room again."""
    settings.MAX_UPLOADS = 1
    inside, on = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, *size: int) -> bytes:
            inside.set()
            on.wait(30)
            return super().read(*size)

    def upload() -> None:
        try:
            body = capture(1)
            Client(headers={"host": "localhost"}).generic(
                "POST",
                "/jobs/",
                content_type="application/octet-stream",
                **{"wsgi.input": Slow(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/octet-stream"},
            )
        finally:
            connection.close()

    thread = threading.Thread(target=upload)
    thread.start()
    try:
        assert inside.wait(30)
        refused = post(client, capture(2))
        assert (refused.status_code, "PICAPWEB_MAX_UPLOADS" in refused.json()["detail"], int(refused["Retry-After"]) > 0) == (
            429,
            True,
            True,
        )
    finally:
        on.set()
        thread.join()
    assert Job.objects.count() == 1
    assert post(client, capture(2)).status_code == 202


def test_bounds_are_each_persons(data, settings):
    """One who has no room left takes none of another's."""
    settings.UPLOADS_A_MINUTE = settings.MAX_UPLOADS = 1
    ann, ben = (User.objects.create_user(name) for name in ("ann", "ben"))
    with admission.admitted(ann):
        with pytest.raises(Refused, match="PICAPWEB_MAX_UPLOADS"), admission.admitted(ann):
            pass
        with admission.admitted(ben):
            pass
    for one in (ann, ben):
        with pytest.raises(Refused, match="PICAPWEB_UPLOADS_A_MINUTE") as refused, admission.admitted(one):
            pass
        assert (refused.value.status, 0 < refused.value.members["retry_after"] <= 61) == (429, True)


def test_a_process_that_is_killed_gives_back_its_room(data, settings):
    settings.MAX_UPLOADS = 1
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        admission._take_slot(None)
        os.write(write, b".")
        time.sleep(60)
        os._exit(0)
    assert os.read(read, 1) == b"."
    with pytest.raises(Refused), admission.admitted(None):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with admission.admitted(None):
        pass


@pytest.mark.parametrize("kind", ["gzip", "zstd", "gzip of many members"])
@pytest.mark.parametrize("bound", ["MAX_RATIO", "MAX_CAPTURE_BYTES"])
def test_a_bomb_fails_its_job_and_leaves_nothing(client, data, settings, monkeypatch, kind, bound):
    if bound == "MAX_RATIO":
        settings.MAX_RATIO = 10
        monkeypatch.setattr(scan, "ANY_RATIO_BYTES", 1 << 16)
    else:
        settings.MAX_CAPTURE_BYTES = 1 << 16
    plain = capture(1) + bytes(4 << 20)
    packed = {
        "gzip": lambda: gzip.compress(plain),
        "zstd": lambda: zstandard.compress(plain),
        "gzip of many members": lambda: gzip.compress(capture(1)) + gzip.compress(bytes(1 << 16)) * 64,
    }[kind]()
    assert len(packed) * 30 < len(plain)
    job = Job.objects.get(pk=post(client, packed).json()["id"])
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "PICAPWEB_MAX_RATIO" in job.error
    assert not job.captures.get().file.exists()


def test_what_is_small_may_have_any_ratio(client, settings):
    settings.MAX_RATIO = 1
    job = Job.objects.get(pk=post(client, gzip.compress(capture(1, 2000))).json()["id"])
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.packets_indexed) == (JobState.DONE, 2000)
