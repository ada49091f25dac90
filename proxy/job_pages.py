"""A job's page: its state, live, and what is in it. Stop, retry and delete are asked for here."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from capture import sight
from capture.api.jobs import get_job, get_job_to_change
from capture.api.jobs import share as shared
from capture.models import Job, JobKind, JobState
from capture.pages import see_other
from capture.services import control
from capture.services.describe import job_json
from capture.services.errors import Refused
from capture.services.options import Options
from indexing.backends.base import BackendAway, BackendError
from proxy.facets import facet
from proxy.job_health import health_page
from proxy.links import Where, row
from proxy.live_page import curl, live_page, order
from proxy.ready import ready
from retention.show import of_job

TOP_FIELDS = (
    "netsrc",
    "netdst",
    "transproto",
    "transdst",
    "appproto",
    "tcp",
    "dns-qname",
    "tls-sni",
    "http-hostname",
    "http-useragent",
)
TOP_VALUES = 8


@require_safe
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """A job: what it did, what is in it."""
    return _job_page(request, get_job(pk))


def _job_page(request: HttpRequest, one: Job, refused: Refused | None = None) -> HttpResponse:
    context = _live(one) | _tops(one) | health_page(one)
    context |= {"error": refused.detail if refused is not None else "", "curl": _curl(request, one)}
    context |= {"before": _before(one), "ready": ready(Where(index=one.index, jobs=(one.pk,)))}
    context["retention"] = of_job(one)
    if one.kind == JobKind.INTERFACE:
        context["order"] = order(one)
    return render(request, "proxy/job.html", context, status=refused.status if refused is not None else 200)


@require_safe
def job_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of a job's page that changes: its figures, which are Postgres's, or (?part=tops, ?part=health) its top values and
    how its conversations went, which are the index's and may take longer. When the job has ended the whole page is asked for
    again, once."""
    one = get_job(pk)
    if request.GET.get("part") == "tops":
        return render(request, "proxy/job_tops.html", _tops(one))
    if request.GET.get("part") == "health":
        return render(request, "proxy/job_health.html", health_page(one))
    response = render(request, "proxy/job_live.html", _live(one))
    if one.ended and request.headers.get("HX-Request"):
        response["HX-Refresh"] = "true"
    return response


def _live(one: Job) -> dict[str, Any]:
    where = Where(index=one.index, jobs=(one.pk,))
    said = job_json(one)
    may_change = sight.may_change(one)
    return {
        "job": one,
        "said": said,
        "ended": one.ended,
        "packets_url": where.url("/explore/"),
        "undecodable_url": where.top("error"),
        "can_stop": may_change and one.state in (JobState.QUEUED, JobState.RUNNING),
        "can_retry": may_change and one.state in (JobState.STOPPED, JobState.FAILED),
        "may_change": may_change,
        **(live_page(one, said) if one.kind == JobKind.INTERFACE else {}),
    }


def _before(one: Job) -> Job | None:
    """The job that this one is compared with first: the last one before it that has packets in the same index."""
    return sight.seen().filter(index=one.index, pk__lt=one.pk, packets_indexed__gt=0).order_by("-pk").first()


def _tops(one: Job) -> dict[str, Any]:
    where = Where(index=one.index, jobs=(one.pk,))
    tops, tops_gone = [], ""
    # While the job runs, places are kept for values that will come: a page in which they appear one by one would jump.
    if one.packets_indexed or not one.ended:
        try:
            tops = [facet(where, row("job", str(one.pk)), name, TOP_VALUES) for name in TOP_FIELDS]
        except (BackendAway, BackendError) as error:
            # The job's own figures are in Postgres: they are shown whatever the index does.
            tops_gone = str(error)
    return {
        "job": one,
        "ended": one.ended,
        "running": not one.ended,
        "tops": [found for found in tops if found.values or not one.ended],
        "tops_gone": tops_gone,
    }


def _curl(request: HttpRequest, one: Job) -> str:
    """The order of this job as a command. Options that stand at their defaults are left out."""
    place = request.build_absolute_uri("/jobs/")
    if one.kind == JobKind.INTERFACE:
        return curl(place, one, one.live.interfaces)
    defaults = asdict(Options())
    parts = ["curl", "-F", shlex.quote(f"file=@{one.name}")]
    wanted: dict[str, Any] = {"filter": one.filter, "index": one.index, "tags": ",".join(one.tags), **one.options}
    for name, value in wanted.items():
        if value and value != defaults.get(name):
            parts += ["-F", shlex.quote(f"{name}={value}")]
    return " ".join([*parts, place])


def _order(
    request: HttpRequest, pk: int, verb: str, words: str, order: Callable[[Job], Any], after: str | None = None
) -> HttpResponse:
    """A change of a job: GET asks whether, POST does it."""
    one = get_job_to_change(pk)
    if request.method != "POST":
        return render(request, "proxy/confirm.html", {"job": one, "verb": verb, "words": words})
    try:
        order(one)
    except Refused as refused:
        return _job_page(request, get_job(pk), refused)
    return see_other(after or one.get_absolute_url())


@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a job before its end."""
    return _order(request, pk, "stop", "What is indexed already stays, and the job can be retried.", control.stop)


@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """A stopped or failed job goes on."""
    return _order(request, pk, "retry", "The job goes on where it ended.", control.retry)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a job, once it was confirmed."""
    words = "Its packets leave every answer at once; its capture and its share of the index are removed. This cannot be undone."
    return _order(request, pk, "delete", words, control.delete, "/jobs/")


@require_POST
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows a job to everybody, or to its owner and admins only."""
    return see_other(shared(request, pk).get_absolute_url())
