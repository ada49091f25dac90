"""What the two ends of a conversation said to each other: a page of it, or all bytes of one side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.api.jobs import whole_number
from capture.packets.segment import TCP, UDP
from capture.services.errors import Refused
from indexing import limits
from indexing.calls import QueryError
from people import audit
from proxy.api.analysis import within_limits
from proxy.api.export import AsAsked
from proxy.api.flows import one_flow
from proxy.export.errors import ExportBroken
from proxy.export.stream import Stream
from proxy.flows.packets import FlowPackets
from proxy.flows.payload import PAGE, OneConnection, Page, Placed, page, side_bytes, tallies

SIDES = ("initiator", "responder")
MISSING = ("skip", "zeros")
PROTOCOLS = {TCP: "TCP", UDP: "UDP"}
LARGEST_PAGE = 1 << 20
MOST_ZEROS = 64 << 20


class Payload(APIView):
    """A page of a conversation's payload."""

    @extend_schema(
        responses={200: dict},
        parameters=[
            OpenApiParameter("side", str, enum=SIDES),
            *(OpenApiParameter(name, int) for name in ("connection", "at", "size")),
        ],
    )
    def get(self, request: Request, index: str, column: int) -> Response:
        return within_limits(lambda given: payload_json(index, column, given), request.GET)


def asked_page(index: str, column: int, given: Any, size: int = PAGE) -> tuple[dict[str, Any], Page]:
    """The conversation, and the page of its payload that a query string asks for. Raises Refused, QueryError, Http404."""
    found = one_flow(index, column)["flow"]
    connection = whole_number(given, "connection", 0, 1, 10**9) or None
    side = given.get("side", "")
    if side not in ("", *SIDES):
        raise Refused(f"side must be initiator or responder, not {side!r}", option="side")
    at = whole_number(given, "at", 0, 0, 10**15)
    one = page(FlowPackets(index, found), connection, column, SIDES.index(side) if side else None, at, size)
    if connection and one.connection is None:
        raise Http404(f"this conversation has {len(one.connections):,} connections, and no number {connection}")
    return found, one


def payload_json(index: str, column: int, given: Any) -> dict[str, Any]:
    size = whole_number(given, "size", PAGE, 1, LARGEST_PAGE)
    found, one = asked_page(index, column, given, size)
    return {
        "flow": found,
        "protocol": PROTOCOLS.get(one.protocol),
        "connection": one.connection.number if one.connection else None,
        "connections": [_connection(each) for each in one.connections],
        "side": given.get("side") or None,
        "at": one.at,
        "next": one.end if one.end < one.total else None,
        "total": one.total,
        "packets_beyond": one.beyond,
        "packets_gone": one.gone,
        "packets_unread": one.unread,
        "chunks": [_chunk(each) for each in one.chunks],
    }


def _connection(one: OneConnection) -> dict[str, Any]:
    sides = {name: vars(tally) for name, tally in zip(SIDES, one.sides, strict=True)}
    return {"number": one.number, "column": one.column, "packet": one.packet, **sides}


def _chunk(one: Placed) -> dict[str, Any]:
    chunk = one.chunk
    return {
        "side": SIDES[chunk.side],
        "offset": chunk.offset,
        "column": one.column,
        "packet": one.number,
        "bytes": chunk.data.hex(),
        "missing": chunk.missing,
        "why": chunk.why or None,
    }


class PayloadBytes(APIView):
    """All bytes that one side of a connection sent, as a file."""

    content_negotiation_class = AsAsked

    @extend_schema(
        responses={200: OpenApiResponse(OpenApiTypes.BINARY, "the bytes")},
        parameters=[
            OpenApiParameter("connection", int),
            OpenApiParameter("missing", str, enum=["skip", "zeros"], default="skip"),
        ],
    )
    def get(self, request: Request, index: str, column: int, side: str) -> HttpResponseBase:
        with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
            return _file(index, column, side, request.GET, head=request.method == "HEAD")


def _file(index: str, column: int, side: str, given: Any, *, head: bool) -> HttpResponseBase:
    if side not in SIDES:
        raise Http404(f"a conversation has an initiator and a responder, and no {side!r}")
    number = whole_number(given, "connection", 0, 1, 10**9)
    missing = given.get("missing") or MISSING[0]
    if missing not in MISSING:
        raise Refused(f"missing must be skip or zeros, not {missing!r}", option="missing")
    found = one_flow(index, column)["flow"]
    packets = FlowPackets(index, found)
    some, gone = tallies(packets)
    if not some:
        raise Http404("the bytes of these packets are gone" if gone else "this conversation has no TCP or UDP payload")
    number = number or max((one.number for one in some if one.column <= column), default=1)
    one = next((one for one in some if one.number == number), None)
    if one is None:
        raise Http404(f"this conversation has {len(some):,} connections, and no number {number}")
    tally = one.sides[SIDES.index(side)]
    zeros = missing == "zeros"
    if zeros and tally.missing > MOST_ZEROS:
        raise Refused(f"{tally.missing:,} bytes are missing: so many zeros are not sent, ask for missing=skip", option="missing")
    size = tally.bytes + (tally.missing if zeros else 0)
    pieces = _pieces(packets, number, SIDES.index(side), zeros)
    if not head:
        audit.record("export", "payload", index=index, column=column, side=side, bytes=size)
    response = HttpResponse() if head else StreamingHttpResponse(Stream(pieces, size))
    response["Content-Type"] = "application/octet-stream"
    response["Content-Disposition"] = content_disposition_header(True, _name(found, side, number, len(some))) or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "no-store"
    response["Content-Length"] = str(size)
    response["Picapweb-Bytes-Missing"] = str(tally.missing)
    return response


def _pieces(packets: FlowPackets, connection: int, side: int, zeros: bool) -> Iterator[bytes]:
    """What is sent after the view has ended: there a limit is none."""
    try:
        yield from side_bytes(packets, connection, side, zeros=zeros)
    except QueryError as error:
        raise ExportBroken(str(error)) from None


def _name(found: dict[str, Any], side: str, number: int, of: int) -> str:
    """Who sent it, and to whom."""
    ends = [found[name] for name in (SIDES if side == "initiator" else SIDES[::-1])]
    words = ["-".join(str(part).replace(":", ".") for part in (end["address"], end["port"]) if part is not None) for end in ends]
    return "-to-".join(words) + (f"-{number}" if of > 1 else "") + ".bin"
