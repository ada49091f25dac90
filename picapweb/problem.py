"""RFC 9457 problem details: the one shape of our own endpoints' errors, as JSON, or as a plain page for a browser."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

CONTENT_TYPE = "application/problem+json"
# As templates/base.html has them
_PAGES = ("jobs", "explore", "flows", "compare", "query", "fields", "saved", "alerts", "jobs/new")
_WORDS = {"flows": "Conversations", "jobs/new": "New job"}
_NAVIGATION = "".join(f'<a href="/{path}/">{_WORDS.get(path, path.capitalize())}</a>' for path in _PAGES)


def wants_html(request: HttpRequest) -> bool:
    """Whether this is a browser asking for a page: it names text/html, and the URL does not ask for JSON (?as=json)."""
    return "text/html" in request.headers.get("Accept", "") and request.GET.get("as") != "json"


def problem(
    request: HttpRequest,
    status: int,
    detail: str,
    *,
    title: str | None = None,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> HttpResponse:
    """An error answer: ``detail`` says what and where; ``members`` are added to the JSON object."""
    title = title or HTTPStatus(status).phrase
    response: HttpResponse
    if wants_html(request):
        # Built without templates, context processors or a session: it must work when the database does not.
        response = HttpResponse(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{status} {escape(title)} · picapweb</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
            '<link rel="icon" href="/static/picapweb/icon.svg" type="image/svg+xml">'
            '<link rel="stylesheet" href="/static/picapweb/look.css"></head><body><header class="site">'
            f'<a class="brand" href="/">picapweb</a><nav aria-label="Pages">{_NAVIGATION}</nav></header><main id="main">'
            '<div class="narrow"><section class="box">'
            f'<h1>{escape(title.capitalize())}</h1><p class="break">{escape(detail)}{_stop(detail)}</p>'
            '<p><a href="/">To the first page</a></p></section></div></main></body></html>',
            status=status,
        )
    else:
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
        response = JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def _stop(sentence: str) -> str:
    """The full stop that a sentence on a page lacks."""
    return "" if sentence.endswith((".", "!", "?", ":")) else "."
