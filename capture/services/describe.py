"""A job as the API shows it (the shape is fixed), and what its page says beside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Sum
from django.utils import timezone

from capture import sight
from capture.models import CaptureFile, Job, JobKind, JobState, LiveCapture
from capture.packets.registry import FIELDS
from capture.packets.values import label_of
from capture.services.conversation_rows import pass_json
from indexing import batches, given_up

NS = 1_000_000_000

# What a capture says of itself, as capture.services.create.keep_info keeps it; null where it was not read yet.
HEAD_KEYS = (
    "byte_order",
    "resolution",
    "interfaces",
    "comments",
    "application",
    "hardware",
    "os",
    "packet_comments",
    "commented_packets",
    "notes",
)


def iso_time(when: datetime | None) -> str | None:
    """RFC 3339 UTC with microseconds."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") if when else None


def iso_ns(time_ns: int | None, digits: int = 9) -> str | None:
    """RFC 3339 UTC of nanoseconds since 1970; None stays None. A time beyond the year 9999 is given in seconds."""
    if time_ns is None:
        return None
    seconds, rest = divmod(time_ns, NS)
    try:
        base = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"{seconds}.{rest:09d}"
    return f"{base}.{rest:09d}"[: 20 + digits] + "Z"


def linktype_name(number: int | None) -> str | None:
    """EN10MB for 1; the number where it has no name; None where there is none yet."""
    if number is None:
        return None
    return label_of(FIELDS["linktype"], number) or str(number)


def job_json(job: Job) -> dict[str, Any]:
    """The job of API.md."""
    capture = next(iter(job.captures.all()), None) if job.kind == JobKind.FILE else _newest_ring_file(job)
    return {
        "id": job.pk,
        "url": job.get_absolute_url(),
        "name": job.name,
        "kind": job.kind,
        "state": job.state,
        "error": job.error or None,
        "waiting_for": job.waiting_for or None,
        "index": job.index,
        "filter": job.filter,
        "dissector": job.dissector,
        "fields": job.fields,
        "options": job.options,
        "tags": job.tags,
        "duplicate_of": job.duplicate_of_id if job.duplicate_of_id is None or sight.may_see(job.duplicate_of_id) else None,
        "owner": job.owner.get_username() if job.owner else None,
        "shared": job.shared,
        "created": iso_time(job.created),
        "started": iso_time(job.started),
        "finished": iso_time(job.finished),
        "progress": progress_json(job),
        "packets": {
            "read": job.packets_read,
            "indexed": job.packets_indexed,
            "filtered_out": job.packets_filtered_out,
            "failed": job.packets_failed,
            "undecodable": job.packets_undecodable,
            "handed_over": job.packets_handed_over,
            "dropped": job.packets_dropped,
            "removed": int(job.gone.get("indexed", 0)),
        },
        "live": live_json(job) if job.kind == JobKind.INTERFACE else None,
        "given_up": given_up.of_job(job.pk) if _may_have_given_up(job) else None,
        "not_indexed": [{"field": name, **said} for name, said in job.not_indexed.items()],
        "conversations": pass_json(job),
        "bytes": {"captured": job.bytes_captured, "wire": job.bytes_wire},
        "capture": None
        if capture is None
        else {
            "format": capture.format or None,
            "compression": capture.compressed or None,
            "linktypes": [linktype_name(number) for number in capture.linktypes],
            "snaplen": capture.snaplen,
            "size": capture.size,
            "sha256": capture.sha256 or None,
            "first_time": iso_ns(capture.first_time_ns, 6),
            "last_time": iso_ns(capture.last_time_ns, 6),
            "read_error": capture.read_error or None,
            **{key: capture.info.get(key) for key in HEAD_KEYS},
            "interfaces": _interfaces(capture.info.get("interfaces")),
        },
        "columns": batches.column_ranges(job.pk),
    }


def _may_have_given_up(job: Job) -> bool:
    """Whether it is worth asking: packets that were given up are undecodable, or lack what packages find."""
    return job.packets_undecodable > 0 or any(field in FIELDS and FIELDS[field].plugin for field in job.fields)


def live_json(job: Job) -> dict[str, Any]:
    """What a live job's capture does: its interfaces, honest counters, lag, rates and ring files."""
    live = job.live
    files = CaptureFile.objects.filter(job=job).aggregate(kept=Count("id"), bytes=Sum("size"))
    return {
        "capturing": live.open and bool(live.lease_until and live.lease_until > timezone.now()),
        "interfaces": [{**one, "linktype_name": linktype_name(one["linktype"])} for one in live.states],
        "names": live.interfaces,
        "host": live.host or None,
        "ending": live.ending or None,
        "words": live.words or None,
        "started": iso_time(live.started),
        "seconds": live.seconds,
        "beat": iso_time(live.beat),
        "received": live.received,
        "dropped_by_kernel": live.dropped_kernel,
        "dropped_by_interface": live.dropped_interface,
        "captured": live.captured,
        "bytes_captured": live.bytes_captured,
        "super_frames": live.super_frames,
        "unread": live.unread,
        "lag": lag_of(job, live),
        "rates": live.rates,
        "files": {"kept": files["kept"], "bytes": files["bytes"] or 0, "removed": job.gone.get("files", 0)},
        "gaps": live.gaps,
    }


def lag_of(job: Job, live: LiveCapture) -> dict[str, Any]:
    """Packets that are captured and not in any answer yet, and how long the oldest of them has been waiting."""
    if live.open:
        return {"packets": live.lag_packets, "seconds": live.lag_seconds}
    gone = sum(int(job.gone.get(name, 0)) for name in ("indexed", "failed", "filtered_out"))
    waiting = max(0, live.captured - job.packets_indexed - job.packets_failed - job.packets_filtered_out - gone)
    since = (timezone.now() - live.beat).total_seconds() if waiting and live.beat else 0.0
    return {"packets": waiting, "seconds": live.lag_seconds + since if waiting else 0.0}


def _newest_ring_file(job: Job) -> CaptureFile | None:
    """Of a live job's files the one that is being written; the others have the same head."""
    return CaptureFile.objects.filter(job=job).order_by("-sequence").first()


def _interfaces(known: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    return None if known is None else [{**one, "linktype_name": linktype_name(one["linktype"])} for one in known]


def progress_json(job: Job) -> dict[str, Any]:
    """fraction 0..1 of the work, packets indexed a second, and seconds to the end (null while that is unknown)."""
    if job.kind == JobKind.INTERFACE:
        return _live_progress(job)
    seconds = ((job.finished or timezone.now()) - job.started).total_seconds() if job.started else 0.0
    ended = job.packets_indexed + job.packets_failed
    rate = ended / seconds if seconds > 0 else 0.0
    if job.ended:
        fraction = 1.0 if job.state == JobState.DONE else _fraction(job, batches.dropped_packets(job.pk))
        return {"fraction": fraction, "packets_per_second": rate, "eta_seconds": 0.0}
    fraction = _fraction(job)
    eta = seconds * (1 - fraction) / fraction if fraction > 0 else None
    return {"fraction": fraction, "packets_per_second": rate, "eta_seconds": eta}


def _live_progress(job: Job) -> dict[str, Any]:
    """Of a live job: how much of what was captured is in the answers; the rate is that of the last seconds."""
    waiting = lag_of(job, job.live)["packets"]
    fraction = 1.0 if not job.live.captured else max(0.0, 1 - waiting / job.live.captured)
    lately = job.live.rates[-5:]
    rate = sum(indexed for *_, indexed in lately) / len(lately) if lately and not job.ended else 0.0
    return {"fraction": fraction, "packets_per_second": rate, "eta_seconds": 0.0 if job.ended else None}


def _fraction(job: Job, dropped: int = 0) -> float:
    size = scanned = 0
    for capture in job.captures.all():
        size += capture.size
        scanned += capture.scanned_bytes
    to_index = job.packets_read - job.packets_filtered_out + dropped
    if not size or not scanned or not to_index:
        return 0.0
    # The rest of the capture is taken to be like what was scanned of it.
    return min(1.0, (job.packets_indexed + job.packets_failed) / to_index * (scanned / size))
