"""What goes by age and by bytes, per job and for all; what never goes; the account of it. On both backends."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from capture.models import CaptureFile, Job, JobState
from capture.services import work
from capture.services.checking import check_all
from indexing.models import Batch
from people.models import AuditEntry
from proxy.ask import ask_text
from retention import tidy
from retention.due import captured_bytes, due
from retention.models import Removal
from tests.retention.captures import udp_capture


@pytest.fixture
def client(data: Path, monkeypatch) -> Client:
    monkeypatch.setattr(tidy, "LOOK_SECONDS", 0.0)
    return Client(headers={"host": "localhost", "accept": "application/json"})


def upload(client: Client, packets: int, index: str = "net", **options: Any) -> Job:
    """A job that is done."""
    body = udp_capture(packets)
    query = "&".join(f"{name}={value}" for name, value in {"again": 1, "fields": "picap", "index": index, **options}.items())
    answer = client.post(f"/jobs/?{query}", body, content_type="application/octet-stream")
    assert answer.status_code == 202, answer.content
    work.until_idle()
    job = Job.objects.get(pk=answer.json()["id"])
    assert job.state == JobState.DONE
    return job


def ended(job: Job, **ago: float) -> Job:
    Job.objects.filter(pk=job.pk).update(finished=timezone.now() - timedelta(**ago))
    return job


def count(index: str) -> int:
    return ask_text(index, "Count(Not(Union()))").results[0].count  # type: ignore[union-attr]


def test_nothing_goes_unless_somebody_says_so(client):
    job = ended(upload(client, 5), days=9999)
    tidy.tidy()
    assert Job.objects.live().filter(pk=job.pk).exists() and not Removal.objects.exists()


def test_by_age_the_whole_job(client, index, settings):
    settings.RETENTION_AGE = 3600.0
    old, new = ended(upload(client, 5, index), hours=2), ended(upload(client, 7, index), minutes=30)
    tidy.tidy()
    assert list(Job.objects.live()) == [new]
    assert count(index) == 7
    work.until_idle()
    assert not old.folder.exists() and not Batch.objects.filter(job=old.pk).exists()
    (removal,) = Removal.objects.all()
    assert (removal.job, removal.why, removal.takes, removal.files, removal.packets) == (old.pk, "age", "all", 1, 5)
    assert removal.bytes > 5 * 40
    recorded = {entry.action: entry.details for entry in AuditEntry.objects.filter(object=f"job {old.pk}")}
    assert recorded["retention"]["takes"] == "all" and recorded["retention"]["packets"] == 5
    assert list(check_all(index)) == []


@pytest.mark.parametrize("takes", ["captures", "index"])
def test_one_of_both(client, index, settings, takes: str):
    settings.RETENTION_AGE, settings.RETENTION_TAKES = 3600.0, takes
    job = ended(upload(client, 5, index), hours=2)
    size = CaptureFile.objects.get(job=job).size
    for _ in range(2):  # and not once more
        tidy.tidy()
        work.until_idle()
    job.refresh_from_db()
    (removal,) = Removal.objects.all()
    if takes == "captures":
        assert count(index) == 5 and not (job.folder / "capture").exists()
        assert (removal.files, removal.bytes, removal.packets) == (1, size, 0)
        assert job.gone == {"files": 1, "file_bytes": size}
    else:
        assert count(index) == 0 and (job.folder / "capture").stat().st_size == size
        assert (removal.files, removal.bytes, removal.packets) == (0, 0, 5)
        assert job.packets_indexed == 0
        assert client.get(f"/jobs/{job.pk}/").json()["packets"]["removed"] == 5
    assert list(check_all(index)) == []
    page = client.get(f"/jobs/{job.pk}/", headers={"accept": "text/html"}).content.decode()
    assert "Taken" in page
    assert ("Its bytes were removed by retention." in page) == (takes == "captures")


def test_by_bytes_who_ended_first(client, settings):
    first, second, third = (ended(upload(client, 100), hours=ago) for ago in (1, 3, 2))
    settings.RETENTION_BYTES = captured_bytes() - 1
    tidy.tidy()
    assert set(Job.objects.live()) == {first, third}
    settings.RETENTION_BYTES = 1
    tidy.tidy()
    assert not Job.objects.live().exists()
    assert [one.job for one in Removal.objects.order_by("id")] == [second.pk, third.pk, first.pk]
    assert {one.why for one in Removal.objects.all()} == {"bytes"}


def test_a_job_has_a_say(client, settings):
    settings.RETENTION_AGE, settings.RETENTION_BYTES = 3600.0, 1
    kept = ended(upload(client, 5, retention="keep"), days=100)
    own = ended(upload(client, 6, keep_seconds="24h", retention="captures"), hours=2)
    tidy.tidy()  # by bytes its captures go; its packets stay
    assert set(Job.objects.live()) == {kept, own}
    assert count("net") == 11
    assert [(one.job, one.why, one.takes) for one in Removal.objects.all()] == [(own.pk, "bytes", "captures")]
    settings.RETENTION_BYTES = 0
    job = ended(upload(client, 5, keep_seconds=60), minutes=2)
    tidy.tidy()
    assert job not in Job.objects.live() and Removal.objects.latest("id").why == "job age"


def test_the_oldest_files_of_a_job_go(client, index):
    """A job with three files, as a live one has."""
    job = upload(client, 30, index, bufsize=10)
    whole = CaptureFile.objects.get(job=job)
    batches = list(Batch.objects.filter(job=job.pk).order_by("sequence"))
    assert len(batches) == 3
    for number, batch in enumerate(batches[:2]):
        path = f"captures/{job.pk}/file{number}"
        (job.folder / f"file{number}").write_bytes(b"x" * 100)
        CaptureFile.objects.create(job=job, sequence=number - 2, path=path, size=100, stored=True, scan_state="done")
        Batch.objects.filter(pk=batch.pk).update(capture=path)
    CaptureFile.objects.filter(pk=whole.pk).update(size=150)
    Job.objects.filter(pk=job.pk).update(options={**job.options, "keep_bytes": 250})
    tidy.tidy()
    work.until_idle()
    assert [file.sequence for file in CaptureFile.objects.filter(job=job).order_by("sequence")] == [-1, 0]
    assert not (job.folder / "file0").exists() and (job.folder / "file1").exists()
    assert count(index) == 20
    (removal,) = Removal.objects.all()
    assert (removal.why, removal.files, removal.bytes, removal.packets) == ("job bytes", 1, 100, 10)


@pytest.mark.parametrize("state", ["queued", "running", "stopping"])
def test_what_runs_is_not_taken(client, settings, state: str):
    job = ended(upload(client, 5), days=9)
    settings.RETENTION_AGE, settings.RETENTION_BYTES = 1.0, 1
    found = due()
    assert found is not None and found.job == job.pk
    Job.objects.filter(pk=job.pk).update(state=state)
    assert due() is None
    # Nor where it was retried after it was found.
    from retention.take import take

    for takes in ("all", "captures", "index"):
        assert take(type(found)(found.job, found.why, takes)) is None  # type: ignore[arg-type]
    assert Job.objects.live().filter(pk=job.pk).exists() and CaptureFile.objects.get(job=job).file.exists()
    assert not Removal.objects.exists()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("retention", "never", "must be one of keep, captures, index, all"),
        ("keep_bytes", "-1", "from 0"),
        ("keep_seconds", "x", "x"),
    ],
)
def test_a_bad_option_is_named(client, option: str, value: str, words: str):
    answer = client.post(f"/jobs/?{option}={value}", b"x", content_type="application/octet-stream")
    assert answer.status_code == 400 and option in answer.json()["detail"] and words in answer.json()["detail"]


def test_the_status_page_says_it(client, settings):
    settings.RETENTION_AGE, settings.RETENTION_BYTES = 3600.0, 10**9
    ended(upload(client, 5), hours=2)
    tidy.tidy()
    said = client.get("/system/").json()["parts"]["retention"]
    assert said["detail"] == "all: 3600 s after the job's end, all captures within 1,000,000,000 bytes"
    assert said["removed"]["packets"] == 5 and said["lately"][0]["why"] == "age" and not said["over"]
    assert "Retention" in client.get("/system/", headers={"accept": "text/html"}).content.decode()
    assert json.dumps(said)
