"""Pages of jobs and interfaces. They work without JavaScript; with it, a job's page follows the job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.paginator import EmptyPage, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from capture.api.jobs import LARGEST_PAGE, PAGE, find_jobs, whole_number
from capture.api.receive import job_from_request
from capture.api.registers import interfaces_json
from capture.models import ENDED, Job, JobKind, JobState
from capture.option_words import CHOICES, LIVE_OPTIONS, MAIN_OPTIONS, MORE_OPTIONS
from capture.rates import rate_now
from capture.services import live_workers
from capture.services.describe import job_json
from capture.services.errors import Refused
from capture.services.options import Options
from picapweb.upload_token import upload_token

# Where a job's packets come from, as the form's tabs.
SOURCES = (("upload", "Upload"), ("path", "Server path"), ("interface", "Interface"))


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The first page: the jobs."""
    return _jobs_page(request)


@require_http_methods(["GET", "HEAD", "POST"])
def jobs(request: HttpRequest) -> HttpResponse:
    """All jobs; a POST is the form of a new one."""
    if request.method != "POST":
        return _jobs_page(request)
    try:
        job = job_from_request(request)
    except Refused as refused:
        return _new_job_page(request, refused)
    return see_other(job.get_absolute_url())


def _jobs_page(request: HttpRequest) -> HttpResponse:
    given = request.GET
    context: dict[str, Any] = {
        "states": JobState.choices,
        "kinds": JobKind.choices,
        "given": {name: given.get(name, "") for name in ("state", "kind", "tag", "index", "text")},
        "origin": request.build_absolute_uri("/jobs/"),
    }
    context["filtered"] = any(context["given"].values())
    try:
        pages = Paginator(find_jobs(given), whole_number(given, "limit", PAGE, 1, LARGEST_PAGE))
        page = pages.page(whole_number(given, "page", 1, 1, 10**9))
    except EmptyPage:
        raise Http404(f"there are only {pages.num_pages} pages") from None
    except Refused as refused:
        return render(request, "capture/jobs.html", {**context, "error": refused.detail}, status=refused.status)
    context |= {
        "page": page,
        "jobs": [_list_row(job) for job in page],
        "active": any(job.state not in ENDED for job in page),
    }
    return render(request, "capture/jobs.html", context)


def _list_row(job: Job) -> dict[str, Any]:
    """A job of the list: as the API has it, and of a live one what it captures, and how fast."""
    said = job_json(job)
    if said["live"] is None:
        return said
    return {
        **said,
        "ended": job.ended,
        "interfaces": ", ".join(said["live"]["names"]),
        "rate": rate_now(said["live"])[0],
    }


@require_safe
def new_job(request: HttpRequest) -> HttpResponse:
    """The form of a new job."""
    return _new_job_page(request)


def _new_job_page(request: HttpRequest, refused: Refused | None = None) -> HttpResponse:
    given = request.POST if refused is not None else request.GET
    wrong = refused.members.get("option", "") if refused is not None else ""
    more, live = (_options(group, given, wrong) for group in (MORE_OPTIONS, LIVE_OPTIONS))
    known = refused.members.get("job") if refused is not None else None
    found = sorted(interfaces_json(), key=lambda one: not one["capturable"])
    context = {
        "sources": SOURCES,
        "source": _source(given),
        "options": _options(MAIN_OPTIONS, given, wrong),
        "more_options": more,
        "more_open": any(one["wrong"] or one["value"] for one in more) or known is not None,
        "live_options": live,
        "live_open": any(one["wrong"] or one["value"] for one in live) or bool(given.getlist("iface")),
        "interfaces": found,
        "why_none": why_none(found),
        "several_hosts": len({one.get("host") for one in found}) > 1,
        "chosen_interfaces": given.getlist("iface"),
        "filename": given.get("filename", ""),
        "import_folder": settings.IMPORT_DIR,
        "largest": settings.MAX_UPLOAD_BYTES,
        "origin": request.build_absolute_uri("/jobs/"),
        "upload_token": upload_token(request),
        "error": refused.detail if refused is not None else "",
        "error_option": wrong,
        "known": known,
    }
    response = render(request, "capture/new_job.html", context, status=refused.status if refused is not None else 200)
    if refused is not None and "retry_after" in refused.members:
        response["Retry-After"] = str(refused.members["retry_after"])
    return response


def _source(given: QueryDict) -> str:
    """The tab that is open: that of what was given."""
    return "interface" if given.getlist("iface") else "path" if given.get("filename") else "upload"


def _options(group: tuple[tuple[str, str, str, str], ...], given: QueryDict, wrong: str) -> list[dict[str, Any]]:
    """Options of the form, each with its default, what was given, and whether that was wrong."""
    defaults = asdict(Options())
    shown = []
    for name, label, kind, hint in group:
        default = defaults[name]
        choices = CHOICES.get(name, ())
        if kind == "checkbox" and default:
            # A box that is not ticked sends nothing, which would be the default again.
            kind, choices = "select", ("true", "false")
        shown.append(
            {
                "name": name,
                "label": label,
                "kind": kind,
                "hint": hint,
                "default": ",".join(default) if isinstance(default, list) else default,
                "value": given.get(name, ""),
                "choices": choices,
                "wrong": name == wrong,
            }
        )
    return shown


def why_none(found: list[dict[str, Any]]) -> list[str]:
    """Why none of the interfaces can be captured, each reason once; empty if one can be."""
    if any(one["capturable"] for one in found):
        return []
    if not found:
        return ["This machine has no interface that can be seen."]
    reasons = dict.fromkeys(_nameless(one["why_not"], one["name"]) for one in found)
    return [f"{reason[:1].upper()}{reason[1:]}" for reason in reasons if reason]


def _nameless(reason: str, name: str) -> str:
    """A reason without the name that it begins with, so that those of many interfaces are one."""
    return reason.removeprefix(f"{name} cannot be captured on: ").removeprefix(f"{name}: ")


@require_safe
def interfaces(request: HttpRequest) -> HttpResponse:
    """The machine's interfaces, who captures on them, and whether a live worker runs."""
    found = interfaces_json()
    context = {
        "interfaces": found,
        "why_none": why_none(found),
        "workers": live_workers.alive(),
        "no_worker": live_workers.NO_WORKER,
        "several_hosts": len({one.get("host") for one in found}) > 1,
    }
    return render(request, "capture/interfaces.html", context)


def see_other(url: str) -> HttpResponse:
    """After a form: the browser asks for the new place with GET (RFC 9110, 303)."""
    return HttpResponseRedirect(url, status=303)
