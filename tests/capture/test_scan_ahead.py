"""A scan does not run far ahead of the workers: what it read is still in memory when it is dissected."""

from __future__ import annotations

import pytest

from capture.services import scan, work
from indexing import batches
from indexing.models import Batch, BatchState
from tests.jobs import order_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


@pytest.fixture
def near(monkeypatch):
    """Bounds that a capture of 100 KB meets."""
    monkeypatch.setattr(scan, "AHEAD_BYTES", 20_000)
    monkeypatch.setattr(scan, "GO_ON_BYTES", 8_000)
    monkeypatch.setattr(scan, "LOOK_BYTES", 1000)


def test_a_scan_pauses_and_goes_on(data, index, shared, near):
    job = order_job(shared / CAPTURE, index=index, bufsize=5)
    largest, pauses = 0, 0
    capture = scan.claim()
    while True:
        assert capture is not None
        scan.run(capture)
        largest = max(largest, batches.waiting_bytes(job.pk))
        if Batch.objects.filter(job=job.pk).count() > 1 and scan.claim() is None:
            pauses += 1
        while (capture := scan.claim()) is None:
            claimed = batches.claim([])
            if claimed is None:
                break
            work.run_batch(*claimed)
        if capture is None:
            break
    job.refresh_from_db()
    assert (job.state, job.packets_indexed) == ("done", job.packets_read)
    assert pauses > 1
    assert 20_000 < largest < 40_000
    assert not Batch.objects.filter(job=job.pk).exclude(state=BatchState.VISIBLE).exists()


def test_a_whole_job_with_one_worker(data, index, shared, near):
    job = order_job(shared / CAPTURE, index=index, bufsize=5)
    work.until_idle()
    job.refresh_from_db()
    assert (job.state, job.packets_indexed) == ("done", job.packets_read)
