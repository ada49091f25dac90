"""/packets/export: the packets of a question as a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from capture.services.errors import Refused
from indexing import limits
from people import audit
from proxy.api.question import PACKET_PARAMETERS, question_of
from proxy.export.errors import ExportBroken
from proxy.export.fields import table_fields
from proxy.export.formats import CAPTURES, FORMATS
from proxy.export.plan import ORDERS, Export, planned, planned_table
from proxy.export.stream import Stream

USUAL_FORMAT = "pcapng"


class AsAsked(BaseContentNegotiation):
    """What comes is said by `format` alone, which Django REST framework would take for the name of a renderer."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


PARAMETERS = [
    *PACKET_PARAMETERS,
    OpenApiParameter("format", str, enum=FORMATS, default=USUAL_FORMAT),
    OpenApiParameter("order", str, enum=ORDERS, default=ORDERS[0]),
    OpenApiParameter("fields", str, description="of csv, jsonl and parquet: names with commas between, or a preset"),
    OpenApiParameter("gone", str, enum=["skip"], description="leave out packets whose bytes are gone; without it they are a 410"),
]
ANSWER = {
    (200, one): OpenApiResponse(OpenApiTypes.BINARY, "the file")
    for one in (
        "application/x-pcapng",
        "application/vnd.tcpdump.pcap",
        "text/csv",
        "application/x-ndjson",
        "application/vnd.apache.parquet",
    )
}


class ExportPackets(APIView):
    """The packets of a query as a file."""

    parser_classes: list[Any] = []
    content_negotiation_class = AsAsked

    @extend_schema(responses=ANSWER, parameters=PARAMETERS)
    def get(self, request: Request) -> HttpResponseBase:
        return _answer(request.GET, head=request.method == "HEAD")

    @extend_schema(request=None, responses=ANSWER)
    def post(self, request: Request) -> HttpResponseBase:
        """The same, for a query that is too long for a URL: a form."""
        kind = request._request.content_type
        if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
            raise Refused(f"send the query as a form, not as {kind or 'a body without a Content-Type'}", 415)
        return _answer(request._request.POST, head=False)


def _answer(given: Any, *, head: bool) -> HttpResponseBase:
    asked = {name: given.get(name, "")[:500] for name in ("index", "q", "from", "to")}
    asked["jobs"] = ", ".join(given.getlist("job"))[:500]
    return sent(lambda: _export(given), head=head, asked=asked)


def sent(plan: Callable[[], Export], *, head: bool, asked: dict[str, Any] | None = None) -> HttpResponseBase:
    """The answer that sends what `plan` makes ready, within the limits of a query. head: without the file.

    asked: of what the file is, for the audit log."""
    with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
        try:
            export = plan()
        except ExportBroken as error:
            raise Refused(f"{error}: ask again", 503) from None
    if not head:
        about = {"packets": export.count, "format": export.name.rpartition(".")[2], "file": export.name, **(asked or {})}
        audit.record("export", "packets", **about)
    response = HttpResponse() if head else StreamingHttpResponse(Stream(export.pieces, export.size))
    response["Content-Type"] = export.content_type
    response["Content-Disposition"] = content_disposition_header(True, export.name) or ""
    response["Accept-Ranges"] = "none"
    response["Cache-Control"] = "no-store"
    response["Picapweb-Packets"] = str(export.count)
    response["Picapweb-Packets-Gone"] = str(export.gone)
    if export.size is not None:
        response["Content-Length"] = str(export.size)
    return response


def _export(given: Any) -> Export:
    form, order, gone = given.get("format", USUAL_FORMAT), given.get("order", ORDERS[0]), given.get("gone")
    if form not in FORMATS:
        raise Refused(f"format must be one of {', '.join(FORMATS)}, not {form!r}", option="format")
    if order not in ORDERS:
        raise Refused(f"order must be capture or time, not {order!r}", option="order")
    if gone not in (None, "skip"):
        raise Refused(f"gone must be skip, or not be there, not {gone!r}", option="gone")
    if form not in CAPTURES:
        names = table_fields(given.get("fields", ""))
        return planned_table(question_of(given), form, order, names, skip_gone=gone == "skip")
    if given.get("fields"):
        raise Refused(f"fields is for csv, jsonl and parquet: a {form} file has whole packets", option="fields")
    return planned(question_of(given), form, order, skip_gone=gone == "skip")
