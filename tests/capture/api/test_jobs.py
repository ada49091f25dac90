"""The job resource: list, one, stop, retry, delete, events, the stored capture."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from capture.models import Job
from capture.services import control
from tests.jobs import order_job, run_job

CAPTURE = "pcaps/protocols/dpkt__nb6-http.pcap"


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost"})


@pytest.fixture
def job(data, shared) -> Job:
    return run_job(shared / CAPTURE)


def test_the_job_has_the_shape_of_the_api(client, job):
    said = client.get(f"/jobs/{job.pk}/").json()
    wanted = [
        "id",
        "url",
        "name",
        "kind",
        "state",
        "error",
        "index",
        "filter",
        "options",
        "created",
        "started",
        "finished",
        "progress",
        "packets",
        "bytes",
        "capture",
        "columns",
    ]
    assert set(wanted) <= set(said)
    counters = {"read", "indexed", "filtered_out", "failed", "undecodable", "handed_over", "dropped", "removed"}
    assert set(said["packets"]) == counters
    assert said["live"] is None
    assert said["progress"].keys() == {"fraction", "packets_per_second", "eta_seconds"}
    assert said["capture"]["linktypes"] == ["EN10MB"]
    assert said["capture"]["format"] == "pcap"
    assert said["capture"]["first_time"].endswith("Z")


def test_the_list_is_paginated_newest_first(client, data, shared):
    for n in range(3):
        order_job(shared / CAPTURE, again="true", name=f"job {n}")
    page = client.get("/jobs/?limit=2").json()
    assert (page["count"], [one["name"] for one in page["results"]], page["previous"]) == (3, ["job 2", "job 1"], None)
    last = client.get(page["next"]).json()
    assert ([one["name"] for one in last["results"]], last["next"]) == (["job 0"], None)


def test_the_list_is_filtered(client, data, shared):
    order_job(shared / CAPTURE, name="web", tags="a,b")
    control.stop(order_job(shared / CAPTURE, name="mail", again="true", index="other"))
    for query, names in (
        ("state=stopped", ["mail"]),
        ("tag=b", ["web"]),
        ("index=other", ["mail"]),
        ("text=WE", ["web"]),
        ("kind=interface", []),
    ):
        assert [one["name"] for one in client.get(f"/jobs/?{query}").json()["results"]] == names, query


@pytest.mark.parametrize("query", ["state=finished", "kind=x", "limit=0", "page=x", "limit=9999999"])
def test_a_bad_list_parameter_is_named(client, query):
    response = client.get(f"/jobs/?{query}")
    assert response.status_code == 400
    assert response.json()["option"] == query.split("=")[0]


def test_a_page_that_is_not_there(client):
    assert client.get("/jobs/?page=2").status_code == 404


@pytest.mark.parametrize("path", ["", "stop/", "retry/", "events/", "pcap", "packets/1/"])
def test_a_job_that_is_not_there(client, path):
    method = client.post if path in ("stop/", "retry/") else client.get
    response = method(f"/jobs/999999/{path}")
    assert response.status_code == 404
    assert response.json()["detail"] == "there is no job 999999"


def test_stop_and_retry(client, data, shared):
    job = order_job(shared / CAPTURE)
    assert client.post(f"/jobs/{job.pk}/stop/").json()["state"] == "stopped"
    assert client.post(f"/jobs/{job.pk}/stop/").status_code == 409
    assert client.post(f"/jobs/{job.pk}/retry/").json()["state"] == "queued"
    assert client.post(f"/jobs/{job.pk}/retry/").status_code == 409


def test_delete(client, job):
    assert client.delete(f"/jobs/{job.pk}/").status_code == 204
    assert client.get(f"/jobs/{job.pk}/").status_code == 404
    assert client.delete(f"/jobs/{job.pk}/").status_code == 404


def test_events_end_with_the_job(client, job):
    response = client.get(f"/jobs/{job.pk}/events/")
    assert response["Content-Type"] == "text/event-stream"
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("event: job\ndata: ")
    assert json.loads(text.split("data: ")[1])["state"] == "done"


def test_the_stored_capture_comes_back(client, job, shared):
    response = client.get(f"/jobs/{job.pk}/pcap")
    assert b"".join(response.streaming_content) == (shared / CAPTURE).read_bytes()
    assert 'filename="dpkt__nb6-http.pcap"' in response["Content-Disposition"]


def test_an_unknown_method(client, job):
    assert client.put(f"/jobs/{job.pk}/").status_code == 405


def test_interfaces(client):
    found = client.get("/interfaces/").json()
    assert {"name", "addresses", "up", "capturable", "why_not", "host", "linktype", "linktype_name", "jobs"} <= set(found[0])
    assert any(one["name"] == "lo" for one in found)
