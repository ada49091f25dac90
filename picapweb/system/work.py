"""What there is to do, who is at it, and what went wrong lately. All of it stands in Postgres."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from capture.models import CaptureFile, Job, JobState, LiveCapture, LiveWorker, ScanState
from capture.services import live_workers
from capture.services.describe import iso_time
from indexing.models import Batch, BatchState
from proxy.models import Delivery, DeliveryState, StandingQuery

LISTED = 20
OPEN = (BatchState.READY, BatchState.CLAIMED)


def work() -> dict[str, Any]:
    """Jobs and batches by state, batches that are to be merged, jobs being cleared, and what each worker process does now."""
    jobs = _by_state(Job.objects.live(), JobState.values)
    batches = _by_state(Batch.objects.all(), BatchState.values)
    # The rows of the partial index batch_mergeable.
    merges = Batch.objects.filter(state=BatchState.VISIBLE, urgent=True, packets__lt=65536).count()
    clearing = Job.objects.filter(deleted__isnull=False).count()
    at_work = _at_work()
    waiting, failed = batches["ready"], batches["failed"]
    words = f"{waiting:,} batches waiting, {batches['claimed']:,} at work, {failed:,} set aside"
    return {
        "detail": words,
        "jobs": jobs,
        "batches": batches,
        "merges_waiting": merges,
        "deleted_jobs_to_clear": clearing,
        "at_work": at_work,
    }


def _by_state(rows: Any, states: list[str]) -> dict[str, int]:
    found = dict(rows.order_by().values_list("state").annotate(Count("id")))
    return {state: found.get(state, 0) for state in states}


def _at_work() -> list[dict[str, Any]]:
    """Who holds a lease, and on what."""
    now = timezone.now()
    batches = Batch.objects.filter(state=BatchState.CLAIMED).order_by("id")[:LISTED]
    indexing = [
        {
            "worker": one.worker,
            "job": one.job,
            "does": f"indexes batch {one.sequence}, {one.packets:,} packets",
            "lease_until": iso_time(one.lease_until),
            "silent": one.lease_until is not None and one.lease_until < now,
        }
        for one in batches
    ]
    files = CaptureFile.objects.filter(scan_state=ScanState.SCANNING).order_by("id")[:LISTED]
    scanning = [
        {
            "worker": one.worker,
            "job": one.job_id,
            "does": "scans the capture" if not one.size else f"scans the capture, {100 * one.scanned_bytes // one.size} % of it",
            "lease_until": iso_time(one.lease_until),
            "silent": one.lease_until is not None and one.lease_until < now,
        }
        for one in files
    ]
    return scanning + indexing


def live() -> dict[str, Any]:
    """The live workers: who said lately that they live, and what they capture."""
    now = timezone.now()
    held = LiveCapture.objects.filter(open=True, lease_until__gt=now, job__deleted__isnull=True)
    captures: dict[str, list[int]] = {}
    for host, job in held.order_by("job").values_list("host", "job"):
        captures.setdefault(host, []).append(job)
    found = []
    for one in LiveWorker.objects.order_by("host"):
        seconds = max(0.0, (now - one.beat).total_seconds())
        found.append(
            {
                "host": one.host,
                "worker": one.worker,
                "alive": seconds < live_workers.SILENT_SECONDS,
                "last_seen": iso_time(one.beat),
                "interfaces": len(one.interfaces),
                "capturable": sum(bool(interface.get("capturable")) for interface in one.interfaces),
                "jobs": captures.get(one.host, []),
            }
        )
    alive = [one for one in found if one["alive"]]
    if not alive:
        # Where nobody is to capture (all that is indexed are files), that nobody does is as it should be.
        wanted = bool(found) or LiveCapture.objects.filter(open=True, job__deleted__isnull=True).exists()
        return {"ok": not wanted, "detail": live_workers.NO_WORKER, "workers": found}
    words = ", ".join(f"{one['host']} sees {one['interfaces']} interfaces, may capture on {one['capturable']}" for one in alive)
    return {"detail": words, "workers": found}


def errors() -> dict[str, Any]:
    """Jobs that failed or wait for a part, batches set aside or handed back, standing queries and webhooks in trouble."""
    found: list[dict[str, Any]] = []
    bad = Job.objects.live().filter(~Q(error="") | ~Q(waiting_for="")).order_by("-id")
    for job in bad[:LISTED]:
        words = job.error or f"waits for {job.waiting_for}"
        found.append(
            _error(f"job {job.pk}, {job.name}", job.get_absolute_url(), words, job.finished or job.started or job.created)
        )
    for one in Batch.objects.filter(state__in=[*OPEN, BatchState.FAILED]).exclude(error="").order_by("-id")[:LISTED]:
        found.append(_error(f"batch {one.sequence} of job {one.job}", f"/jobs/{one.job}/", one.error, one.not_before))
    for query in StandingQuery.objects.exclude(error="").select_related("saved").order_by("-pk")[:LISTED]:
        found.append(_error(f"standing query {query.saved.name}", query.saved.get_absolute_url(), query.error, None))
    posts = Delivery.objects.filter(Q(state=DeliveryState.GIVEN_UP) | Q(attempts__gt=0, state=DeliveryState.WAITING))
    for post in posts.select_related("standing__saved").order_by("-id")[:LISTED]:
        words = post.error or f"HTTP status {post.status}"
        found.append(
            _error(f"webhook of {post.standing.saved.name}", post.standing.saved.get_absolute_url(), words, post.created)
        )
    found.sort(key=lambda one: one["at"] or "9", reverse=True)
    count = len(found[:LISTED])
    return {"detail": f"{count} to look at" if count else "none", "errors": found[:LISTED]}


def _error(what: str, url: str, words: str, at: Any) -> dict[str, Any]:
    return {"what": what, "url": url, "error": words, "at": iso_time(at)}
