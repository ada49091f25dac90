"""GET /export: the bits of a field in one shard as CSV, keys in the place of ids."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from indexing.client import imports
from indexing.client.imports import ImportRefused
from proxy.api.pilosa_http import TEXT, argument, plain, route, unsigned

# Go's encoding/csv quotes texts with these, those that begin with white space, and the one that ends COPY's input in Postgres.
_QUOTED = re.compile(rb'[",\r\n]|^\s|^\\\.$')


def _get_export(request: HttpRequest) -> HttpResponse:
    if request.META.get("HTTP_ACCEPT", "") != "text/csv":
        return plain("Not acceptable", 406)
    shard = unsigned(argument(request, "shard"))
    if shard is None:
        return plain("invalid shard", 400)
    try:
        rows, columns = imports.export(argument(request, "index"), argument(request, "field"), shard)
    except ImportRefused as error:
        return plain(str(error), error.status)
    lines = (b"%b,%b\n" % pair for pair in zip(_cells(rows), _cells(columns), strict=True))
    response = HttpResponse(b"".join(lines), content_type=TEXT)
    if not rows:
        del response["Content-Type"]
    return response


def _cells(texts: list[bytes]) -> list[bytes]:
    search: Callable[[bytes], object] = _QUOTED.search
    return [b'"%b"' % text.replace(b'"', b'""') if search(text) else text for text in texts]


export = route(GET=_get_export, required=("index", "field", "shard"))
