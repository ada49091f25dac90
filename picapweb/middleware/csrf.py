"""CSRF: Django's own check, where it is called for, and without reading a body that is not a small form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import CsrfViewMiddleware, get_token

from picapweb.problem import problem
from picapweb.upload_token import is_upload_of_own_form

# Django's check looks for the token in request.POST, and so would parse a whole upload before the view can refuse it.
LARGEST_FORM = 1024 * 1024


class Csrf(CsrfViewMiddleware):
    """Only a request that is authenticated by the session cookie needs the token (API, "Pilosa's own API").

    In local mode there is no session to misuse: the check of Host and Origin stands in its place. Everyone else who
    changes something says so by token (no cookie, nothing that a browser would add by itself).
    The token comes in the X-CSRFToken header, or in a form of at most LARGEST_FORM bytes that is not multipart. An upload by a
    form has a token of its own in its address (picapweb/upload_token.py).
    """

    def process_view(  # type: ignore[override]
        self, request: HttpRequest, callback: Callable[..., Any], callback_args: Any, callback_kwargs: Any
    ) -> HttpResponse | None:
        if settings.LOCAL_MODE or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        if getattr(request, "token", None) is not None:
            return None  # no browser adds a token by itself
        changes = request.method not in ("GET", "HEAD", "OPTIONS", "TRACE") and not getattr(callback, "csrf_exempt", False)
        if changes and settings.CSRF_HEADER_NAME not in request.META and not _is_small_form(request):
            if not is_upload_of_own_form(request):
                return problem(request, 403, "CSRF token missing: send it in the X-CSRFToken header")
            # As good as the header: what else Django looks at, Origin and Referer, it looks at as ever.
            request.META[settings.CSRF_HEADER_NAME] = get_token(request)
        return super().process_view(request, callback, callback_args, callback_kwargs)

    def _check_token(self, request: HttpRequest) -> None:
        """Django's looks into the body first, which would receive a whole upload in a place where no view finds it: a token in
        the header is enough, and is all that is looked at then."""
        if settings.CSRF_HEADER_NAME not in request.META or hasattr(request, "_post"):
            super()._check_token(request)  # type: ignore[misc]
            return
        request._post = QueryDict()  # type: ignore[attr-defined]  # what request.POST gives meanwhile
        try:
            super()._check_token(request)  # type: ignore[misc]
        finally:
            del request._post  # type: ignore[attr-defined]


def _is_small_form(request: HttpRequest) -> bool:
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return False
    return request.content_type == "application/x-www-form-urlencoded" and length <= LARGEST_FORM
