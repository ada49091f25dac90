"""Whether jobs are what their batches and files say; with the index's own check, all that `manage.py check_index` looks at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from capture.models import ENDED, CaptureFile, Job, JobState
from indexing import batches, checking
from indexing.checking_findings import Finding, agreed

# A job's counters are what its batches are, except while it stops: dropped batches leave them at its end.
_COUNTED = (JobState.QUEUED, JobState.RUNNING, *ENDED)
# While it runs, failed packets are not counted yet.
_AT_THE_END = ("failed",)


def check_all(index: str | None = None, repair: bool = False) -> Iterator[Finding]:
    """Every finding about one index, or all of them. Raises NoSuchIndex, BackendAway, BackendError."""
    for name in checking.names(index):
        yield from checking.check(name, repair)
        yield from jobs(name)


def jobs(index: str) -> Iterator[Finding]:
    """Findings about the jobs of an index: counters and captures."""
    for pk in Job.objects.live().filter(index=index).order_by("pk").values_list("pk", flat=True):
        yield from agreed(lambda pk=pk: list(_counters(pk)))  # type: ignore[misc]
        yield from agreed(lambda pk=pk: list(_captures(pk)))  # type: ignore[misc]


def _counters(pk: int) -> Iterator[Finding]:
    sums = batches.totals(pk)
    job = Job.objects.live().filter(pk=pk).first()
    if job is None:
        return
    gone = Counter(job.gone)
    where = {"index": job.index, "job": pk}
    counted = {
        "read": (job.packets_read, sums["read"] + gone["read"]),
        "indexed": (job.packets_indexed, sums["indexed"]),
        "filtered_out": (job.packets_filtered_out, sums["filtered_out"] + gone["filtered_out"]),
        "failed": (job.packets_failed, sums["failed"] + gone["failed"]),
    }
    for name, (said, found) in counted.items():
        known = name == "indexed" or (job.state in _COUNTED and (job.ended or name not in _AT_THE_END))
        if known and said != found:
            yield Finding("counter of a job", f"{name} is {said}, and its batches make {found}", where)
    parts = job.packets_indexed + job.packets_filtered_out + job.packets_failed + gone["indexed"]
    if job.ended and job.packets_read != parts:
        words = f"read is {job.packets_read}, and indexed, filtered out, failed and removed are {parts}"
        yield Finding("counters do not add up", words, where)


def _captures(pk: int) -> Iterator[Finding]:
    """Stored captures are there, with all their bytes."""
    for capture in CaptureFile.objects.filter(job=pk, stored=True).order_by("sequence"):
        where = {"job": pk, "capture": capture.sequence}
        try:
            size = capture.file.stat().st_size
        except OSError as error:
            yield Finding("capture", f"{capture.path}: {error.strerror}", where)
            continue
        if size < capture.size:
            yield Finding("capture", f"{capture.path} has {size} bytes, and had {capture.size}", where)
