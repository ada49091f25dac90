"""Every error that a view raises, as a problem (RFC 9457)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404
from rest_framework.exceptions import APIException

from capture.services.describe import job_json
from capture.services.errors import Refused
from indexing.backends.base import BackendAway, BackendError
from indexing.calls import QueryError
from picapweb.problem import problem


def answer(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The problem that stands for an exception; None for one that is a defect of ours."""
    if isinstance(error, Refused):
        members = dict(error.members)
        if "job" in members:
            members["job"] = job_json(members["job"])
        headers = {"Retry-After": str(members["retry_after"])} if "retry_after" in members else None
        return problem(request, error.status, error.detail, headers=headers, **members)
    if isinstance(error, QueryError):
        members = {} if error.position is None else {"position": error.position}
        return problem(request, error.status, str(error), title="The query cannot be answered", **members)
    if isinstance(error, BackendAway):
        return problem(request, 503, f"the index is away: {error}", headers={"Retry-After": "5"}, part="index")
    if isinstance(error, BackendError):
        return problem(request, 503, f"the index refused: {error}", headers={"Retry-After": "30"}, part="index")
    if isinstance(error, Http404):
        return problem(request, 404, str(error) or "there is nothing here")
    if isinstance(error, PermissionDenied):
        return problem(request, 403, str(error) or "this is not yours to do")
    if isinstance(error, APIException):
        return problem(request, error.status_code, str(error.detail))
    return None


def handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Django REST framework's hook."""
    request = context["request"]
    return answer(getattr(request, "_request", request), error)


class Problems:
    """The same for plain views and pages, as a middleware."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer(request, error)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's hook for a URL that is nobody's.

    Clients of Pilosa try paths, and send no Accept: they get the words that they know."""
    if "Accept" not in request.headers and isinstance(exception, Resolver404):
        return HttpResponse("404 page not found\n", status=404, content_type="text/plain; charset=utf-8")
    words = str(exception) if isinstance(exception, Http404) and exception.args and isinstance(exception.args[0], str) else ""
    return problem(request, 404, words or f"there is nothing at {request.path}")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's hook for a request that it cannot read."""
    return problem(request, 400, str(exception) or "the request cannot be read")
