"""One packet as a capture file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from django.http import Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from capture.services.errors import Refused
from indexing.columns import of_columns
from proxy.api.export import AsAsked, sent
from proxy.api.question import Question
from proxy.export.formats import CAPTURES
from proxy.export.plan import ORDERS, Export, planned
from proxy.locate import batch_of, locate

USUAL_FORMAT = "pcap"


class PacketFile(APIView):
    """One packet as pcap or pcapng."""

    content_negotiation_class = AsAsked

    @extend_schema(
        responses={200: OpenApiResponse(OpenApiTypes.BINARY, "the file")},
        parameters=[OpenApiParameter("format", str, enum=list(CAPTURES), default=USUAL_FORMAT)],
    )
    def get(self, request: Request, index: str, column: int) -> HttpResponseBase:
        form = request.GET.get("format") or USUAL_FORMAT
        if form not in CAPTURES:
            raise Refused(f"format must be one of {', '.join(CAPTURES)}, not {form!r}", option="format")
        return sent(lambda: _file(index, column, form), head=request.method == "HEAD", asked={"packet": f"{index} {column}"})


def _file(index: str, column: int, form: str) -> Export:
    batch = batch_of(index, column) if column < 1 << 63 else None
    if batch is None:
        raise Http404(f"there is no packet in column {column} of index {index!r}")
    there = of_columns(np.array([column], np.uint64)).call()
    made = planned(Question(index, f"the packet in column {column}", [batch.job], there), form, ORDERS[0])
    located = locate(index, np.array([column], np.uint64))
    number = int(located.record["number"][0]) if located.record.size else column
    return replace(made, name=f"job-{batch.job}-packet-{number}.{form}")
