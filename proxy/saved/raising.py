"""From packets that were found to alerts: threshold, window, cooldown. Each packet is in one alert at most.

A window is of the time in which packets became visible, which for a live capture is a second or so after the wire.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from proxy.models import Alert, Match, StandingQuery
from proxy.saved import deliver
from proxy.saved.found import MOST_JOBS, Found
from proxy.saved.saving import parameters


def add(one: StandingQuery, found: Found) -> None:
    """Keeps what was found until it is in an alert. Part of the caller's transaction, which has locked the standing query."""
    now = timezone.now()
    before = None if one.window_seconds else Match.objects.filter(standing=one).first()
    if before is None:
        Match.objects.create(standing=one, at=now, **_columns([found]))
        return
    # Without a window there is one of them: what was found since the last alert.
    for name, value in _columns([before, found]).items():
        setattr(before, name, value)
    before.at = now
    before.save()


def raise_if_due(one: StandingQuery) -> bool:
    """Raises an alert if enough has been found and no cooldown is on; True if so. Part of the caller's transaction, which has
    locked the standing query."""
    now = timezone.now()
    matches = Match.objects.filter(standing=one)
    if one.window_seconds:
        matches.filter(at__lt=now - timedelta(seconds=one.window_seconds)).delete()
    found = list(matches.order_by("pk"))
    enough = sum(match.count for match in found) >= one.threshold
    ends = None if one.raised is None else one.raised + timedelta(seconds=one.cooldown_seconds)
    waits = enough and ends is not None and ends > now
    due = ends if waits else None
    if enough and not waits:
        _raise(one, found)
        matches.delete()
        one.raised = now
    if enough or one.due != due:
        one.due = due
        one.save(update_fields=["raised", "due"])
    return enough and not waits


def _raise(one: StandingQuery, found: Iterable[Match]) -> None:
    saved = one.saved
    alert = Alert.objects.create(
        saved=saved, name=saved.name, index=saved.index, question=dict(parameters(saved).lists()), **_columns(found)
    )
    if one.webhook:
        deliver.enqueue(one, alert)


def _columns(found: Iterable[Match | Found]) -> dict[str, object]:
    """Several findings as one."""
    every = list(found)
    there = [one for one in every if one.first_column >= 0]
    begins = [one.first_time_ns for one in every if one.first_time_ns is not None]
    ends = [one.last_time_ns for one in every if one.last_time_ns is not None]
    return {
        "count": sum(one.count for one in every),
        "first_column": min((one.first_column for one in there), default=-1),
        "last_column": max((one.last_column for one in there), default=-1),
        "jobs": sorted({job for one in every for job in one.jobs})[:MOST_JOBS],
        "first_time_ns": min(begins, default=None),
        "last_time_ns": max(ends, default=None),
    }
