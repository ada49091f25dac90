"""Server mode is closed: whoever has not signed in gets a 401, before a body is read, or, as a browser, the sign-in page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from picapweb.problem import problem, wants_html

# A load balancer asks for these, and a browser needs the others to show the sign-in page.
OPEN = ("/healthz", "/readyz", "/sign-in/")


class SignedIn:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.LOCAL_MODE or request.path in OPEN or request.user.is_authenticated:
            return self.get_response(request)
        if wants_html(request) and request.method in ("GET", "HEAD"):
            return HttpResponseRedirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
        return problem(request, 401, "sign in first: this server is in server mode", headers={"WWW-Authenticate": "Session"})
