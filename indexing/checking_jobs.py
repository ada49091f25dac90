"""How many packets of each job an index has, against its batches."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q, Sum

from indexing.backends.base import Backend
from indexing.calls import Call, CountResult, RowRef
from indexing.checking_existence import LIVE
from indexing.checking_findings import Finding, agreed
from indexing.models import Batch, BatchState

JOB_FIELD = "job"
_JOBS_AT_ONCE = 200


def packets(index: str, backend: Backend) -> Iterator[Finding]:
    """A finding for each job of which the index has another number of packets than its visible batches."""
    jobs = list(Batch.objects.filter(index__name=index).order_by("job").values_list("job", flat=True).distinct())
    for i in range(0, len(jobs), _JOBS_AT_ONCE):
        some = jobs[i : i + _JOBS_AT_ONCE]
        yield from agreed(lambda some=some: list(_look(index, backend, some)))  # type: ignore[misc]


def _look(index: str, backend: Backend, jobs: list[int]) -> Iterator[Finding]:
    visible = Sum("packets", filter=Q(state=BatchState.VISIBLE), default=0)
    # Of those an attempt that broke off may have left bits, which the next one replaces; hidden ones are being cleared.
    between = Sum("packets", filter=Q(state__in=[BatchState.READY, BatchState.CLAIMED, BatchState.HIDDEN]), default=0)
    sums = Batch.objects.filter(index__name=index, job__in=jobs).values("job").annotate(visible=visible, between=between)
    expected = {row["job"]: (int(row["visible"]), int(row["between"])) for row in sums}
    asked = sorted(expected)
    calls = [Call("Count", [_of(job, backend)]) for job in asked]
    for job, answer in zip(asked, backend.query(index, calls) if calls else [], strict=True):
        assert isinstance(answer, CountResult)
        least, more = expected[job]
        if not least <= answer.count <= least + more:
            words = f"the index has {answer.count} packets of it, and its visible batches {least}"
            yield Finding("packets of a job", words, {"index": index, "job": job})


def _of(job: int, backend: Backend) -> Call:
    row = Call("Row", args={"row": RowRef(JOB_FIELD, job)})
    return Call("Intersect", [row, LIVE]) if backend.masked else row
