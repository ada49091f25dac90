"""Batches that become one, or whose locators go, between the two passes of an export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from capture.packets.locator import read_locator_and_names, write_locator
from indexing.models import Batch
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/dpkt__nb6-http.pcap"


@pytest.fixture
def job(data, shared, two_passes):
    return run_job(shared / CAPTURE, bufsize=20)


def merge_all(job) -> list[Path]:
    """Makes the job's batches one, as indexing.merging does; the locators that are left behind."""
    rows = list(Batch.objects.filter(job=job.pk, packets__gt=0).order_by("first_column"))
    assert len(rows) > 2
    folder = Path(settings.PICAPWEB_DATA)
    parts = [read_locator_and_names(folder / row.locator) for row in rows]
    old = [folder / row.locator for row in rows]
    first = rows[0]
    first.locator += "-merged"
    first.packets = first.read = sum(row.packets for row in rows)
    write_locator(folder / first.locator, np.concatenate([part for part, _ in parts]), parts[0][1])
    Batch.objects.filter(pk__in=[row.pk for row in rows[1:]]).delete()
    first.save()
    return old


@pytest.mark.parametrize("form", ["pcap", "pcapng", "jsonl"])
def test_merged_after_the_head_the_file_is_the_same(client, export, job, form):
    whole = export(format=form).body
    answer = client.get(f"/packets/export?format={form}")
    for path in merge_all(job):
        path.unlink()  # as when their grace is over
    assert b"".join(answer.streaming_content) == whole


def test_a_locator_that_is_gone_before_is_packets_that_are_gone(export, job):
    batch = Batch.objects.filter(job=job.pk).order_by("first_column")[1]
    (Path(settings.PICAPWEB_DATA) / batch.locator).unlink()
    for form in ("pcapng", "csv"):
        refused = export(format=form)
        assert (refused.status, refused.problem["gone"]) == (410, batch.packets)
    kept = export(format="pcapng", gone="skip").headers
    assert kept["Picapweb-Packets"] == str(job.packets_indexed - batch.packets)
