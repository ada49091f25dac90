"""Pilosa's own query API, in values."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from indexing.backends.base import BackendAway, BackendError
from indexing.calls import QueryError
from proxy.ask import ask_text
from proxy.not_indexed import HEADER, fields_of, header, not_indexed
from proxy.pql.parse import MAX_QUERY_BYTES
from proxy.pql.render import error_json, render_json

JSON_TYPES = ("application/json", "*/*", "*/json", "application/*")


@csrf_exempt
def query(request: HttpRequest, index: str) -> HttpResponse:
    """POST PQL, get its results. Errors in Pilosa's words: 400 {"error": ...}; a backend that is away is a 503."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    accept = request.headers.get("Accept", "*/*")
    if request.content_type == "application/x-protobuf" or not any(kind in accept for kind in JSON_TYPES):
        return _error("protobuf is not spoken here yet: send PQL as text, and Accept: application/json", 406)
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length > MAX_QUERY_BYTES:
            return _error(f"query of {length} bytes is more than {MAX_QUERY_BYTES}", 413)
        body = request.read(MAX_QUERY_BYTES + 1)
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise QueryError(f"parsing: the query is not UTF-8: byte {error.start}", position=error.start) from None
        answer = ask_text(index, text, _shards(request))
        missing = not_indexed(index, fields_of(answer.calls))
        return HttpResponse(
            render_json(answer.results, answer.calls),
            content_type="application/json",
            headers={HEADER: header(missing)} if missing else None,
        )
    except QueryError as error:
        return HttpResponse(error_json(error), status=error.status, content_type="application/json")
    except BackendAway as error:
        return _error(f"the index is away: {error}", 503)
    except BackendError as error:
        return _error(f"the index refused: {error}", 503)


def _shards(request: HttpRequest) -> list[int] | None:
    for name in request.GET:
        if name not in ("shards", "columnAttrs", "excludeRowAttrs", "excludeColumns"):
            raise QueryError(f"{name} is not a valid argument")
    text = request.GET.get("shards", "")
    if not text:
        return None
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise QueryError("invalid shard argument") from None


def _error(text: str, status: int) -> HttpResponse:
    return HttpResponse(error_json(QueryError(text)), status=status, content_type="application/json")
