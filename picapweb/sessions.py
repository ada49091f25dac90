"""Who is signed in, by a session or a token, for views of the API: picapweb.middleware.signed_in has found out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from picapweb.middleware.csrf import Csrf


class Session(SessionAuthentication):
    """As Django REST framework's, with our own check of the token: in local mode there is none, whoever has signed in for the
    admin; and a token in the header does not make an upload be read before its view."""

    def enforce_csrf(self, request: Request) -> None:
        if Csrf(_never).process_view(request._request, _never, (), {}) is not None:
            raise PermissionDenied("CSRF token missing or wrong: send it in the X-CSRFToken header")


def _never(request: HttpRequest) -> HttpResponse:
    raise AssertionError("only the check is wanted")


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI description says it."""

    target_class = Session
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "Server mode only: sign in at /sign-in/; or send `Authorization: Token ...`, made at /account/.",
        }
