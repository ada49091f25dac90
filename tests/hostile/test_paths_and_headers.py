"""Server-side files stay in the import folder whatever becomes of their names; names of jobs make no headers of their own."""

from __future__ import annotations

import os

import pytest
from django.test import Client

from capture.models import Job, JobState
from capture.services import create, scan, storage, work
from capture.services.errors import Refused
from capture.services.options import Options
from tests.hostile.test_upload_bounds import capture


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost"})


def order(client: Client, name: str):
    return client.post("/jobs/", {"filename": name}, content_type="application/json")


def test_what_is_no_regular_file_is_refused_without_waiting(client, data):
    os.mkfifo(data / "import" / "pipe")
    (data / "import" / "zero").symlink_to("/dev/zero")
    (data / "import" / "folder").mkdir()
    (data / "import" / "loop").symlink_to("loop")
    outside = data / "outside.pcap"
    outside.write_bytes(capture(1))
    (data / "import" / "link").symlink_to(outside)
    (data / "import" / "way").symlink_to(data)
    for name in (
        "pipe",
        "zero",
        "folder",
        "loop",
        "link",
        "way/outside.pcap",
        "../outside.pcap",
        str(outside),
        "a\0b",
        "",
        ".",
        "x" * 5000,
    ):
        refused = order(client, name)
        assert refused.status_code == 400, name
        assert refused.json()["option"] == "filename", name
    assert not Job.objects.exists()


@pytest.mark.parametrize("becomes", ["a link to the outside", "a folder's link to the outside", "a pipe", "nothing"])
@pytest.mark.parametrize("when", ["before it is looked at", "before it is copied"])
def test_a_name_that_becomes_another_file_gains_nothing(data, becomes, when, monkeypatch):
    """Between the moment when the name is checked and the one when it is opened, by a web process and by a worker."""
    secret = data / "secret" / "a.pcap"
    secret.parent.mkdir()
    secret.write_bytes(capture(99, 3))
    folder = data / "import" / "f"
    folder.mkdir()
    (folder / "a.pcap").write_bytes(capture(1))
    path = storage.import_path("f/a.pcap")

    def turn() -> None:
        (folder / "a.pcap").unlink()
        if becomes == "a link to the outside":
            (folder / "a.pcap").symlink_to(secret)
        elif becomes == "a folder's link to the outside":
            folder.rmdir()
            folder.symlink_to(secret.parent)
        elif becomes == "a pipe":
            os.mkfifo(folder / "a.pcap")

    if when == "before it is looked at":
        turn()
        with pytest.raises(Refused):
            create.from_path(path, Options())
        assert not Job.objects.exists()
        return
    job = create.from_path(path, Options())
    turn()
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.packets_read) == (JobState.FAILED, 0)
    assert job.error
    assert not job.captures.get().file.exists() or not job.captures.get().file.read_bytes()
    assert scan  # it is the worker's side that was tried


NAMES = (
    'a"; filename="evil.exe',
    "a\\",
    "Ж\u00e9 名.pcap",
    "..",
    "../../etc/passwd",
    "a/b",
    "%0d%0aX-Evil: 1",
    "<script>.html",
    "=1+1.pcap",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_jobs_name_stays_within_its_header(client, name):
    made = client.post("/jobs/", capture(1), content_type="application/octet-stream", QUERY_STRING="")
    job = Job.objects.get(pk=made.json()["id"])
    Job.objects.filter(pk=job.pk).update(name=name)
    answer = client.get(f"/jobs/{job.pk}/pcap")
    assert answer.status_code == 200
    said = answer["Content-Disposition"]
    assert said.startswith("attachment; filename")
    assert said.isascii() and said.isprintable()
    assert said.count(";") == 1 or '"' in said
    assert "X-Evil" not in answer
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "application/vnd.tcpdump.pcap"


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\x1b[2J", "evil\u202egpj.exe", "x" * 256])
def test_a_name_of_more_than_one_line_is_refused(client, name):
    answer = client.post("/jobs/", {"iface": "lo", "name": name}, content_type="application/json")
    assert (answer.status_code, answer.json()["option"]) == (400, "name")
