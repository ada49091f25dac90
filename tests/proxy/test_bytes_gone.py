"""A packet whose ring file was removed while its index was kept: what the index knows is shown, and that the bytes are gone."""

from __future__ import annotations

import pytest
from django.test import Client

from capture.models import CaptureFile, Job
from proxy import locate
from tests.jobs import run_job
from tests.live_rows import live_job

CAPTURE = "pcaps/protocols/dpkt__nb6-http.pcap"


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"})


@pytest.fixture
def job(data, shared) -> Job:
    """A live job with packets whose file is gone; its rows are those of a file's job."""
    job = run_job(shared / CAPTURE)
    CaptureFile.objects.get(job=job).file.unlink()
    return live_job(["eth0"], "running", job=job, options={"ring_files": 4, "ring_keep_index": True})


def test_the_page_says_so_and_shows_what_the_index_knows(client, job, shared):
    whole = client.get("/packets/net/3/")
    assert whole.status_code == 200
    page = whole.content.decode()
    assert f"the ring file that held them was removed by job {job.pk}, which keeps the last 4 ring files" in page
    assert "<strong>No layers.</strong>" in page and "<strong>No bytes.</strong>" in page
    assert 'id="hexdump"' not in page and 'class="wrong"' not in page
    # Neighbours, time, lengths and values come from locator and index.
    assert 'href="/packets/net/2/"' in page and 'href="/packets/net/4/"' in page
    assert "<time datetime=" in page and "captured of" in page
    assert "field=netsrc" in page


def test_the_json_twin(client, job):
    said = client.get(f"/jobs/{job.pk}/packets/4/?as=json").json()
    assert said["bytes_gone"].startswith("the ring file that held them was removed")
    assert (said["bytes"], said["layers"]) == ("", [])
    assert said["number"] == 4 and said["length"] > 0 and said["time"]
    assert {one["field"] for one in said["values"]} >= {"netsrc", "netdst", "transdst"}


def test_a_stored_file_that_somebody_removed(client, data, shared):
    job = run_job(shared / CAPTURE)
    CaptureFile.objects.get(job=job).file.unlink()
    said = client.get("/packets/net/0/?as=json").json()
    assert said["bytes_gone"] == "the stored capture is not there any more"


def test_without_its_locator_a_packet_is_not_there(client, job):
    locate._locator.clear()
    for path in job.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    answer = client.get("/packets/net/3/?as=json")
    assert answer.status_code == 404
    assert f"is gone with the ring file of job {job.pk}" in answer.json()["detail"]
