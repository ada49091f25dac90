"""What may come next in a query that is being typed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.api.jobs import whole_number
from capture.services.errors import Refused
from indexing import limits
from indexing.calls import QueryError
from proxy.ask import DEFAULT_INDEX, known_index
from proxy.completion.complete import MOST, complete

LONGEST = 20_000  # characters of a query that is completed
SECONDS = 3.0  # whoever types does not wait longer
MOST_JOBS = 1000


class Complete(APIView):
    """Names, operators and values that may come next."""

    @extend_schema(
        responses={200: dict},
        parameters=[OpenApiParameter(name, str) for name in ("text", "at", "lang", "index", "job", "n")],
    )
    def get(self, request: Request) -> Response:
        with limits.within(min(SECONDS, settings.QUERY_SECONDS), settings.QUERY_MEMORY):
            return Response(complete_json(request.GET))


def complete_json(given: Any) -> dict[str, Any]:
    """The answer. Raises Refused, QueryError, Http404."""
    text, lang = given.get("text", ""), given.get("lang", "")
    if len(text) > LONGEST:
        raise Refused(f"text has {len(text):,} characters; up to {LONGEST:,} are completed", option="text")
    if "\0" in text:
        raise Refused("text must not hold a NUL", option="text")
    if lang not in ("", "pql", "display"):
        raise Refused(f"lang must be pql or display, not {lang!r}", option="lang")
    at = whole_number(given, "at", len(text), 0, len(text))
    most = whole_number(given, "n", MOST, 1, 50)
    jobs = [one for one in given.getlist("job") if one][:MOST_JOBS]
    for job in jobs:
        if not job.isdecimal() or not job.isascii() or len(job) > 18:
            raise Refused(f"job must be a number, not {job!r}", option="job")
    index = given.get("index") or DEFAULT_INDEX
    try:
        known_index(index)
    except QueryError:
        raise Http404(f"there is no index {index!r}") from None
    found = complete(index, text, at, lang, [int(job) for job in jobs], most)
    return {
        "from": found.begin,
        "to": found.end,
        "lang": found.lang,
        "cut": found.cut,
        "proposals": [one.as_json() for one in found.proposals],
    }
