"""Interfaces of this machine; fields of the registry with their figures."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture import sight
from capture.models import ENDED, LiveCapture
from capture.services import live_workers
from capture.services.describe import linktype_name


def interfaces() -> list[dict[str, Any]]:
    """Every interface that live workers see, and why it cannot be captured where that is so."""
    return live_workers.interfaces()


def interfaces_json() -> list[dict[str, Any]]:
    """The same, each with the name of its link type and the `jobs` that are ordered to capture on it and have not ended."""
    jobs: dict[str, list[tuple[str, int]]] = {}
    for live in LiveCapture.objects.filter(open=True, job__in=sight.seen()).exclude(job__state__in=ENDED).order_by("job"):
        for name in live.interfaces:
            jobs.setdefault(name, []).append((live.host, live.pk))
    return [
        {
            **one,
            "linktype_name": linktype_name(one.get("linktype")),
            # A job that no worker has taken up yet has no host: it may become anybody's.
            "jobs": [pk for host, pk in jobs.get(one["name"], []) if host in ("", one.get("host"))],
        }
        for one in interfaces()
    ]


class Interfaces(APIView):
    """The machine's interfaces."""

    @extend_schema(responses={200: list[dict[str, Any]]}, parameters=[OpenApiParameter("as", str)])
    def get(self, request: Request) -> Response:
        return Response(interfaces_json())
