"""/audit/: what was done. For admins; it can only be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.services.errors import Refused
from people.audit import ACTIONS
from people.models import AuditEntry
from proxy.moments import nanoseconds
from proxy.saved.given import text
from proxy.saved.paging import page_json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FILTERS = ("who", "action", "object", "address", "from", "to")


def find_entries(given: Any) -> QuerySet[AuditEntry]:
    """The newest first, by the query string. Raises Refused."""
    found = AuditEntry.objects.order_by("-pk")
    said = {name: text({name: given.get(name, "")}, name, 200) for name in FILTERS}
    if said["action"] and said["action"] not in ACTIONS:
        raise Refused(f"action must be one of {', '.join(ACTIONS)}, not {said['action']!r}", option="action")
    for name in ("who", "action", "object", "address"):
        if said[name]:
            found = found.filter(**{name: said[name]})
    for name, lookup in (("from", "at__gte"), ("to", "at__lt")):
        if said[name]:
            moment = nanoseconds(said[name])
            if moment is None:
                raise Refused(f"{name} must be a time such as 2026-01-02T03:04:05Z, not {said[name]!r}", option=name)
            found = found.filter(**{lookup: _EPOCH + timedelta(microseconds=moment // 1000)})
    return found


class Audit(APIView):
    """The audit log."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: dict}, parameters=[OpenApiParameter(name, str) for name in (*FILTERS, "page", "limit")])
    def get(self, request: Request) -> Response:
        """What was done, the newest first: jobs, exports, tokens, sign-ins, roles, alerts."""
        return Response(page_json(request._request, find_entries(request.GET), AuditEntry.as_json))
