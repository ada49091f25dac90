"""The list of jobs shows what live jobs capture, and how fast."""

from __future__ import annotations

import re
from types import SimpleNamespace

from capture.models import Job
from tests.live_rows import grow, live_job


def test_the_list_shows_interfaces_and_rates(get, monkeypatch):
    job = live_job(["eth0", "eth1"], "running")
    Job.objects.filter(pk=job.pk).update(name="uplink")
    job.refresh_from_db()
    grow(job, 1_000)
    # The page may take longer than rates are those of now.
    monkeypatch.setattr("capture.rates.time", SimpleNamespace(time=lambda: job.live.rates[-1][0] + 1.5))
    page = get("/jobs/")
    assert re.search(rf'<tr data-key="{job.pk}">.*uplink</a> <span class="dim">live on eth0, eth1</span>.*1,000 packets/s', page)
    live_job(["eth0"], "done")
    assert page.count("data-live") == 1
