"""GET /jobs/check-filter: a capture filter, checked as it is typed."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from capture.services.errors import Refused
from capture.services.filter_check import checked


@require_safe
def check_filter(request: HttpRequest) -> JsonResponse:
    """`{"ok", "detail", "position", "names"}`. A filter that is wrong is an answer here, and no error."""
    live = request.GET.get("live") or "0"
    if live not in ("0", "1"):
        raise Refused(f"live must be 0 or 1, not {live!r}", option="live")
    return JsonResponse(asdict(checked(request.GET.get("filter", ""), live == "1")))
