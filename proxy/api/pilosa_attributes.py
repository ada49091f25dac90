"""POST .../attr/diff: all attributes of an index's columns, or of a field's rows.

Pilosa's nodes send each other the checksums of what they have; clients send none, and get all. Those of ids: keys are not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from indexing.client import go_json, tables
from indexing.client.engine import engine
from indexing.client.schema import FIELD_NOT_FOUND, INDEX_NOT_FOUND
from proxy.api.pilosa_http import body_of, json_answer, json_only, plain, route


@json_only
def _of_columns(request: HttpRequest, index: str) -> HttpResponse:
    refused = _check_body(request)
    if refused is not None:
        return refused
    known = tables.read(index)
    if known is None:
        return plain(INDEX_NOT_FOUND, 500)
    return _answer(engine().attributes(known, None))


@json_only
def _of_rows(request: HttpRequest, index: str, field: str) -> HttpResponse:
    refused = _check_body(request)
    if refused is not None:
        return refused
    known = tables.read(index)
    if known is None or field not in known.fields:
        return plain(FIELD_NOT_FOUND, 500)
    return _answer(engine().attributes(known, field))


def _check_body(request: HttpRequest) -> HttpResponse | None:
    try:
        found, value = go_json.decode(body_of(request))
    except go_json.GoJsonError as error:
        return plain(str(error), 400)
    if not found:
        return plain("EOF", 400)
    if not isinstance(value, dict) or value.get("blocks"):
        return plain('checksums of attributes are not compared here: send {"blocks":[]}', 400)
    return None


def _answer(attributes: Mapping[int, Mapping[str, Any]]) -> HttpResponse:
    # Go sorts the names of an object, numbers as texts.
    shown = {str(number): dict(sorted(some.items())) for number, some in attributes.items() if some}
    return json_answer({"attrs": dict(sorted(shown.items()))})


of_columns = route(POST=_of_columns)
of_rows = route(POST=_of_rows)
