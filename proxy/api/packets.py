"""Packets and fields."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.api.jobs import get_job, whole_number
from capture.packets.registry import FIELDS
from capture.services.errors import Refused
from indexing import limits
from indexing.calls import QueryError
from proxy.analysis.counter import count_of
from proxy.api.analysis import form_of, lacking, within_limits
from proxy.api.question import PACKET_PARAMETERS, field_names, question_of
from proxy.ask import DEFAULT_INDEX, NO_INDEX, known_index
from proxy.locate import column_of
from proxy.one_packet import one_packet
from proxy.packets import page_by_time, page_of
from proxy.tops import Figures, field_figures

LIMIT, LARGEST_LIMIT = 100, 10_000
# Order by time reads the time of every packet found, so it has a bound; capture order has none.
LARGEST_SORT = 2_000_000


class Packets(APIView):
    """Packets of a query."""

    parser_classes: list[Any] = []

    @extend_schema(
        responses={200: dict},
        parameters=[*PACKET_PARAMETERS, *(OpenApiParameter(n, str) for n in ("fields", "limit", "cursor", "order"))],
    )
    def get(self, request: Request) -> Response:
        return within_limits(packets_json, request.GET)

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request) -> Response:
        """The same, for a query that is too long for a URL: a form."""
        return within_limits(packets_json, form_of(request))


def packets_json(given: Any) -> dict[str, Any]:
    question = question_of(given)
    names = field_names(given.get("fields", ""))
    limit = whole_number(given, "limit", LIMIT, 1, LARGEST_LIMIT)
    count, size = count_of(question.index, question.call)
    order, cursor = given.get("order") or "capture", given.get("cursor", "")
    next_cursor: str | None
    last_first, by = order.startswith("-"), order.removeprefix("-")
    if by == "capture":
        at = _cursor(cursor, 1)[0] if cursor else None
        rows, after = page_of(question.index, question.call, names, limit, at, last_first=last_first)
        next_cursor = None if after is None else str(after)
    elif by == "time":
        if count > LARGEST_SORT:
            raise Refused(
                f"order={order} is for at most {LARGEST_SORT:,} packets, these are {count:,}: narrow the query", option="order"
            )
        place = _cursor(cursor, 2) if cursor else None
        before = (place[0], place[1]) if place else None
        rows, behind = page_by_time(question.index, question.call, names, limit, before, last_first=last_first)
        next_cursor = None if behind is None else f"{behind[0]}.{behind[1]}"
    else:
        raise Refused(f"order must be capture, time, -capture or -time, not {order!r}", option="order")
    return {
        "count": count,
        "bytes": size,
        "next": next_cursor,
        **question.said(),
        "not_indexed": lacking(question, names if given.get("fields") else ()),
        "packets": [row.as_json() for row in rows],
    }


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


class Fields(APIView):
    """The field registry with its figures."""

    @extend_schema(responses={200: list[dict[str, Any]]}, parameters=[OpenApiParameter("index", str)])
    def get(self, request: Request) -> Response:
        with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
            return Response(fields_json(request.GET.get("index") or DEFAULT_INDEX))


def fields_json(index: str) -> list[dict[str, Any]]:
    """Every field: what it is, how many values it has, and how many packets have it (null: not counted)."""
    try:
        figures = field_figures(known_index(index))
    except QueryError as error:
        if str(error) != NO_INDEX:
            raise
        raise Http404(f"there is no index {index!r}") from None
    return described(figures)


def described(figures: Figures) -> list[dict[str, Any]]:
    """Every field, with the figures that there are."""
    none = (None, None)
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
            "values": figures.get(one.name, none)[0],
            "packets": figures.get(one.name, none)[1],
        }
        for one in FIELDS.values()
    ]
