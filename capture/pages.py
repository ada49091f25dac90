"""Pages of jobs and interfaces. They work without JavaScript; with it, a job's page follows the job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.paginator import EmptyPage, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from capture.api.jobs import LARGEST_PAGE, PAGE, find_jobs, whole_number
from capture.api.receive import job_from_request
from capture.api.registers import interfaces as list_of_interfaces
from capture.models import ENDED, JobKind, JobState
from capture.packets.dissect import DISSECTORS
from capture.services.describe import job_json
from capture.services.errors import Refused
from capture.services.options import Options, dissectors_in_words, presets_in_words

# What the form says of each option: its words, and the HTML input that fits. Defaults are those of Options.
OPTIONS = (
    ("filter", "BPF", "text", "capture filter: only packets that match are indexed, for example tcp port 80"),
    ("name", "Name", "text", "empty: the file's name"),
    ("tags", "Tags", "text", "words with commas between"),
    ("index", "Index", "text", "packets of one index are asked together"),
    ("fields", "Fields", "text", f"names with commas between, or a preset. {presets_in_words()}"),
    ("dissector", "Dissector", "select", dissectors_in_words()),
    ("snaplen", "Snaplen", "number", "bytes kept of each packet"),
    ("bufsize", "Batch", "number", "packets indexed at a time"),
    ("concurrency", "Concurrency", "number", "batches at work at a time; 0: as many as there are workers"),
    ("max_packets", "Stop after packets", "number", "0: no limit"),
    ("max_bytes", "Stop after bytes", "number", "0: no limit"),
    ("max_seconds", "Stop after time", "text", "seconds, or 1m30s; 0: no limit"),
    ("timeout", "Read timeout", "text", "live only: seconds, or 1ms"),
    ("ring_bytes", "Ring file size", "number", "live only: bytes a file; 0: one file"),
    ("ring_files", "Ring files kept", "number", "live only; 0: all"),
    ("promisc", "Promiscuous", "checkbox", "live only: take packets for others too"),
    ("again", "Again", "checkbox", "index a file that is known already"),
)
MAIN_OPTIONS = ("filter", "name", "tags")


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
        "jobs": [job_json(job) for job in page],
        "active": any(job.state not in ENDED for job in page),
    }
    return render(request, "capture/jobs.html", context)


@require_safe
def new_job(request: HttpRequest) -> HttpResponse:
    """The form of a new job."""
    return _new_job_page(request)


def _new_job_page(request: HttpRequest, refused: Refused | None = None) -> HttpResponse:
    given = request.POST if refused is not None else request.GET
    defaults = asdict(Options())
    options = []
    for name, label, kind, hint in OPTIONS:
        default = defaults[name]
        options.append(
            {
                "name": name,
                "label": label,
                "kind": kind,
                "hint": hint,
                "default": ",".join(default) if isinstance(default, list) else default,
                "value": given.get(name, ""),
                "choices": list(DISSECTORS) if name == "dissector" else [],
                "wrong": refused is not None and refused.members.get("option") == name,
            }
        )
    known = refused.members.get("job") if refused is not None else None
    context = {
        "options": [one for one in options if one["name"] in MAIN_OPTIONS],
        "more_options": [one for one in options if one["name"] not in MAIN_OPTIONS],
        "more_open": any(one["wrong"] or one["value"] for one in options if one["name"] not in MAIN_OPTIONS),
        "interfaces": sorted(list_of_interfaces(), key=lambda one: not one["capturable"]),
        "chosen_interfaces": given.getlist("iface"),
        "filename": given.get("filename", ""),
        "import_folder": settings.IMPORT_DIR,
        "largest": settings.MAX_UPLOAD_BYTES,
        "origin": request.build_absolute_uri("/jobs/"),
        "error": refused.detail if refused is not None else "",
        "error_option": refused.members.get("option", "") if refused is not None else "",
        "known": known,
    }
    return render(request, "capture/new_job.html", context, status=refused.status if refused is not None else 200)


@require_safe
def interfaces(request: HttpRequest) -> HttpResponse:
    """The machine's interfaces."""
    return render(request, "capture/interfaces.html", {"interfaces": list_of_interfaces()})


def see_other(url: str) -> HttpResponse:
    """After a form: the browser asks for the new place with GET (RFC 9110, 303)."""
    return HttpResponseRedirect(url, status=303)
