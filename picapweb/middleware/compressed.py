"""Pages over the wire as gzip. Their links repeat the query: a page of 1 MB is some tens of kilobytes."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class CompressedPages(GZipMiddleware):
    """HTML only. Streams go as they come (events must not wait in a buffer), and answers of the API too: on one machine, where
    most clients are, packing and unpacking takes longer than the bytes would."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
