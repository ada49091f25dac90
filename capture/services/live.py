"""Live jobs in Postgres: who captures for them (a lease), how far they have got, how they end.

Locks are taken in the order live capture, capture file, batch, job (see progress).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from capture.models import CaptureFile, Job, JobKind, JobState, LiveCapture
from capture.packets.live.recorder import End, InterfaceState, Snapshot
from capture.packets.values import text_of
from capture.services import live_files, progress
from capture.services.live_workers import this_host
from capture.services.ring import ring
from indexing import batches

RATES_KEPT = 120
GAPS_KEPT = 50
COUNTERS = ("received", "dropped_kernel", "dropped_interface", "captured", "bytes_captured", "super_frames", "unread")


class CaptureLost(Exception):
    """The claim is over: the job was deleted, ended by others, or taken up by another worker."""


@dataclass(frozen=True)
class Taken:
    """A job that this process captures for from now on. packets, bytes, seconds: captured before; sequence: of its next file."""

    job: Job
    attempt: int
    interfaces: tuple[str, ...]
    packets: int
    bytes: int
    seconds: float
    sequence: int


def take(known: Collection[str], mine: Collection[int]) -> Taken | None:
    """A live job that waits for a worker of this host: it is claimed, and what its last worker left is brought in order.

    known: names of this host's interfaces. mine: jobs that this process captures for already. There is one live worker a
    host, so that a job of this host whose worker is not this process has none. Raises OSError."""
    waiting = (
        LiveCapture.objects.filter(open=True, job__deleted__isnull=True, host__in=["", this_host()])
        .filter(job__state__in=[JobState.QUEUED, JobState.RUNNING, JobState.STOPPING])
        .exclude(job__in=mine)
        .order_by("job")
    )
    for live in waiting:
        if live.host or set(live.interfaces) <= set(known):
            with transaction.atomic():
                taken = _take(live.pk)
            if taken is not None:
                return taken
    return None


def _take(pk: int) -> Taken | None:
    live = LiveCapture.objects.select_for_update(skip_locked=True).filter(pk=pk, open=True).first()
    if live is None or live.host not in ("", this_host()):
        return None
    sequence, packets = live_files.close_all(live.job)
    before = live.beat
    _settle(live, packets)
    if live.job.state == JobState.STOPPING:
        _close(live, "stopped", "")
        return None
    if before is not None and live.captured:
        orderly = live.lease_until is None  # then who gave it up has said why
        note_gap(live, before, live.words if orderly and live.words else "the live worker ended without a word")
    live.host, live.worker = this_host(), batches.worker_name()
    live.attempt += 1
    live.lease_until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    live.started = live.started or timezone.now()
    live.ending, live.words = "", ""
    live.save()
    Job.objects.live().filter(pk=live.pk, state=JobState.QUEUED).update(state=JobState.RUNNING)
    Job.objects.filter(pk=live.pk, started__isnull=True).update(started=Now())
    live.job.refresh_from_db()
    names = tuple(live.interfaces)
    return Taken(live.job, live.attempt, names, packets, live.bytes_captured, live.seconds, sequence + 1)


def _settle(live: LiveCapture, packets: int) -> None:
    """The counters as they are once a worker has ended without a word: what is in the files was captured, and whatever the
    kernel held for it, nobody knows any more."""
    live.captured = max(packets, 0)
    live.received = live.captured + live.dropped_kernel + live.unread
    live.base = [{**one, "words": "", "state": "starting"} for one in live.states]
    live.states = live.base
    _spread(live)


def _spread(live: LiveCapture) -> None:
    """Packets on disk that the last worker did not come to count belong to its interfaces; to which of several is not known,
    so the first has them."""
    missing = live.captured - sum(one["captured"] for one in live.base)
    if missing and live.base:
        live.base[0]["captured"] += missing
    for one in live.base:
        one["received"] = one["captured"] + one["dropped_kernel"] + one["unread"]


def note_gap(live: LiveCapture, since: datetime, why: str) -> None:
    """Nobody captured from `since` until now (not saved)."""
    live.gaps = [*live.gaps, [_text(since), _text(timezone.now()), why]][-GAPS_KEPT:]


def _text(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Written:
    """What `write` found: new: there is more to scan; wanted: the job is still to be captured; its figures as indexed now."""

    new: bool
    wanted: bool
    accounted: int  # packets that are in the index, failed, or left with the ring: captured - accounted is the lag
    indexed: int


def write(taken: Taken, snapshot: Snapshot, tick: dict[str, Any] | None) -> Written:
    """Writes down how far a capture has got, and renews its lease. Raises CaptureLost, OperationalError.

    tick: once a second, what else the row shows: seconds, lag_packets, lag_seconds, and the new entry of `rates`."""
    with transaction.atomic():
        live = LiveCapture.objects.select_for_update().filter(pk=taken.job.pk, attempt=taken.attempt, open=True).first()
        if live is None:
            raise CaptureLost(f"job {taken.job.pk}: the claim of {batches.worker_name()} is over")
        job = Job.objects.get(pk=taken.job.pk)
        new = False
        if job.deleted is None:
            new = sum(live_files.keep(job, state) for state in snapshot.files) > 0
        if tick is not None:
            _count(live, snapshot)
            live.seconds, live.lag_packets, live.lag_seconds = tick["seconds"], tick["lag_packets"], tick["lag_seconds"]
            live.rates = [*live.rates, tick["rate"]][-RATES_KEPT:]
            live.beat = timezone.now()
            live.lease_until = live.beat + timedelta(seconds=settings.LEASE_SECONDS)
            live.words = " ".join(one.words for one in snapshot.interfaces if one.words)
            live.save()
            Job.objects.filter(pk=job.pk).update(packets_dropped=live.dropped_kernel + live.dropped_interface)
        if new:
            ring()
    gone = int(job.gone.get("indexed", 0)) + int(job.gone.get("failed", 0)) + int(job.gone.get("filtered_out", 0))
    accounted = job.packets_indexed + job.packets_failed + job.packets_filtered_out + gone
    wanted = job.deleted is None and job.state in (JobState.RUNNING, JobState.QUEUED)
    return Written(new, wanted, accounted, job.packets_indexed + int(job.gone.get("indexed", 0)))


def _count(live: LiveCapture, snapshot: Snapshot) -> None:
    before = {one["name"]: one for one in live.base}
    states = [_state(one, before.pop(text_of(one.name), {})) for one in snapshot.interfaces]
    live.states = states + list(before.values())
    for name in COUNTERS:
        setattr(live, name, sum(one[name] for one in live.states))


def _state(one: InterfaceState, before: dict[str, Any]) -> dict[str, Any]:
    said = {**asdict(one), "name": text_of(one.name)}
    for name in COUNTERS:
        said[name] += before.get(name, 0)
    return said


def end(taken: Taken, snapshot: Snapshot, ending: End | None, tick: dict[str, Any]) -> None:
    """The recorder has ended: the last figures, and what becomes of the job. Raises CaptureLost, OperationalError.

    ending None: this process ends and not the job, which waits for the next live worker."""
    write(taken, snapshot, tick)
    with transaction.atomic():
        live = LiveCapture.objects.select_for_update().filter(pk=taken.job.pk, attempt=taken.attempt, open=True).first()
        if live is None:
            raise CaptureLost(f"job {taken.job.pk}: the claim of {batches.worker_name()} is over")
        if ending is None:
            live.lease_until, live.worker, live.words = None, "", "the live worker was stopped"
            live.base = live.states
            live.save()
        else:
            live.base = live.states
            _close(live, ending.kind, ending.words)
    progress.end_if_done(taken.job.pk)


def _close(live: LiveCapture, ending: str, words: str) -> None:
    """Nothing more is captured for the job. Part of the caller's transaction, which holds the row."""
    live.open, live.ending, live.words, live.lease_until = False, ending, words, None
    live.states = [{**one, "state": "closed"} if one["state"] in ("up", "starting") else one for one in live.states]
    live.save()
    reason = words if ending in progress.CAPTURE_FAILED or ending == "disk" else ""
    jobs = Job.objects.filter(pk=live.pk, state__in=[JobState.QUEUED, JobState.RUNNING, JobState.STOPPING])
    if reason:
        jobs.update(error=reason)
    if ending in ("stopped", "disk"):
        jobs.update(state=JobState.STOPPING)
    ring()


def close_orphans() -> bool:
    """Ends live jobs that are to stop, or were deleted, and whose live worker is away: what they captured is whole as it is.

    Any process that sees the data folder may do it. True if there was one."""
    found = False
    lost = LiveCapture.objects.filter(open=True).exclude(lease_until__gt=Now())
    for pk in lost.filter(job__state=JobState.STOPPING).values_list("pk", flat=True):
        with transaction.atomic():
            live = lost.select_for_update(skip_locked=True).filter(pk=pk).first()
            if live is None:
                continue
            _, packets = live_files.close_all(live.job)
            _settle(live, packets)
            _close(live, "stopped", "")
            found = True
        progress.end_if_done(pk)
    return found


def new(job: Job, interfaces: list[str]) -> LiveCapture:
    """The row of a job that was just made."""
    return LiveCapture.objects.create(job=job, interfaces=interfaces)


def reopen(job: Job) -> None:
    """A stopped or failed job is captured for again. Part of the caller's transaction."""
    live = LiveCapture.objects.select_for_update().get(pk=job.pk)
    live.open, live.ending, live.words, live.lease_until = True, "", "the job was stopped", None
    live.save()


def lock(job: int) -> None:
    """Locks a job's live capture, if it has one: the first lock of all. Part of the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM capture_livecapture WHERE job_id = %s FOR UPDATE", [job])


def is_captured(job: int) -> bool:
    """Whether a live worker captures for the job now: it may still write files."""
    return LiveCapture.objects.filter(pk=job, open=True, lease_until__gt=Now()).exists()


def has_ended(job: Job) -> bool:
    """Whether nothing more will be captured for it: true of all jobs of files."""
    return job.kind != JobKind.INTERFACE or not LiveCapture.objects.filter(pk=job.pk, open=True).exists()


def growing(job: int) -> bool:
    """Whether a file of the job is being written."""
    return CaptureFile.objects.filter(job=job, growing=True).exists()
