"""Saved queries."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from proxy.saved.given import json_object, text
from proxy.saved.paging import page_json
from proxy.saved.saving import delete, find_saved, get_saved, save, saved_json


class SavedQueries(APIView):
    """All saved queries; new ones."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: dict}, parameters=[OpenApiParameter(name, str) for name in ("text", "page", "limit")])
    def get(self, request: Request) -> Response:
        wanted = text({"text": request.GET.get("text", "")}, "text", 1000)
        return Response(page_json(request._request, find_saved(wanted), lambda one: saved_json(one, to=request._request)))

    @extend_schema(request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        one, secret = save(request._request, json_object(request._request))
        return Response(saved_json(one, secret), status=201, headers={"Location": one.get_absolute_url()})


class OneSavedQuery(APIView):
    """A saved query."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: dict})
    def get(self, request: Request, pk: int) -> Response:
        return Response(saved_json(get_saved(pk), to=request._request))

    @extend_schema(request=dict, responses={200: dict})
    def patch(self, request: Request, pk: int) -> Response:
        """Changes what is given; the rest stays."""
        return Response(saved_json(*save(request._request, json_object(request._request), get_saved(pk))))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Its alerts stay."""
        delete(request._request, get_saved(pk))
        return Response(status=204)
