"""A full disk: a job that cannot go on says why; when there is room again it is retried, and the index is exact."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.faults.disk import Disk
from capture.models import ConversationPass, JobState
from capture.services import checking, control, work
from indexing import checking_digest, store
from indexing.models import Batch
from tests.conftest import needs
from tests.jobs import order_job, run_job
from tests.server import ROOT

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
PACKETS = 136
COMPRESSED = "pcaps/large/zeek__contentline__rsh-long-client-user-no-nul.pcapng.gz"


@pytest.fixture
def small(data, settings):
    """Captures and index on a disk of 64 MB, the jobs' own; Postgres is elsewhere."""
    needs("root for network namespaces")
    with Disk(data / "small", 64 << 20) as disk:
        assert disk.can_be_full
        settings.PICAPWEB_DATA = disk.folder
        settings.CAPTURES_DIR = disk.folder / "captures"
        settings.INDEX_DIR = disk.folder / "index"
        store.close()
        store.backend().indexes()  # made while there is room, as `up` has it
        yield disk
        store.close()


def finished(job):
    work.until_idle()
    job.refresh_from_db()
    return job


def test_the_index_cannot_be_written(small, shared):
    quiet = run_job(shared / CAPTURE)
    job = order_job(shared / CAPTURE, bufsize=50, again=True)
    while not Batch.objects.filter(job=job.pk, state="visible").exists():
        work.step()  # one batch is in the index before the disk is full
    small.fill()
    finished(job)
    assert job.state == JobState.RUNNING
    assert "No space left on device" in job.waiting_for
    assert list(checking.check_all()) == []

    small.free()  # and it goes on by itself, as soon as it has waited
    Batch.objects.update(not_before=None)
    ConversationPass.objects.update(not_before=None)
    assert finished(job).state == JobState.DONE
    assert job.packets_read == job.packets_indexed == PACKETS
    assert checking_digest.digests("net", job.pk) == checking_digest.digests("net", quiet.pk)
    assert list(checking.check_all()) == []


@pytest.mark.parametrize("path", [CAPTURE, COMPRESSED])
def test_the_capture_or_its_locators_cannot_be_written(small, shared, path):
    job = order_job(shared / path)
    small.fill()
    finished(job)
    assert job.state == JobState.FAILED
    assert "No space left on device" in job.error
    small.free()
    control.retry(job)
    assert finished(job).state == JobState.DONE
    assert job.packets_read == job.packets_indexed > 100
    assert list(checking.check_all()) == []


def test_a_store_is_first_opened_on_a_full_disk(small):
    """In a process of its own: a mapping of what the disk has no room for would kill it."""
    small.fill()
    code = """if True:
        import sys
        from pathlib import Path
        from indexing.backends.base import BackendAway
        from indexing.backends.embedded_store import Store
        try:
            Store(Path(sys.argv[1]))
        except BackendAway as error:
            print(error)"""
    folder = small.folder / "another-index"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No space left on device" in done.stdout
