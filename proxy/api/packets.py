"""Packets, tops and fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.api.jobs import get_job, whole_number
from capture.packets.errors import PacketsError
from capture.packets.registry import FIELDS, select
from capture.services.errors import Refused
from indexing.calls import Call, QueryError
from proxy.ask import DEFAULT_INDEX, NO_INDEX, count_and_bytes, known_index
from proxy.display.ask import PQL, bitmap_of_any
from proxy.locate import column_of
from proxy.one_packet import one_packet
from proxy.packets import page_by_time, page_of
from proxy.pql.unparse import unparse
from proxy.time_range import time_range
from proxy.tops import field_figures, top

LIMIT, LARGEST_LIMIT = 100, 10_000
# Order by time reads the time of every packet found, so it has a bound; capture order has none.
LARGEST_SORT = 2_000_000
TABLE_FIELDS = ("netsrc", "transsrc", "netdst", "transdst", "appproto", "tcp", "http-hostname")
PACKET_PARAMETERS = [OpenApiParameter(name, str) for name in ("index", "q", "lang", "job", "from", "to")]


@dataclass
class Question:
    """What a request asks for: index, the bitmap call, and how to say it again.

    lang: what `q` was read as. notes: sentences on its meaning."""

    index: str
    q: str
    jobs: list[int] = field(default_factory=list)
    call: Call = field(default_factory=lambda: Call("Union"))
    lang: str = PQL
    notes: tuple[str, ...] = ()

    @property
    def pql(self) -> str:
        return unparse(self.call)

    def said(self) -> dict[str, Any]:
        """What every answer echoes of its question."""
        return {"lang": self.lang, "pql": self.pql, "notes": list(self.notes)}


def question_of(given: Any) -> Question:
    """The question of a query string (or form). Raises Refused, QueryError."""
    q, lang = given.get("q", ""), given.get("lang", "")
    if lang not in ("", "pql", "display"):
        raise Refused(f"lang must be pql or display, not {lang!r}", option="lang")
    jobs = []
    for text in given.getlist("job"):
        if not text:
            continue
        if not text.isdecimal():
            raise Refused(f"job must be a number, not {text!r}", option="job")
        jobs.append(get_job(int(text[:18])).pk)
    index = given.get("index") or DEFAULT_INDEX
    try:
        known_index(index)
    except QueryError:
        raise Http404(f"there is no index {index!r}") from None
    asked = bitmap_of_any(q, lang, jobs)
    call = asked.call
    within = time_range(index, given.get("from", ""), given.get("to", ""))
    if within is not None:
        call = Call("Intersect", [call, within])
    return Question(index, q, jobs, call, asked.lang, asked.notes)


class Packets(APIView):
    """Packets of a query."""

    parser_classes: list[Any] = []

    @extend_schema(
        responses={200: dict},
        parameters=[*PACKET_PARAMETERS, *(OpenApiParameter(n, str) for n in ("fields", "limit", "cursor", "order"))],
    )
    def get(self, request: Request) -> Response:
        return Response(packets_json(request.GET))

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request) -> Response:
        """The same, for a query that is too long for a URL: a form."""
        kind = request._request.content_type
        if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
            raise Refused(f"send the query as a form, not as {kind or 'a body without a Content-Type'}", 415)
        return Response(packets_json(request._request.POST))


def packets_json(given: Any) -> dict[str, Any]:
    question = question_of(given)
    names = field_names(given.get("fields", ""))
    limit = whole_number(given, "limit", LIMIT, 1, LARGEST_LIMIT)
    count, size = count_and_bytes(question.index, question.call)
    order, cursor = given.get("order") or "capture", given.get("cursor", "")
    next_cursor: str | None
    if order == "capture":
        rows, after = page_of(question.index, question.call, names, limit, _cursor(cursor, 1)[0] if cursor else -1)
        next_cursor = None if after is None else str(after)
    elif order == "time":
        if count > LARGEST_SORT:
            raise Refused(
                f"order=time is for at most {LARGEST_SORT:,} packets, these are {count:,}: narrow the query", option="order"
            )
        at = _cursor(cursor, 2) if cursor else None
        rows, behind = page_by_time(question.index, question.call, names, limit, (at[0], at[1]) if at else None)
        next_cursor = None if behind is None else f"{behind[0]}.{behind[1]}"
    else:
        raise Refused(f"order must be capture or time, not {order!r}", option="order")
    return {
        "count": count,
        "bytes": size,
        "next": next_cursor,
        **question.said(),
        "packets": [row.as_json() for row in rows],
    }


def field_names(text: str) -> list[str]:
    """Fields of a comma separated list; empty: the table's own. Raises Refused."""
    names = [name for name in dict.fromkeys(text.split(",")) if name] or list(TABLE_FIELDS)
    try:
        select(names)
    except PacketsError as error:
        raise Refused(str(error), option="fields") from None
    return [name for name in names if name in FIELDS]


def _cursor(text: str, parts: int) -> list[int]:
    pieces = text.split(".")
    # The time part may be negative (no time stamp), the column may not.
    if len(pieces) != parts or not re.fullmatch(r"[0-9]{1,18}", pieces[-1]) or not re.fullmatch(r"-?[0-9]{1,19}", pieces[0]):
        raise Refused(f"cursor {text!r} is not one that was given out", option="cursor")
    return [int(piece) for piece in pieces]


class OnePacket(APIView):
    """A packet: bytes, layers, values as indexed."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request, index: str, column: int) -> Response:
        return Response(one_packet(index, column).as_json())


class NumberedPacket(APIView):
    """A job's packet by its number in the capture."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request, pk: int, number: int) -> Response:
        return Response(one_packet(*numbered(pk, number)).as_json())


def numbered(pk: int, number: int) -> tuple[str, int]:
    """Index and column of a job's packet. Raises Http404 in words."""
    get_job(pk)
    found = column_of(pk, number)
    if found is None:
        raise Http404(f"job {pk} has no indexed packet {number}: it may be filtered out, or not indexed yet")
    return found


class Tops(APIView):
    """Top and rare values."""

    @extend_schema(
        responses={200: dict},
        parameters=[*PACKET_PARAMETERS, *(OpenApiParameter(n, str) for n in ("field", "n", "order", "metric", "prefix"))],
    )
    def get(self, request: Request) -> Response:
        given = request.GET
        question = question_of(given)
        name = set_field(given.get("field", ""))
        order, metric = given.get("order") or "top", given.get("metric") or "packets"
        if order not in ("top", "rare"):
            raise Refused(f"order must be top or rare, not {order!r}", option="order")
        if metric != "packets":
            raise Refused(f"metric must be packets, not {metric!r}: others are not counted yet", option="metric")
        n = whole_number(given, "n", 10, 1, 100_000)
        found = top(question.index, question.call, name, n, rare=order == "rare", prefix=given.get("prefix", ""))
        return Response({**found.as_json(), **question.said()})


def set_field(name: str) -> str:
    """A field that has values to count. Raises Refused."""
    if not name:
        raise Refused("say which field", option="field")
    try:
        select([name])
    except PacketsError as error:
        raise Refused(str(error), option="field") from None
    if name not in FIELDS or FIELDS[name].kind != "set":
        raise Refused(f"{name} has no values to count: it is a number that is compared and summed", option="field")
    return name


class Fields(APIView):
    """The field registry with its figures."""

    @extend_schema(responses={200: list[dict[str, Any]]}, parameters=[OpenApiParameter("index", str)])
    def get(self, request: Request) -> Response:
        return Response(fields_json(request.GET.get("index") or DEFAULT_INDEX))


def fields_json(index: str) -> list[dict[str, Any]]:
    """Every field: what it is, how many values it has, and how many packets have it (null: not counted)."""
    try:
        figures = field_figures(known_index(index))
    except QueryError as error:
        if str(error) != NO_INDEX:
            raise
        raise Http404(f"there is no index {index!r}") from None
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "encoding": one.encoding,
            "level": one.level,
            "description": one.description,
            "example": one.example,
            "protocol": one.protocol,
            "wireshark": one.wireshark,
            "picap": one.picap,
            "always": one.always,
            "choices": list(one.choices),
            "plugin": one.plugin,
            "values": figures[one.name][0],
            "packets": figures[one.name][1],
        }
        for one in FIELDS.values()
    ]
