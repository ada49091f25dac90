"""Saved queries: made, changed and found. What is saved can be asked: a query with an error is refused with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.utils.http import urlencode

from capture.services.describe import iso_time
from capture.services.errors import Refused
from indexing import limits
from indexing.calls import Call
from people import audit, who
from proxy.api.question import Question, field_names, question_of
from proxy.ask import DEFAULT_INDEX, ask
from proxy.models import SavedQuery, StandingQuery
from proxy.saved import standing
from proxy.saved.given import only, text

LONGEST_NAME, LONGEST_QUERY, MOST_JOBS, LONGEST_TIME = 200, 500_000, 1000, 64
MEMBERS = ("name", "index", "q", "lang", "jobs", "from", "to", "fields", "alert")


def user_of(request: HttpRequest) -> Any:
    """Who asks; None in local mode, where nobody signs in."""
    user = getattr(request, "user", None)
    return user if not settings.LOCAL_MODE and user is not None and user.is_authenticated else None


def find_saved(wanted: str = "") -> QuerySet[SavedQuery]:
    """Saved queries in order of their names; `wanted`: those that have this text in name or query."""
    found = SavedQuery.objects.select_related("owner", "standing").order_by("name", "pk")
    return found.filter(Q(name__icontains=wanted) | Q(q__icontains=wanted)) if wanted else found


def get_saved(pk: int) -> SavedQuery:
    """Raises Http404 in words."""
    found = find_saved().filter(pk=pk).first()
    if found is None:
        raise Http404(f"there is no saved query {pk}")
    return found


def may_change(request: HttpRequest, saved: SavedQuery) -> bool:
    """Everybody sees every saved query; its owner changes it, and admins do."""
    one = who.current()
    return one.sees_all or (saved.owner_id is not None and saved.owner_id == one.user)


def check_may_change(request: HttpRequest, saved: SavedQuery) -> None:
    """Raises PermissionDenied."""
    if not may_change(request, saved):
        raise PermissionDenied(f"saved query {saved.pk} is {saved.owner or 'nobody'}'s: only its owner changes it")


def save(request: HttpRequest, given: dict[str, Any], saved: SavedQuery | None = None) -> tuple[SavedQuery, str | None]:
    """A new saved query, or a changed one: what is not given stays; and the secret of its webhook, if one was made.

    Raises Refused, QueryError, PermissionDenied."""
    only(given, MEMBERS)
    new = saved is None
    one = SavedQuery(owner=user_of(request), index=DEFAULT_INDEX) if saved is None else saved
    if not new:
        check_may_change(request, one)
    _take(one, given)
    if not one.name.strip():
        raise Refused("a saved query needs a name", option="name")
    if new or set(given) - {"name", "alert"}:
        check_question(one)
    secret = None
    try:
        with transaction.atomic():
            one.save()
            done = "saved query made" if new else "saved query changed"
            audit.record(done, f"saved query {one.pk}", name=one.name, q=one.q[:500])
            if "alert" in given:
                secret = standing.save(one, given["alert"])
                _record_alert(one)
    except IntegrityError:
        raise Refused(f"there is a saved query {one.name!r} already", 409, option="name") from None
    return get_saved(one.pk), secret


def delete(request: HttpRequest, one: SavedQuery) -> None:
    """Its alerts stay. Raises PermissionDenied."""
    check_may_change(request, one)
    with transaction.atomic():
        # Who counts its packets now has it locked, and writes what is deleted with it.
        list(StandingQuery.objects.select_for_update().filter(saved=one))
        audit.record("saved query deleted", f"saved query {one.pk}", name=one.name)
        one.delete()


def _record_alert(one: SavedQuery) -> None:
    alert = standing.of(one)
    if alert is None:
        audit.record("alert removed", f"saved query {one.pk}", name=one.name)
        return
    # Where it posts to, without what may be a key in the URL.
    host = urlsplit(alert.webhook).netloc.rpartition("@")[2]
    about = {"name": one.name, "enabled": alert.enabled, "threshold": alert.threshold, "webhook": host}
    audit.record("alert set", f"saved query {one.pk}", **about)


def _take(one: SavedQuery, given: dict[str, Any]) -> None:
    one.name = text(given, "name", LONGEST_NAME, one.name).strip()
    one.index = text(given, "index", 64, one.index) or DEFAULT_INDEX
    one.q = text(given, "q", LONGEST_QUERY, one.q)
    one.lang = text(given, "lang", 8, one.lang)
    one.begin = text(given, "from", LONGEST_TIME, one.begin)
    one.end = text(given, "to", LONGEST_TIME, one.end)
    if "jobs" in given:
        jobs = given["jobs"] or []
        if not isinstance(jobs, list) or any(isinstance(job, bool) or not isinstance(job, int) for job in jobs):
            raise Refused("jobs must be a list of numbers", option="jobs")
        if len(jobs) > MOST_JOBS:
            raise Refused(f"jobs are {len(jobs):,}, and may be {MOST_JOBS:,}", option="jobs")
        one.jobs = jobs
    if "fields" in given:
        fields = given["fields"] or []
        if not isinstance(fields, list) or any(not isinstance(name, str) for name in fields):
            raise Refused("fields must be a list of names", option="fields")
        if any("," in name or not name for name in fields):
            raise Refused("fields must be a list of names, one each", option="fields")
        field_names(",".join(fields))
        one.fields = fields


def check_question(one: SavedQuery) -> Question:
    """The question, which can be answered: it is asked of one shard. Raises Refused, QueryError."""
    try:
        asked = question(one)
    except Http404 as error:
        raise Refused(str(error), option="jobs" if "job" in str(error) else "index") from None
    with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
        ask(asked.index, [Call("Count", [asked.call])], [0])
    return asked


def parameters(one: SavedQuery) -> QueryDict:
    """A saved query as the parameters that all endpoints on packets take."""
    said = QueryDict(mutable=True)
    for name, value in (("index", one.index), ("q", one.q), ("lang", one.lang), ("from", one.begin), ("to", one.end)):
        if value and not (name == "index" and value == DEFAULT_INDEX):
            said[name] = value
    said.setlist("job", [str(job) for job in one.jobs])
    if one.fields:
        said["fields"] = ",".join(one.fields)
    return said


def question(one: SavedQuery) -> Question:
    """What it asks. Raises Refused, QueryError, Http404 (a job or the index is gone)."""
    return question_of(parameters(one))


def url(one: SavedQuery, path: str = "/explore/", **more: str) -> str:
    """The page that shows its packets."""
    said = parameters(one)
    query = said.urlencode()
    return f"{path}?{'&'.join(part for part in (query, urlencode(more)) if part)}" if query or more else path


def saved_json(one: SavedQuery, secret: str | None = None, to: HttpRequest | None = None) -> dict[str, Any]:
    """A saved query as the API shows it. secret: of its webhook, where it was made now: it is never shown again.

    to: who asks. The URL of a webhook is often a key by itself: who may not change it does not see it."""
    alert = standing.standing_json(one)
    if alert is not None and to is not None and not may_change(to, one):
        alert["webhook"] = None
    if alert is not None and secret is not None:
        alert["secret"] = secret
    return {
        "id": one.pk,
        "url": one.get_absolute_url(),
        "name": one.name,
        "owner": one.owner.get_username() if one.owner else None,
        "index": one.index,
        "q": one.q,
        "lang": one.lang,
        "jobs": one.jobs,
        "from": one.begin,
        "to": one.end,
        "fields": one.fields,
        "created": iso_time(one.created),
        "updated": iso_time(one.updated),
        "packets_url": url(one, "/packets/"),
        "explore_url": url(one),
        "alert": alert,
    }
