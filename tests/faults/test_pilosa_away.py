"""A Pilosa that is away: jobs wait and name it, pages and API say so; when it is back, the job is indexed exactly once."""

from __future__ import annotations

import pytest
from django.test import Client

from capture.models import JobState
from capture.services import work
from indexing import store
from indexing.calls import CountResult
from indexing.models import Batch
from proxy.ask import ask_text
from tests.jobs import order_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
AWAY = "127.0.0.1:1"


@pytest.fixture
def away(data, settings):
    settings.INDEX_URL = f"pilosa://{AWAY}"
    store.close()
    return settings


def test_a_job_waits_for_it_and_goes_on(away, shared, pilosa_server):
    job = order_job(shared / CAPTURE, index="waits", bufsize=50)
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    assert AWAY in job.waiting_for

    away.INDEX_URL = pilosa_server.url
    store.close()
    Batch.objects.update(not_before=None)
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.waiting_for) == (JobState.DONE, "")
    assert ask_text("waits", f"Count(Row(job={job.pk}))").results == [CountResult(136)]


@pytest.mark.parametrize("path", ["/packets/", "/top/?field=netsrc", "/fields/"])
def test_the_api_says_that_the_index_is_away(away, path):
    response = Client(headers={"host": "localhost"}).get(path)
    assert response.status_code == 503
    assert response["Retry-After"]
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["part"] == "index"
    assert AWAY in response.json()["detail"]


@pytest.mark.parametrize("path", ["/explore/", "/query/?q=Count(Row(tcp=1))", "/top/?field=netsrc", "/fields/"])
def test_pages_say_that_the_index_is_away(away, path):
    response = Client(headers={"host": "localhost", "accept": "text/html"}).get(path)
    assert response.status_code == 503
    assert AWAY in response.content.decode()


def test_a_jobs_page_is_there_all_the_same(away, shared):
    job = order_job(shared / CAPTURE)
    work.until_idle()
    response = Client(headers={"host": "localhost", "accept": "text/html"}).get(f"/jobs/{job.pk}/")
    assert response.status_code == 200
    assert AWAY in response.content.decode()


def test_a_job_cannot_be_deleted_meanwhile_and_is_not_half_gone(away, shared):
    job = order_job(shared / CAPTURE)
    work.until_idle()
    client = Client(headers={"host": "localhost"})
    response = client.delete(f"/jobs/{job.pk}/")
    assert response.status_code == 503
    assert client.get(f"/jobs/{job.pk}/").status_code == 200
