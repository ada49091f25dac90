"""Alerts of standing queries, and what is posted for them."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.services.errors import Refused
from proxy.models import SavedQuery
from proxy.saved import standing
from proxy.saved.alerts import acknowledge, alert_json, find_alerts, get_alert
from proxy.saved.paging import page_json
from proxy.saved.saving import check_may_change, get_saved, saved_json
from proxy.saved.webhook import post


class Alerts(APIView):
    """All alerts, the newest first."""

    @extend_schema(
        responses={200: dict}, parameters=[OpenApiParameter(name, str) for name in ("saved", "acknowledged", "page", "limit")]
    )
    def get(self, request: Request) -> Response:
        return Response(page_json(request._request, find_alerts(request.GET), alert_json))


class OneAlert(APIView):
    """An alert."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request, pk: int) -> Response:
        return Response(alert_json(get_alert(pk)))


class Acknowledge(APIView):
    """Somebody has seen an alert."""

    parser_classes: list[Any] = []

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, pk: int) -> Response:
        return Response(alert_json(acknowledge(request._request, get_alert(pk))))


class TestWebhook(APIView):
    """Posts to the webhook of a saved query, once."""

    parser_classes: list[Any] = []

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, pk: int) -> Response:
        """What the receiver answered. It is posted at once, and not again."""
        one = get_saved(pk)
        check_may_change(request._request, one)
        return Response(test_webhook(one))


def test_webhook(one: SavedQuery) -> dict[str, Any]:
    """Posts {"type": "test", "saved": ...}. Raises Refused if there is no webhook."""
    to = standing.of(one)
    if to is None or not to.webhook:
        raise Refused(f"saved query {one.pk} has no webhook", option="alert.webhook")
    answer = post(to.webhook, json.dumps({"type": "test", "saved": saved_json(one)}).encode(), to.secret)
    return {"delivered": answer.taken, "status": answer.status, "error": answer.error or None}
