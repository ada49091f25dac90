"""A body without a Content-Length is not read by Django at all: it would be taken for an empty one, in silence."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from picapweb.problem import problem

# A raw upload is read from the server's own stream, which knows the end of a chunked body.
RAW_UPLOAD = ("/jobs/", ("application/vnd.tcpdump.pcap", "application/octet-stream", "application/x-pcapng", "application/gzip"))


class LengthRequired:
    """411 for a chunked body, except a raw upload."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get("Transfer-Encoding") and not request.META.get("CONTENT_LENGTH"):
            path, types = RAW_UPLOAD
            if request.path != path or request.content_type not in types:
                return problem(request, 411, "send the body with a Content-Length: only a raw upload may come in chunks")
        return self.get_response(request)
