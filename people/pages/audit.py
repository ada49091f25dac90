"""The page of the audit log. For admins."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from capture.services.errors import Refused
from people.api.audit import FILTERS, find_entries
from people.audit import ACTIONS
from proxy.saved.paging import page_of


@require_safe
@never_cache
def audit(request: HttpRequest) -> HttpResponse:
    """What was done, the newest first."""
    given = {name.replace("from", "begin").replace("to", "end"): request.GET.get(name, "") for name in FILTERS}
    context = {"given": given, "actions": ACTIONS, "filtered": any(given.values())}
    try:
        page = page_of(request, find_entries(request.GET))
    except Refused as refused:
        return render(request, "people/audit.html", {**context, "error": refused.detail}, status=refused.status)
    return render(request, "people/audit.html", {**context, "page": page, "entries": [one.as_json() for one in page]})
