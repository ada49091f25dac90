"""What is said of retention: on /system/, on a job's page, in /metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum

from capture.models import Job
from capture.services.describe import iso_time
from retention.due import captured_bytes
from retention.models import Removal, Takes, Why

LISTED = 10


def retention() -> dict[str, Any]:
    """For /system/: the rules, what the captures take of what they may, what was taken in all, and lately."""
    used, most, age = captured_bytes(), settings.RETENTION_BYTES, settings.RETENTION_AGE
    sums = Removal.objects.aggregate(times=Count("id"), files=Sum("files"), bytes=Sum("bytes"), packets=Sum("packets"))
    totals = {name: int(value or 0) for name, value in sums.items()}
    rules = [f"{age:g} s after the job's end"] if age else []
    rules += [f"all captures within {most:,} bytes"] if most else []
    words = f"{settings.RETENTION_TAKES}: {', '.join(rules)}" if rules else "the server keeps everything; jobs may say otherwise"
    over = bool(most) and used > most
    if over:
        words += f"; captures take {used:,} bytes now: jobs that run and jobs that are to be kept are not taken"
    return {
        "ok": True,
        "detail": words,
        "age_seconds": age,
        "bytes": most,
        "takes": settings.RETENTION_TAKES,
        "captured_bytes": used,
        "over": over,
        "removed": totals,
        "lately": [removal_json(one) for one in Removal.objects.all()[:LISTED]],
    }


def removal_json(one: Removal) -> dict[str, Any]:
    """One row of the account."""
    return {
        "at": iso_time(one.at),
        "job": one.job,
        "name": one.job_name,
        "why": one.why,
        "words": f"{Why(one.why).label}; {Takes(one.takes).label}",
        "takes": one.takes,
        "files": one.files,
        "bytes": one.bytes,
        "packets": one.packets,
    }


def of_job(job: Job) -> dict[str, Any]:
    """For a job's page: what was taken of it, and when something goes by age (None: never, or that was it)."""
    removed = [removal_json(one) for one in Removal.objects.filter(job=job.pk)[:LISTED]]
    said = job.options.get("retention") or ""
    own = float(job.options.get("keep_seconds") or 0)
    seconds = 0.0 if said == "keep" else own or settings.RETENTION_AGE
    goes = job.finished + timedelta(seconds=seconds) if seconds and job.finished and job.ended else None
    takes = said if said and said != "keep" else settings.RETENTION_TAKES
    if any(one["takes"] == takes and one["why"] in (Why.AGE, Why.JOB_AGE) for one in removed):
        goes = None
    return {"kept": said == "keep", "goes": iso_time(goes), "takes": Takes(takes).label, "removed": removed}
