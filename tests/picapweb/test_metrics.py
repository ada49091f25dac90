"""/metrics, read by Prometheus' own parser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from capture.models import CaptureFile, Job, LiveWorker
from indexing.models import Batch, PacketIndex
from picapweb import counts
from tests.live_rows import grow, interface, live_job
from tests.server import ROOT

NAME = 'us\\xffb "0"\n'


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost"})


def scrape(client: Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All samples by name and labels; twice the same one would be an error of Prometheus."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    samples: dict[Any, float] = {}
    for family in parse(answer.content.decode()):
        assert family.documentation and family.type in ("gauge", "counter", "histogram")
        for one in family.samples:
            key = (one.name, frozenset(one.labels.items()))
            assert key not in samples
            samples[key] = one.value
    return samples


def of(samples: Any, metric: str, /, **labels: str) -> float | None:
    return samples.get((metric, frozenset(labels.items())))


def test_an_empty_house(client):
    samples = scrape(client)
    assert of(samples, "picapweb_jobs", state="running", kind="interface") == 0
    assert of(samples, "picapweb_batches", state="ready") == 0
    assert of(samples, "picapweb_packets", kind="removed") == 0
    assert (of(samples, "picapweb_data_free_bytes") or 0) > 0


def test_a_live_job(client):
    job = live_job(["eth0", NAME], "running", states=[interface("eth0"), interface(NAME)])
    grow(job, 1_000)
    for sequence in (0, 1):
        CaptureFile.objects.create(job=job, sequence=sequence, path="x", size=500)
    Job.objects.filter(pk=job.pk).update(gone={"files": 3, "indexed": 70}, packets_indexed=30)
    samples = scrape(client)
    whole = {"job": str(job.pk), "name": job.name}
    assert of(samples, "picapweb_live_captured_packets_total", interface="eth0", **whole) == 1_000
    assert of(samples, "picapweb_live_captured_packets_total", interface=NAME, **whole) == 1_000
    assert of(samples, "picapweb_live_received_packets_total", interface="eth0", **whole) == 1_001
    assert of(samples, "picapweb_live_dropped_by_kernel_packets_total", interface="eth0", **whole) == 1
    assert of(samples, "picapweb_live_dropped_by_interface_packets_total", interface="eth0", **whole) == 0
    assert of(samples, "picapweb_live_captured_bytes_total", interface="eth0", **whole) == 600_000
    assert of(samples, "picapweb_live_capturing", **whole) == 1
    assert of(samples, "picapweb_live_lag_packets", **whole) == 500
    assert of(samples, "picapweb_live_lag_seconds", **whole) == 0.5
    assert of(samples, "picapweb_live_ring_files", **whole) == 2
    assert of(samples, "picapweb_live_ring_bytes", **whole) == 1_000
    assert of(samples, "picapweb_packets", kind="removed") == 70
    assert of(samples, "picapweb_packets", kind="indexed") == 30
    assert of(samples, "picapweb_jobs", state="running", kind="interface") == 1


def test_live_jobs_that_ended_long_ago_or_were_deleted_are_left_out(client):
    lately, long_ago, deleted = (live_job(["eth0"], "done") for _ in range(3))
    Job.objects.filter(pk=long_ago.pk).update(finished=timezone.now() - timedelta(hours=2))
    Job.objects.filter(pk=deleted.pk).update(deleted=timezone.now())
    labels = {dict(labels).get("job") for name, labels in scrape(client) if name == "picapweb_live_lag_packets"}
    assert labels == {str(lately.pk)}
    assert of(scrape(client), "picapweb_jobs", state="done", kind="interface") == 2


def test_live_workers(client):
    LiveWorker.objects.create(host="a", worker="a/1", beat=timezone.now())
    LiveWorker.objects.create(host="b", worker="b/1", beat=timezone.now() - timedelta(minutes=5))
    samples = scrape(client)
    assert of(samples, "picapweb_live_worker_up", host="a") == 1
    assert of(samples, "picapweb_live_worker_up", host="b") == 0
    assert 299 < (of(samples, "picapweb_live_worker_beat_age_seconds", host="b") or 0) < 400


def test_batches_by_state(client):
    index = PacketIndex.objects.create(name="net")
    figures = {"fields": [], "first_column": 0, "packets": 1, "read": 1, "filtered_out": 0}
    for sequence, state in enumerate(["ready", "visible", "visible"]):
        Batch.objects.create(index=index, job=1, sequence=sequence, state=state, **figures)
    samples = scrape(client)
    assert [of(samples, "picapweb_batches", state=state) for state in ("ready", "visible", "failed")] == [1, 2, 0]


def test_openmetrics_where_it_is_asked_for(client):
    grow(live_job(["eth0"], "running"), 10)
    answer = client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert any(family.name == "picapweb_live_captured_packets" for family in parse_openmetrics(answer.content.decode()))


def test_queries_do_not_grow_with_jobs(client):
    """jobs by state, their packets, what left with rings; live jobs, their files; batches; live workers; deliveries, alerts,
    removals."""
    live_job(["eth0"], "running")
    with CaptureQueriesContext(
        connection,
    ) as few:
        scrape(client)
    for _ in range(20):
        live_job(["eth0", "eth1"], "running")
    with CaptureQueriesContext(connection) as many:
        scrape(client)
    assert len(many) == len(few) == 10


def test_every_metric_is_documented(client):
    live_job(["eth0"], "running")
    LiveWorker.objects.create(host="a", worker="a/1", beat=timezone.now())
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    families = {family.name: family for family in parse(client.get("/metrics").content.decode())}
    assert set(counts.FAMILIES) < set(families) and len(families) > 30
    for name, family in families.items():
        name += "_total" if family.type == "counter" else ""
        # Those of one row of the table stand there by their endings.
        assert f"`{name}`" in text or f"`{name.removeprefix('picapweb_live')}`" in text, name


def test_only_reading(client):
    assert client.post("/metrics").status_code == 405
    assert "no-cache" in client.get("/metrics")["Cache-Control"]


def test_postgres_away(db):
    def fail(*_: object) -> None:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(fail):
        answer = Client(headers={"host": "localhost"}).get("/metrics")
    assert (answer.status_code, answer.json()["part"]) == (503, "Postgres")


def test_in_server_mode_it_needs_a_sign_in(settings):
    settings.LOCAL_MODE, settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = False, ["picap.example"], False
    assert Client(headers={"host": "picap.example"}).get("/metrics").status_code == 401
