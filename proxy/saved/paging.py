"""Lists of what is kept, as all lists of the API: count, next, previous, results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from capture.api.jobs import LARGEST_PAGE, PAGE, whole_number


def page_of(request: HttpRequest, found: QuerySet[Any]) -> Page[Any]:
    """The page that the query string asks for (`page`, `limit`). Raises Refused, Http404."""
    pages = Paginator(found, whole_number(request.GET, "limit", PAGE, 1, LARGEST_PAGE))
    try:
        return pages.page(whole_number(request.GET, "page", 1, 1, 10**9))
    except EmptyPage:
        raise Http404(f"there are only {pages.num_pages} pages") from None


def page_json(request: HttpRequest, found: QuerySet[Any], describe: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """The same as the API says it."""
    page = page_of(request, found)

    def link(other: int) -> str:
        query = request.GET.copy()
        query["page"] = str(other)
        return f"{request.path}?{query.urlencode()}"

    return {
        "count": page.paginator.count,
        "next": link(page.next_page_number()) if page.has_next() else None,
        "previous": link(page.previous_page_number()) if page.has_previous() else None,
        "results": [describe(one) for one in page],
    }
