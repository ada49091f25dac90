"""One's own page: role, tokens, password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from capture.services.errors import Refused
from people import members, tokens
from people.api.tokens import DAYS, get_token, make_token, mine, token_json
from people.models import Scope
from people.who import current


def account_json(request: HttpRequest) -> dict[str, Any]:
    """Who asks, and what they may."""
    one = current()
    return {
        "name": one.name,
        "role": one.role,
        "via": one.via,
        "writes": one.writes,
        "mode": settings.PICAPWEB_MODE,
        "tokens_url": "/tokens/",
    }


@require_safe
def account_api(request: HttpRequest) -> HttpResponse:
    return JsonResponse(account_json(request))


@require_safe
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    user: Any = request.user
    context = {
        **account_json(request),
        "local": settings.LOCAL_MODE,
        "has_password": not settings.LOCAL_MODE and user.has_usable_password(),
        "tokens": [token_json(token) for token in mine(request)],
        "scopes": Scope.choices,
        "days": DAYS,
        "given": request.POST,
        **more,
    }
    return render(request, "people/account.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tokens_page(request: HttpRequest) -> HttpResponse:
    """A POST makes a token and shows it, this once."""
    if request.method != "POST":
        return HttpResponseRedirect("/account/")
    try:
        token, text = make_token(request)
    except Refused as refused:
        return _page(request, refused.status, error=refused.detail, wrong=refused.members.get("option", ""))
    return _page(request, 201, made=token_json(token, text))


@require_http_methods(["GET", "HEAD", "POST"])
def token_page(request: HttpRequest, prefix: str) -> HttpResponse:
    """A POST revokes it."""
    token = get_token(request, prefix)
    if request.method == "POST":
        tokens.revoke(token)
    return HttpResponseRedirect("/account/", status=303)


@require_POST
@sensitive_post_parameters()
@never_cache
def password(request: HttpRequest) -> HttpResponse:
    """A new password, for who knows the old one. Other sessions end; this one goes on."""
    given = request.POST
    user: Any = request.user
    if settings.LOCAL_MODE or not user.has_usable_password():
        return _page(request, 409, password_error="There is no password here to change.")
    if not user.check_password(given.get("old", "")):
        return _page(request, 400, password_error="The present password is another one.", password_wrong="old")
    try:
        with transaction.atomic():
            members.set_password(user, given.get("new", ""))
            update_session_auth_hash(request, user)
    except members.NotDone as error:
        return _page(request, 400, password_error=str(error).removeprefix("password: "), password_wrong="new")
    return _page(request, changed=True)
