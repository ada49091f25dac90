"""A tag that is being written while jobs are deleted and values are freed; packets of a turning ring's generation."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from django.db import connection, transaction

from capture.models import Job
from capture.services import control, work
from indexing import checking, store, translation, translation_freeing
from indexing.models import Batch
from indexing.translation_used import used_rows
from proxy.ask import every_packet, in_rows
from proxy.saved import tags
from tests.jobs import order_job, run_job


def tagged(api, index: str) -> dict[str, int]:
    return {one["tag"]: one["packets"] for one in api.get(f"/packets/tags?index={index}").json()["tags"]}


def test_packets_of_generations_are_tagged_where_they_lie(api, index, capture):
    order_job(capture, index=index, bufsize=60)
    work.step()  # the scan
    for batch in Batch.objects.order_by("first_column")[1:4]:
        Batch.objects.filter(pk=batch.pk).update(generation=2)
    work.until_idle()
    assert sorted({batch.generation for batch in Batch.objects.all()}) == [0, 2]
    said = api.post("/packets/tags", {"index": index, "tag": "t", "q": "udp"}).json()
    assert tagged(api, index) == {"t": said["packets"]} and said["changed"] == said["packets"]
    gone = api.delete("/packets/tags", {"index": index, "tag": "t", "q": "udp.dstport == 53"}).json()
    assert tagged(api, index) == {"t": said["packets"] - gone["changed"]}


def test_a_job_is_deleted_after_the_step_that_tags_its_packets(api, index, capture):
    job = run_job(capture, index=index)
    columns = np.arange(job.packets_indexed, dtype=np.uint64)
    deleting = threading.Thread(target=_delete, args=[job.pk])
    with transaction.atomic():
        held = tags.hold(index, columns)
        assert sum(some.size for some in held.values()) == columns.size
        deleting.start()
        _wait_for_a_lock()
        row = int(translation.lookup(index, {"tag": [b"t"]})["tag"].get(b"t", 1))
        store.backend().write_row(index, "tag", row, held)
        assert Job.objects.live().filter(pk=job.pk).exists()
    deleting.join()
    work.until_idle()
    assert used_rows(store.backend(), index, "tag", row, row).size == 0
    assert tags.hold(index, columns) == {}


def _delete(pk: int) -> None:
    try:
        control.delete(Job.objects.get(pk=pk))
    finally:
        connection.close()


def _wait_for_a_lock() -> None:
    """Until another session stands still behind ours."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")  # pg_stat_activity stands still in a transaction
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)


def test_a_tag_without_packets_yet_that_was_marked_as_unused(api, index, capture, monkeypatch):
    monkeypatch.setattr(translation_freeing, "GRACE_SECONDS", 0.0)
    job = run_job(capture, index=index)
    writer = tags._Writer(index, b"t", True)
    with transaction.atomic():
        translation_freeing.want([index])
    while translation_freeing._look_on():
        pass
    assert translation.catch_up(index) != writer._epoch  # it was marked
    assert writer.write(in_rows(index, every_packet()), 0) == job.packets_indexed
    while translation_freeing._settle_one():
        pass
    assert tagged(api, index) == {"t": job.packets_indexed}
    assert not list(checking.check(index))


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_small_batches_that_became_one_in_between_are_found(index, capture, monkeypatch):
    job = run_job(capture, index=index, bufsize=60)
    writer = tags._Writer(index, b"t", True)
    hold, calls = tags.hold, []

    def late(name, columns):
        """As if the batches had been merged since the statement's snapshot: what it found of them is gone."""
        calls.append(columns.size)
        held = hold(name, columns)
        return {} if len(calls) == 1 else held

    monkeypatch.setattr(tags, "hold", late)
    assert writer.write(in_rows(index, every_packet()), 0) == job.packets_indexed
    assert calls == [job.packets_indexed] * 2
