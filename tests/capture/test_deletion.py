"""Deletion is real: out of every answer at once, then its bits, its values, its files; on both backends, after a restart too."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from capture.models import Job
from capture.services import control, work
from indexing import store, translation, translation_freeing
from indexing.calls import Call, CountResult, RowRef
from indexing.models import Batch, TranslationDying, TranslationField, TranslationValue
from indexing.translation_used import used_rows
from proxy.ask import ask_text
from tests.jobs import run_job
from tests.pilosa import free_port, start_pilosa

CAPTURE, PACKETS = "pcaps/protocols/zeek__wikipedia.pcap", 136
OTHER = "pcaps/protocols/zeek__http__bro.org.pcap"
FIELDS = ("netsrc", "netdst", "http-hostname", "http-useragent", "community-id")

Restart = Callable[[], None]


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch):
    monkeypatch.setattr(translation_freeing, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(translation_freeing, "_resting_until", 0.0)  # whatever a test before met
    monkeypatch.setattr(translation, "TRUST_SECONDS", 0.0)


@pytest.fixture(params=["embedded", "pilosa"])
def restart(request, data, settings, tmp_path_factory) -> Iterator[Restart]:
    """A backend of the test's own; what is given ends it and begins it anew, with an empty cache of values."""
    if request.param == "embedded":
        yield lambda: (store.close(), translation.clear_cache())
        return
    folder, port = tmp_path_factory.mktemp("pilosa"), free_port()
    servers = [start_pilosa(folder, port)]
    settings.INDEX_URL = servers[0].url
    store.close()

    def again() -> None:
        servers.pop().stop()
        servers.append(start_pilosa(folder, port))
        store.close()
        translation.clear_cache()

    yield again
    store.close()
    servers.pop().stop()


def answers(index: str, *jobs: int) -> list[Any]:
    """Counts of jobs, and the values of some fields with their counts, as users get them."""
    counts = [ask_text(index, f"Count(Row(job={job}))").results[0].count for job in jobs]
    tops = [{pair.key: pair.count for pair in ask_text(index, f"TopN({name}, n=0)").results[0].pairs} for name in FIELDS]
    return [counts, tops]


def count_without_mask(index: str, job: int) -> int:
    result = store.backend().query(index, [Call("Count", [Call("Row", args={"row": RowRef("job", job)})])])[0]
    assert isinstance(result, CountResult)
    return result.count


def assert_values_are_those_in_use(index: str) -> None:
    """In each field the row ids that have a value are those that have a column."""
    assert not TranslationDying.objects.exists()
    for field in TranslationField.objects.filter(index=index):
        have = sorted(TranslationValue.objects.filter(field=field).values_list("row", flat=True))
        assert have == used_rows(store.backend(), index, field.field, 1, 10**6).tolist(), field.field


def test_a_deleted_job_goes_step_by_step_and_leaves_nothing(restart, shared):
    index = f"i{uuid.uuid4().hex[:12]}"
    kept = run_job(shared / OTHER, index=index)
    alone = answers(index, kept.pk)
    job = run_job(shared / CAPTURE, index=index)
    folder = job.folder
    before = answers(index, kept.pk, job.pk)
    assert before[0] == [kept.packets_indexed, PACKETS]
    assert any(only - alone[1][0].keys() for only in [before[1][0].keys()]), "it brought addresses of its own"
    values = TranslationValue.objects.count()

    control.delete(job)
    between = [[alone[0][0], 0], alone[1]]
    assert answers(index, kept.pk, job.pk) == between
    assert folder.exists()
    assert TranslationValue.objects.count() == values, "in the background, not now"
    restart()
    assert answers(index, kept.pk, job.pk) == between

    work.until_idle()
    assert answers(index, kept.pk, job.pk) == between
    assert count_without_mask(index, job.pk) == 0
    assert not folder.exists()
    assert not Job.objects.filter(pk=job.pk).exists()
    assert not Batch.objects.filter(job=job.pk).exists()
    assert TranslationValue.objects.count() < values
    assert_values_are_those_in_use(index)
    restart()
    assert answers(index, kept.pk, job.pk) == between
    assert_values_are_those_in_use(index)

    again = run_job(shared / CAPTURE, index=index)
    assert again.packets_indexed == PACKETS
    after = answers(index, kept.pk, again.pk)
    assert after == before
    assert_values_are_those_in_use(index)
    for one in (kept, again):
        control.delete(one)
    work.until_idle()
    assert TranslationValue.objects.count() == 0


def test_a_batch_that_was_dissected_before_the_values_went_is_resolved_again(index, shared, monkeypatch):
    """Its values were another job's alone, which is deleted and cleared while this batch has not been imported yet."""
    first = run_job(shared / CAPTURE, index=index)
    import_, times = work._import, []

    def late(*args):
        if not times:
            times.append(1)
            control.delete(first)
            assert control.clear_one_deleted()
            while translation_freeing.free_once():
                pass
            assert TranslationValue.objects.count() == 0
        return import_(*args)

    monkeypatch.setattr(work, "_import", late)
    second = run_job(shared / CAPTURE, index=index, again=True)
    assert times
    assert second.packets_indexed == PACKETS == count_without_mask(index, second.pk)
    assert_values_are_those_in_use(index)
    pairs = ask_text(index, "TopN(netsrc, n=0)").results[0].pairs
    assert sum(pair.count for pair in pairs) <= PACKETS and all(pair.key for pair in pairs)
    assert np.all([pair.id > 0 for pair in pairs])


def test_values_are_freed_while_work_never_ends(data, shared, monkeypatch):
    """A worker that always finds something to index tidies up all the same."""
    job = run_job(shared / CAPTURE)
    control.delete(job)
    monkeypatch.setattr(work, "TIDY_SECONDS", 0.0)
    monkeypatch.setattr(work, "step", lambda _: False)  # there is tidying in a turn's own beginning, whatever its steps are
    for _ in range(100):
        work.turn()
    assert not TranslationValue.objects.exists()
    assert not Job.objects.exists()
