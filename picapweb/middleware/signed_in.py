"""Who asks, and whether they may: the one place where that is decided, before a view runs or a body is read.

Server mode is closed: whoever sends neither a session nor a token gets a 401 or, as a browser, the sign-in page. Which role a URL
needs stands in people.permissions. In local mode there is one person, who may everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, reverse
from django.utils.cache import patch_vary_headers

from people import permissions, tokens
from people.addresses import address_of
from people.models import Role, Scope, Token
from people.roles import role_of
from people.who import Streamed, Who, acting
from picapweb.problem import problem, wants_html

# Both ways to say who one is (RFC 9110, 11.6.1).
CHALLENGE = 'Session realm="picapweb", Token realm="picapweb"'


class SignedIn:
    """Sets `request.who` and `request.token`, and lets act whoever it is as long as the request lasts, its stream included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token: Token | None = None
        if not settings.LOCAL_MODE and not settings.PILOSA_ONLY:
            scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
            if scheme.lower() == "token":
                token = tokens.find(text.strip())
                if token is not None and token.state == "good" and token.user.is_active:
                    tokens.used(token)
                    request.user = token.user
                elif request.path in permissions.open_paths():
                    token = None
                else:
                    return unknown(request, _why(token))
        request.token = token  # type: ignore[attr-defined]
        who = who_asks(request, token)
        request.who = who  # type: ignore[attr-defined]
        if not who.role and request.path not in permissions.open_paths():
            return unknown(request, "sign in first, or send a token: this server is in server mode")
        with acting(who):
            response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            response.streaming_content = Streamed(who, cast(Iterable[bytes], response.streaming_content))
        if not settings.LOCAL_MODE:
            # What one person sees is nobody else's: no cache between may keep it for others.
            patch_vary_headers(response, ("Cookie", "Authorization"))
            response.headers.setdefault("Cache-Control", "private")
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Looks into the table of who may do what."""
        if settings.LOCAL_MODE:
            return None
        match = request.resolver_match
        if settings.PILOSA_ONLY and not is_pilosas(match):
            return problem(request, 404, f"{request.path} is not served here: this is for Pilosa's clients")
        rules = permissions.rules_of(match) if match is not None else None
        if rules is None:
            return problem(request, 403, f"nobody may use {request.path}: it is not in the table of permissions")
        rule = permissions.rule_of(rules, request.method or "")
        if rule is None:
            words = f"{request.path} takes {', '.join(rules)}, not {request.method}"
            return problem(request, 405, words, headers={"Allow": ", ".join(rules)})
        why = permissions.refused(rule, request.who)  # type: ignore[attr-defined]
        return problem(request, 403, why) if why else None


def who_asks(request: HttpRequest, token: Token | None) -> Who:
    """By token, by session, or in local mode; a Who of no role for a stranger."""
    about = address_of(request), request_id(request)
    user: Any = getattr(request, "user", None)
    if settings.LOCAL_MODE:
        return Who(None, "local", Role.ADMIN, True, "local", *about)
    if settings.PILOSA_ONLY:
        return Who(None, "Pilosa's clients", settings.PILOSA_ROLE, True, "PICAPWEB_PILOSA_BIND", *about)
    if token is not None:
        writes = token.scope == Scope.WRITE
        return Who(user.pk, user.get_username(), role_of(user), writes, f"token {token.prefix} {token.name}", *about)
    # Without the cookie there is no session to look for.
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not user.is_authenticated:
        return Who(None, "", "", False, "", *about)
    return Who(user.pk, user.get_username(), role_of(user), True, "session", *about)


def is_pilosas(match: ResolverMatch | None) -> bool:
    """Whether a URL is of Pilosa's API, or the probe of who supervises."""
    name = match.url_name or "" if match is not None else ""
    return name.startswith("pilosa-") or name == "healthz"


def request_id(request: HttpRequest) -> str:
    """The id of the request, if it has one."""
    return str(getattr(request, "id", "") or request.META.get("HTTP_X_REQUEST_ID", ""))[:128]


def unknown(request: HttpRequest, why: str) -> HttpResponse:
    """401, or the sign-in page for a browser that asks for a page."""
    if wants_html(request) and request.method in ("GET", "HEAD") and "HTTP_AUTHORIZATION" not in request.META:
        return HttpResponseRedirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
    return problem(request, 401, why, headers={"WWW-Authenticate": CHALLENGE})


def _why(token: Token | None) -> str:
    """Of a token that is found the owner may know why it is of no use: they have sent its secret."""
    if token is None:
        return "there is no such token"
    return "the token's owner is disabled" if token.state == "good" else f"the token is {token.state}"
