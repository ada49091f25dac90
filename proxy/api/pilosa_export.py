"""GET /export: the bits of a field in one shard as CSV, keys in the place of ids."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from django.http import HttpRequest, HttpResponse

from indexing.client import imports
from indexing.client.contract import U64
from indexing.client.imports import Exported, ImportRefused
from proxy.api.pilosa_http import TEXT, argument, binary, plain, route, unsigned

# Go's encoding/csv quotes texts with these, those that begin with white space, and the one that ends COPY's input in Postgres.
_QUOTED = re.compile(rb'[",\r\n]|^\s|^\\\.$')


def _get_export(request: HttpRequest) -> HttpResponse:
    if request.META.get("HTTP_ACCEPT", "") != "text/csv":
        return plain("Not acceptable", 406)
    shard = unsigned(argument(request, "shard"))
    if shard is None:
        return plain("invalid shard", 400)
    try:
        found = imports.export(argument(request, "index"), argument(request, "field"), shard)
    except ImportRefused as error:
        return plain(str(error), error.status)
    return HttpResponse(_csv(found), content_type=TEXT) if found.rows.size else binary(b"")


def _csv(found: Exported) -> bytes:
    """One line a bit. Those of a row lie one behind the other, and are joined at once."""
    columns = _cells(found.columns, found.column_keys)
    bounds = [0, *(np.flatnonzero(np.diff(found.rows)) + 1).tolist(), len(columns)]
    parts: list[bytes] = []
    for row, start, end in zip(_cells(found.rows[bounds[:-1]], found.row_keys), bounds, bounds[1:], strict=False):
        parts += (row, b",", (b"\n%b," % row).join(columns[start:end]), b"\n")
    return b"".join(parts)


def _cells(ids: U64, keys: Mapping[int, bytes] | None) -> list[bytes]:
    numbers: list[int] = ids.tolist()
    if keys is None:
        return str(numbers)[1:-1].encode().split(b", ")
    return list(map({number: _quoted(key) for number, key in keys.items()}.__getitem__, numbers))


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % text.replace(b'"', b'""') if _QUOTED.search(text) else text


export = route(GET=_get_export, required=("index", "field", "shard"))
