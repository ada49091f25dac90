"""Interfaces of this machine; fields of the registry with their figures."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.packets.interfaces import list_interfaces


def interfaces() -> list[dict[str, Any]]:
    """Every interface, and why it cannot be captured where that is so."""
    return [
        {"name": one.name, "addresses": one.addresses, "up": one.up, "capturable": one.capturable, "why_not": one.why_not}
        for one in list_interfaces()
    ]


class Interfaces(APIView):
    """The machine's interfaces."""

    @extend_schema(responses={200: list[dict[str, Any]]}, parameters=[OpenApiParameter("as", str)])
    def get(self, request: Request) -> Response:
        return Response(interfaces())
