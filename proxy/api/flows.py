"""Conversations of a question, one conversation, and the list of named queries."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.api.jobs import whole_number
from capture.services.errors import Refused
from indexing.calls import Call, QueryError
from indexing.columns import of_columns
from proxy.api.analysis import form_of, lacking, within_limits
from proxy.api.question import PACKET_PARAMETERS, question_of
from proxy.ask import in_rows, known_index
from proxy.flows.conversations import ORDERS, conversations
from proxy.flows.directions import FIELDS, Directions
from proxy.flows.listed import listed
from proxy.flows.lookup import lookup_of
from proxy.flows.named import QUERIES

LIMIT, LARGEST_LIMIT = 100, 1000


class Flows(APIView):
    """Conversations among the packets of a question."""

    parser_classes: list[Any] = []

    @extend_schema(
        responses={200: dict},
        parameters=[*PACKET_PARAMETERS, *(OpenApiParameter(n, str) for n in ("whole", "order", "limit", "cursor"))],
    )
    def get(self, request: Request) -> Response:
        return within_limits(flows_json, request.GET)

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request) -> Response:
        """The same, for a query that is too long for a URL: a form."""
        return within_limits(flows_json, form_of(request))


def flows_json(given: Any) -> dict[str, Any]:
    question = question_of(given)
    whole = given.get("whole") or "0"
    if whole not in ("0", "1"):
        raise Refused(f"whole must be 0 or 1, not {whole!r}", option="whole")
    order = given.get("order") or ORDERS[0]
    if order not in ORDERS:
        raise Refused(f"order must be one of {', '.join(ORDERS)}, not {order!r}", option="order")
    limit = whole_number(given, "limit", LIMIT, 1, LARGEST_LIMIT)
    after = _cursor(given.get("cursor", ""))
    found = _directions(question.index, Call("Flow", [question.call]) if whole == "1" else question.call)
    some = conversations(found.table())
    places, behind = some.page(order, limit, after)
    others = {"packets": found.others, "bytes": found.other_bytes}
    if whole == "1":  # Flow has none of the packets of no conversation
        others = _others(question.index, question.call)
    return {
        "count": some.size,
        "packets": int(some.packets.sum()),
        "bytes": int(some.bytes.sum()),
        "without_conversation": others,
        "next": None if behind is None else f"{behind[0]}.{behind[1]}",
        "order": order,
        "whole": whole == "1",
        **question.said(),
        "not_indexed": lacking(question, [name for name in FIELDS if name != "job"]),
        "flows": listed(question.index, some, places),
    }


def _directions(index: str, call: Call) -> Directions:
    found = Directions(index)
    within = in_rows(index, call)
    with lookup_of(index) as lookup:
        found.add(lookup.first_rows(FIELDS, within))
    return found


def _others(index: str, call: Call) -> dict[str, int]:
    found = _directions(index, call)
    return {"packets": found.others, "bytes": found.other_bytes}


def _cursor(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = re.fullmatch(r"(-?[0-9]{1,19})\.([0-9]{1,18})", text)
    if found is None or not -(1 << 63) <= int(found[1]) < 1 << 63:
        raise Refused(f"cursor {text!r} is not one that was given out", option="cursor")
    return int(found[1]), int(found[2])


class OneFlow(APIView):
    """The whole conversation that a packet is of."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request, index: str, column: int) -> Response:
        return within_limits(lambda _: one_flow(index, column), None)


def one_flow(index: str, column: int) -> dict[str, Any]:
    """Raises Http404 in words."""
    try:
        known_index(index)
    except QueryError:
        raise Http404(f"there is no index {index!r}") from None
    if column >= 1 << 63:
        raise Http404(f"there is no packet {column} in index {index!r}")
    packet = of_columns(np.array([column], np.uint64)).call()
    found = _directions(index, Call("Flow", [packet]))
    some = conversations(found.table())
    if not some.size:
        raise Http404(f"packet {column} of index {index!r} is not there, or is of no conversation: it has no Community ID")
    return {"flow": listed(index, some, np.arange(some.size))[0]}


class NamedQueries(APIView):
    """The named queries: what may stand in `Named("...")` and `named:...`."""

    @extend_schema(responses={200: list[dict[str, Any]]})
    def get(self, request: Request) -> Response:
        return Response(named_json())


def named_json() -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "sentence": one.sentence,
            "definition": one.definition,
            "pql": f'Named("{one.name}")',
            "display": f"named:{one.name}",
            "fields": list(one.fields),
        }
        for one in QUERIES.values()
    ]
