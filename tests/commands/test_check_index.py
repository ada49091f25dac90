"""manage.py check_index: silent about an index that is right, also while workers work on it; names everything that is not."""

from __future__ import annotations

import io
import json
import threading

import lmdb
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from capture.models import CaptureFile, Job
from capture.services import control, work
from indexing import checking_digest, store, translation
from indexing.backends.base import BatchRange
from indexing.models import Batch, PacketIndex, TranslationValue
from tests.jobs import order_job, run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
PACKETS = 136


def check(*arguments: str) -> tuple[int, list[str]]:
    """Exit code and lines."""
    out = io.StringIO()
    try:
        call_command("check_index", *arguments, stdout=out)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue().splitlines()


def found(*arguments: str) -> list[dict]:
    code, lines = check("--json", *arguments)
    findings = [json.loads(line) for line in lines]
    assert code == (1 if [one for one in findings if not one["repaired"]] else 0)
    return findings


def kinds() -> set[str]:
    return {one["what"] for one in found()}


@pytest.fixture
def job(data, shared) -> Job:
    return clean_job(shared, "net")


@pytest.fixture
def job_on_both(index, shared) -> Job:
    return clean_job(shared, index)


def clean_job(shared, index: str) -> Job:
    job = run_job(shared / CAPTURE, index=index, bufsize=50)
    assert job.packets_indexed == PACKETS
    assert check() == (0, ["0 findings"])
    return job


def test_an_index_without_packets_is_right(data):
    assert check() == (0, ["0 findings"])


def test_an_index_that_does_not_exist_is_named(data):
    with pytest.raises(CommandError, match="no index 'other'") as refused:
        call_command("check_index", "--index", "other")
    assert refused.value.returncode == 2


def test_stopped_retried_and_deleted_jobs_are_right(job_on_both, shared):
    job = job_on_both
    other = order_job(shared / CAPTURE, index=job.index, bufsize=20, again=True)
    for _ in range(3):
        work.step()
    control.stop(other)
    work.until_idle()
    assert check() == (0, ["0 findings"])
    control.retry(other)
    work.until_idle()
    assert check() == (0, ["0 findings"])
    control.delete(job_on_both)
    assert check() == (0, ["0 findings"])
    work.until_idle()
    assert check() == (0, ["0 findings"])


def test_packets_that_the_backend_lacks_are_named(job_on_both):
    job = job_on_both
    batch = Batch.objects.get(sequence=1)
    store.backend().hide_batches(job.index, [BatchRange(batch.pk, batch.first_column, batch.packets)])
    findings = found()
    assert {"columns are missing", "packets of a job"} <= {one["what"] for one in findings}
    missing = next(one for one in findings if one["what"] == "columns are missing")
    assert (missing["batch"], missing["job"], missing["index"]) == (batch.pk, job.pk, job.index)
    code, lines = check()
    assert code == 1
    assert any(f"job {job.pk}, batch {batch.pk}" in line for line in lines)


def test_packets_that_nobody_knows_are_named_and_repaired(job_on_both, shared):
    job = job_on_both
    lost = run_job(shared / CAPTURE, index=job.index, bufsize=100, again=True)
    Batch.objects.filter(job=lost.pk).delete()
    lost.delete()
    assert "columns of no packet" in kinds()
    repaired = found("--repair")
    if store.backend().name == "embedded":
        assert [one["repaired"] for one in repaired if one["what"] == "batch that nobody knows"] == [True, True]
        assert check() == (0, ["0 findings"])


def test_a_failed_batch_that_is_in_answers_is_named(job):
    Batch.objects.filter(sequence=1).update(state="failed")
    assert {"columns of no packet", "packets of a job", "counter of a job"} <= kinds()


def test_a_wrong_counter_is_named(job):
    Job.objects.filter(pk=job.pk).update(packets_indexed=PACKETS - 1)
    assert kinds() == {"counter of a job", "counters do not add up"}


def test_a_row_without_a_value_is_named(job_on_both):
    job = job_on_both
    value = TranslationValue.objects.filter(field__index=job.index, field__field="netsrc").first()
    TranslationValue.objects.filter(field_id=value.field_id, row=value.row).delete()
    translation.clear_cache()
    (finding, *_) = [one for one in found() if one["what"] == "rows without a value"]
    assert finding["field"] == "netsrc"
    assert f"the first is {value.row}" in finding["words"]


def test_columns_that_would_be_given_out_twice_are_named(job):
    PacketIndex.objects.filter(name=job.index).update(next_column=PACKETS - 1)
    assert kinds() == {"columns would be given out twice"}
    PacketIndex.objects.filter(name=job.index).update(next_column=PACKETS)
    Batch.objects.filter(sequence=1).update(first_column=49)
    assert "columns of two batches" in kinds()


def test_files_that_are_damaged_or_gone_are_named(job):
    batch = Batch.objects.get(sequence=2)
    capture = CaptureFile.objects.get(job=job.pk)
    locator = capture.file.parents[2] / batch.locator
    whole = locator.read_bytes()
    locator.write_bytes(whole[:-10])
    assert [(one["what"], one["batch"]) for one in found()] == [("locator", batch.pk)]
    locator.unlink()
    assert [(one["what"], one["batch"]) for one in found()] == [("locator", batch.pk)]
    locator.write_bytes(whole)
    capture.file.write_bytes(capture.file.read_bytes()[:-100])
    assert kinds() == {"capture", "locator"}
    capture.file.unlink()
    assert kinds() == {"capture"}


def test_a_blob_that_is_damaged_is_named(data, shared):
    job = run_job(shared / CAPTURE, bufsize=50)
    store.close()
    with lmdb.open(str(data / "index"), map_size=1 << 40, max_dbs=3) as env:
        fragments = env.open_db(b"fragments")
        with env.begin(write=True) as change, change.cursor(db=fragments) as cursor:
            keys = [bytes(key) for key, value in cursor if b"\0netsrc\0" in bytes(key) and len(value) > 8]
            change.put(keys[0], b"\xff" * len(change.get(keys[0], db=fragments)), db=fragments)
    (finding,) = [one for one in found() if one["what"] == "corrupt"]
    assert (finding["index"], finding["field"], finding["shard"]) == (job.index, "netsrc", 0)
    assert finding["batch"]


def test_what_workers_do_meanwhile_is_no_finding(data, shared):
    for _ in range(3):
        order_job(shared / CAPTURE, bufsize=5, again=True)
    done = threading.Event()

    def index_them() -> None:
        try:
            work.until_idle()
            for job in Job.objects.live()[:2]:
                control.delete(job)
            work.until_idle()
        finally:
            connection.close()
            done.set()

    worker = threading.Thread(target=index_them)
    worker.start()
    looked = 0
    while not done.is_set():
        assert found() == []
        looked += 1
    worker.join()
    assert looked > 1
    assert check() == (0, ["0 findings"])
    assert Batch.objects.count() == 28


def test_digests_are_those_of_values_whatever_ids_and_batches(index, shared):
    first = run_job(shared / CAPTURE, index=index, bufsize=50)
    run_job(shared / "pcaps/protocols/zeek__pop3__pop3.pcap", index=index)
    again = run_job(shared / CAPTURE, index=index, bufsize=7, again=True)
    fewer = run_job(shared / CAPTURE, index=index, filter="tcp", again=True)
    digests = checking_digest.digests(index, first.pk)
    assert len(digests) > 30
    assert digests["length"].startswith(f"{PACKETS}:")
    assert digests == checking_digest.digests(index, again.pk)
    assert digests["netsrc"] != checking_digest.digests(index, fewer.pk)["netsrc"]
