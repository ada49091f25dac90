"""A part that is away (Postgres, the broker, the index) is a 503 that names it, not a 500."""

from __future__ import annotations

import sys
from collections.abc import Callable

import django.db
import kombu.exceptions
import redis.exceptions
from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error

from indexing.backends.base import BackendAway
from picapweb.problem import problem

RETRY_SECONDS = 5


class PartAway:
    """Errors of views come here as exceptions; those of other middleware (sessions) by way of ``handler500`` below."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return away(request, exception)


def away(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """The 503 for an error that means "a part is away"; None for any other error."""
    part = which(error)
    if part is None:
        return None
    detail = f"{part} does not answer now; try again in a moment."
    return problem(request, 503, detail, title=f"{part} is away", headers={"Retry-After": str(RETRY_SECONDS)}, part=part)


def which(error: BaseException | None) -> str | None:
    """Which part an error says is away: "Postgres", "The broker", "The index" or None."""
    if isinstance(error, (django.db.OperationalError, django.db.InterfaceError)):
        return "Postgres"
    if isinstance(error, (kombu.exceptions.OperationalError, redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)):
        return "The broker"
    if isinstance(error, BackendAway):
        return "The index"
    return None


def handler500(request: HttpRequest) -> HttpResponse:
    """The URLconf's handler500: runs while the exception is being handled."""
    answer = away(request, sys.exc_info()[1])
    if answer is not None:
        return answer
    if "text/html" in request.headers.get("Accept", ""):
        return server_error(request)
    return problem(request, 500, "Something went wrong on the server; its log says what.")
