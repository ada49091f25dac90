"""POST /index/{index}/query as a view: Pilosa's own query API, in values. Most queries do not come this way, see pilosa_fast."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from proxy.api.pilosa_query import Asked, Reply, reply, too_large
from proxy.api.pilosa_rights import may_write_clients, may_write_packets
from proxy.pql.parse import MAX_QUERY_BYTES


@csrf_exempt
def query(request: HttpRequest, index: str) -> HttpResponse:
    """Answers it. Errors in Pilosa's words: 400 {"error": ...}; a backend that is away is a 503; any other method 405, as
    Pilosa's: without a body or a type."""
    if request.method != "POST":
        response = HttpResponse(status=405, headers={"Allow": "POST"})
        del response["Content-Type"]
        return response
    meta = request.META
    try:
        length = int(meta.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    try:
        # One more than is taken: what is longer is seen to be.
        body = b"" if length > MAX_QUERY_BYTES else request.read(MAX_QUERY_BYTES + 1)
    except UnreadablePostError:
        body, length = b"", 0
    asked = Asked(
        index,
        body,
        meta.get("QUERY_STRING", ""),
        meta.get("CONTENT_TYPE", ""),
        meta.get("HTTP_ACCEPT"),
        lambda: may_write_packets(request),
        may_write_clients,
    )
    return _response(too_large(asked, length) if length > MAX_QUERY_BYTES else reply(asked))


def _response(answer: Reply) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type, headers=answer.headers)
