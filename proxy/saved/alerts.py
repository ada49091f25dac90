"""Alerts as they are found and shown."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone

from capture.api.jobs import whole_number
from capture.services.describe import iso_ns, iso_time
from capture.services.errors import Refused
from people import who
from proxy.ask import DEFAULT_INDEX
from proxy.models import Alert, Delivery
from proxy.saved.saving import user_of

LINKED_JOBS = 20


def find_alerts(given: Any) -> QuerySet[Alert]:
    """Alerts, newest first, by the query string: `saved` (id), `acknowledged` (true, false). Raises Refused."""
    found = Alert.objects.select_related("saved", "acknowledged_by").prefetch_related("deliveries").order_by("-pk")
    one = who.current()
    if not one.sees_all:
        # What an alert counts are packets that the query's owner sees: it is theirs.
        found = found.filter(saved__owner=one.user) if one.user is not None else found.none()
    if given.get("saved"):
        found = found.filter(saved=whole_number(given, "saved", 0, 0, 2**63 - 1))
    which = given.get("acknowledged", "")
    if which not in ("", "true", "false"):
        raise Refused(f"acknowledged must be true or false, not {which!r}", option="acknowledged")
    return found.filter(acknowledged__isnull=which == "false") if which else found


def get_alert(pk: int) -> Alert:
    """Raises Http404 in words."""
    found = find_alerts({}).filter(pk=pk).first()
    if found is None:
        raise Http404(f"there is no alert {pk}")
    return found


def acknowledge(request: HttpRequest, alert: Alert) -> Alert:
    """Somebody has seen it: who was the first stays."""
    Alert.objects.filter(pk=alert.pk, acknowledged=None).update(acknowledged=timezone.now(), acknowledged_by=user_of(request))
    return get_alert(alert.pk)


def alert_json(alert: Alert, deliveries: bool = True) -> dict[str, Any]:
    """An alert as the API shows it, and as it is posted."""
    said = {
        "id": alert.pk,
        "url": alert.get_absolute_url(),
        "saved": alert.saved_id,
        "saved_url": alert.saved.get_absolute_url() if alert.saved else None,
        "name": alert.name,
        "index": alert.index,
        "q": alert.question.get("q", [""])[0],
        "lang": alert.question.get("lang", [""])[0],
        "raised": iso_time(alert.raised),
        "count": alert.count,
        "jobs": alert.jobs,
        "first_column": alert.first_column if alert.first_column >= 0 else None,
        "last_column": alert.last_column if alert.last_column >= 0 else None,
        "first_packet": _packet(alert, alert.first_column),
        "last_packet": _packet(alert, alert.last_column),
        "first_time": iso_ns(alert.first_time_ns),
        "last_time": iso_ns(alert.last_time_ns),
        "packets_url": url(alert, "/packets/"),
        "explore_url": url(alert, "/explore/"),
    }
    if deliveries:
        said |= {
            "acknowledged": iso_time(alert.acknowledged),
            "acknowledged_by": alert.acknowledged_by.get_username() if alert.acknowledged_by else None,
            "deliveries": [delivery_json(one) for one in alert.deliveries.all()],
        }
    return said


def delivery_json(one: Delivery) -> dict[str, Any]:
    """One post to a webhook."""
    return {
        "state": one.state,
        "attempts": one.attempts,
        "status": one.status,
        "error": one.error or None,
        "next_attempt": iso_time(one.due) if one.state == "waiting" else None,
        "created": iso_time(one.created),
        "finished": iso_time(one.finished),
    }


def url(alert: Alert, path: str) -> str:
    """Its packets: those of its query, in its jobs, from the first to the last of them."""
    said = QueryDict(mutable=True)
    if alert.index != DEFAULT_INDEX:
        said["index"] = alert.index
    for name, values in alert.question.items():
        if name != "index":
            said.setlist(name, values)
    if not said.getlist("job") and 0 < len(alert.jobs) <= LINKED_JOBS:
        said.setlist("job", [str(job) for job in alert.jobs])
    if alert.first_time_ns is not None and alert.last_time_ns is not None:
        said["from"], said["to"] = iso_ns(alert.first_time_ns) or "", iso_ns(alert.last_time_ns + 1) or ""
    return f"{path}?{said.urlencode()}"


def _packet(alert: Alert, column: int) -> str | None:
    return f"/packets/{alert.index}/{column}/" if column >= 0 else None
