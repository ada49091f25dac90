"""A cluster of Pilosa that loses a node: a job waits and names it; when it is back, all is done that was asked for."""

from __future__ import annotations

import json
import time

from django.test import Client

from capture.models import JobState
from capture.services import work
from indexing import store
from indexing.calls import CountResult
from indexing.models import Batch
from proxy.ask import ask_text
from tests.jobs import order_job
from tests.pilosa import PilosaCluster, pilosa_cluster, started_cluster  # noqa: F401

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


def test_a_job_waits_for_a_lost_node_and_goes_on(
    data,
    shared,
    settings,
    pilosa_cluster: PilosaCluster,  # noqa: F811
) -> None:
    settings.INDEX_URL = pilosa_cluster.url
    store.close()
    job = order_job(shared / CAPTURE, index="loses", bufsize=50)
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.DONE

    lost = pilosa_cluster.nodes[1]
    lost.kill()
    second = order_job(shared / CAPTURE, index="loses", bufsize=50, again=True)
    work.until_idle()
    second.refresh_from_db()
    assert second.state == JobState.RUNNING
    assert lost.name in second.waiting_for
    Client(headers={"host": "localhost"}).delete(f"/jobs/{job.pk}/")

    pilosa_cluster.whole()
    Batch.objects.update(not_before=None)
    work.until_idle()
    second.refresh_from_db()
    assert (second.state, second.waiting_for) == (JobState.DONE, "")
    counts = f"Count(Row(job={job.pk}))Count(Row(job={second.pk}))"
    assert ask_text("loses", counts).results == [CountResult(0), CountResult(136)]
    store.backend().drop_index("loses")


def test_a_node_that_hangs_is_a_503_that_names_it(
    data,
    settings,
    pilosa_cluster: PilosaCluster,  # noqa: F811
) -> None:
    settings.INDEX_URL = pilosa_cluster.url
    store.close()
    store.ensure_index("net")
    pilosa_cluster.nodes[2].pause()
    response = Client(headers={"host": "localhost"}).post(
        "/index/net/query", data="Count(Row(tcp=1))", content_type="text/plain", headers={"accept": "application/json"}
    )
    assert response.status_code == 503
    assert pilosa_cluster.nodes[2].name in json.loads(response.content)["error"]  # as Pilosa, errors are text
    pilosa_cluster.whole()
    time.sleep(3.1)  # it is left alone for so long
    store.backend().drop_index("net")
