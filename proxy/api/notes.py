"""The note of a packet."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from proxy.saved.given import json_object, only, text
from proxy.saved.notes import LONGEST, note_of, remove_note, write_note


class Note(APIView):
    """What somebody wrote about a packet."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: dict})
    def get(self, request: Request, index: str, column: int) -> Response:
        found = note_of(index, column) if column < 2**63 else None
        if found is None:
            raise Http404(f"the packet in column {column} of index {index!r} has no note")
        return Response(found)

    @extend_schema(request=dict, responses={200: dict})
    def put(self, request: Request, index: str, column: int) -> Response:
        """Writes it, in the place of another one."""
        given = json_object(request._request)
        only(given, ("text",))
        return Response(write_note(request._request, index, column, text(given, "text", LONGEST)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, index: str, column: int) -> Response:
        if column < 2**63:
            remove_note(index, column)
        return Response(status=204)
