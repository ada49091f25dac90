"""The job resource."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.paginator import EmptyPage, Paginator
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture import sight
from capture.api.receive import job_from_request
from capture.models import CaptureFile, Job, JobKind, JobState
from capture.services import control
from capture.services.describe import job_json
from capture.services.errors import Refused
from people import audit

PAGE = 50
LARGEST_PAGE = 500
LONGEST_WAIT = 600.0
EVENT_SECONDS = 0.5
PIECE = 1 << 18  # bytes of a capture sent at a time
# A stream of events holds a thread of the web server: past this many in a process, clients are told to poll.
EVENT_STREAMS = 16
_streams = threading.BoundedSemaphore(EVENT_STREAMS)

JOB = {200: dict}


def get_job(pk: int) -> Job:
    """A job that whoever asks may see. Raises Http404 in words."""
    job = sight.seen().with_captures().filter(pk=pk).first()
    if job is None:
        raise Http404(f"there is no job {pk}")
    return job


def get_job_to_change(pk: int) -> Job:
    """The same, for who may change it. Raises Http404, PermissionDenied."""
    job = get_job(pk)
    sight.check_may_change(job)
    return job


def whole_number(given: dict[str, Any] | Any, name: str, default: int, least: int, most: int) -> int:
    """A number of the query string. Raises Refused, naming it."""
    text = given.get(name, "")
    if text == "":
        return default
    if not text.isascii() or not text.isdecimal() or not least <= int(text[:20]) <= most:
        raise Refused(f"{name} must be a number from {least} to {most}, not {text!r}", option=name)
    return int(text)


def find_jobs(given: Any) -> QuerySet[Job]:
    """Jobs that whoever asks sees, by the filters of the query string, newest first. Raises Refused."""
    for name in ("tag", "index", "text"):
        if "\0" in given.get(name, ""):
            raise Refused(f"{name} must not hold a NUL", option=name)
    jobs: QuerySet[Job] = sight.seen().with_captures().order_by("-id")
    for name, choices in (("state", JobState.values), ("kind", JobKind.values)):
        if value := given.get(name):
            if value not in choices:
                raise Refused(f"{name} must be one of {', '.join(choices)}, not {value!r}", option=name)
            jobs = jobs.filter(**{name: value})
    if tag := given.get("tag"):
        jobs = jobs.filter(tags__contains=[tag])
    if index := given.get("index"):
        jobs = jobs.filter(index=index)
    if text := given.get("text"):
        jobs = jobs.filter(Q(name__icontains=text) | Q(filter__icontains=text) | Q(error__icontains=text))
    return jobs


class Jobs(APIView):
    """All jobs; new jobs."""

    parser_classes: list[Any] = []

    @extend_schema(
        responses={200: dict},
        parameters=[OpenApiParameter(name, str) for name in ("state", "kind", "tag", "index", "text", "page", "limit")],
    )
    def get(self, request: Request) -> Response:
        limit = whole_number(request.GET, "limit", PAGE, 1, LARGEST_PAGE)
        pages = Paginator(find_jobs(request.GET), limit)
        number = whole_number(request.GET, "page", 1, 1, 10**9)
        try:
            page = pages.page(number)
        except EmptyPage:
            raise Http404(f"there are only {pages.num_pages} pages") from None

        def link(other: int) -> str:
            query = request.GET.copy()
            query["page"] = str(other)
            return f"{request.path}?{query.urlencode()}"

        return Response(
            {
                "count": pages.count,
                "next": link(number + 1) if page.has_next() else None,
                "previous": link(number - 1) if page.has_previous() else None,
                "results": [job_json(job) for job in page],
            }
        )

    @extend_schema(request=None, responses={202: dict}, parameters=[OpenApiParameter("wait", float)])
    def post(self, request: Request) -> Response:
        seconds = _wait_seconds(request)
        job = job_from_request(request._request)
        if seconds:
            job = _wait(job, seconds)
        return Response(job_json(get_job(job.pk)), status=202, headers={"Location": job.get_absolute_url()})


def _wait_seconds(request: Request) -> float:
    text = request.GET.get("wait", "")
    seconds = float(text or 0) if re.fullmatch(r"[0-9]{0,9}(\.[0-9]+)?", text) else -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise Refused(f"wait must be a number of seconds from 0 to {LONGEST_WAIT:.0f}, not {text!r}", option="wait")
    return seconds


def _wait(job: Job, seconds: float) -> Job:
    until = time.monotonic() + seconds
    pause = 0.02
    while not job.ended and time.monotonic() < until:
        connection.close()  # a waiter must not keep a connection that others need
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
        pause = min(pause * 1.5, 0.5)
        job = get_job(job.pk)
    return job


class OneJob(APIView):
    """A job."""

    @extend_schema(responses=JOB)
    def get(self, request: Request, pk: int) -> Response:
        return Response(job_json(get_job(pk)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        control.delete(get_job_to_change(pk))
        return Response(status=204)


class Stop(APIView):
    """Ends a job before its end."""

    @extend_schema(request=None, responses={202: dict})
    def post(self, request: Request, pk: int) -> Response:
        return Response(job_json(get_job(control.stop(get_job_to_change(pk)).pk)), status=202)


class Retry(APIView):
    """A stopped or failed job goes on."""

    @extend_schema(request=None, responses={202: dict})
    def post(self, request: Request, pk: int) -> Response:
        return Response(job_json(get_job(control.retry(get_job_to_change(pk)).pk)), status=202)


class Share(APIView):
    """Whether everybody sees a job."""

    parser_classes: list[Any] = []

    @extend_schema(request=None, responses={200: dict}, parameters=[OpenApiParameter("shared", str)])
    def post(self, request: Request, pk: int) -> Response:
        return Response(job_json(share(request._request, pk)))


def share(request: HttpRequest, pk: int) -> Job:
    """Shares a job (`shared=true`), or keeps it to its owner. Raises Refused, Http404, PermissionDenied."""
    small = (request.content_type or "").lower() == "application/x-www-form-urlencoded"
    wanted = request.GET.get("shared") or (request.POST.get("shared", "") if small else "")
    if wanted not in ("true", "false"):
        raise Refused(f"shared must be true or false, not {wanted!r}", option="shared")
    return get_job(control.share(get_job_to_change(pk), wanted == "true").pk)


@require_safe
def events(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Server-sent events: `job` with the job as data at every change, until it ends."""
    get_job(pk)
    if not _streams.acquire(blocking=False):
        raise Refused(f"{EVENT_STREAMS} event streams are open: ask /jobs/{pk}/ again and again instead", 503)
    response = StreamingHttpResponse(_events(pk), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


def _events(pk: int) -> Iterator[bytes]:
    try:
        last, quiet = "", 0.0
        while True:
            try:
                job = get_job(pk)
            except Http404:
                yield b"event: deleted\ndata: {}\n\n"
                return
            data = json.dumps(job_json(job))
            if data != last:
                last, quiet = data, 0.0
                yield f"event: job\ndata: {data}\n\n".encode()
            elif quiet >= 10:
                quiet = 0.0
                yield b": still here\n\n"
            if job.ended:
                return
            connection.close()
            time.sleep(EVENT_SECONDS)
            quiet += EVENT_SECONDS
    finally:
        _streams.release()


def _ring(job: Job, head: bool) -> StreamingHttpResponse:
    """A pcapng of several sections is a pcapng: the files are joined as they are."""
    parts = [(one.file, one.size) for one in CaptureFile.objects.filter(job=job, size__gt=0).order_by("sequence")]
    if not parts:
        raise Http404(f"job {job.pk} has no stored capture yet")
    if not head:
        audit.record("export", f"job {job.pk}", name=job.name, bytes=sum(size for _, size in parts))
    response = StreamingHttpResponse(_joined(parts), content_type="application/x-pcapng")
    response["Content-Length"] = str(sum(size for _, size in parts))
    response["Content-Disposition"] = content_disposition_header(True, f"{job.name}.pcapng") or ""
    return response


def _joined(parts: list[tuple[Path, int]]) -> Iterator[bytes]:
    # A file that the ring took away meanwhile ends the answer short of its length: the client sees that something is missing.
    for path, size in parts:
        with path.open("rb") as file:
            while size > 0 and (piece := file.read(min(size, PIECE))):
                size -= len(piece)
                yield piece


@require_safe
def pcap(request: HttpRequest, pk: int) -> FileResponse | StreamingHttpResponse:
    """The stored capture, decompressed; of a live job its ring files one behind the other, as far as they are written now."""
    job = get_job(pk)
    if job.kind == JobKind.INTERFACE:
        return _ring(job, head=request.method == "HEAD")
    capture = job.captures.first()
    if capture is None or not capture.stored or not capture.file.is_file():
        raise Http404(f"job {pk} has no stored capture yet")
    if request.method != "HEAD":
        audit.record("export", f"job {pk}", name=job.name, bytes=capture.size)
    response = FileResponse(capture.file.open("rb"), content_type="application/vnd.tcpdump.pcap")
    name = job.name.removesuffix(".gz")
    response["Content-Disposition"] = content_disposition_header(True, name if "." in name else f"{name}.{capture.format}") or ""
    return response
