"""Signing in with an OpenID Connect provider, where there is one; else these are no pages."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache


@never_cache
def begin(request: HttpRequest) -> HttpResponseBase:
    """Leads to the provider."""
    _is_on()
    from people.oidc.views import Begin  # with libraries that a server without a provider need not load

    answer: HttpResponseBase = Begin.as_view()(request)
    return answer


@never_cache
def back(request: HttpRequest) -> HttpResponseBase:
    """Back from the provider."""
    _is_on()
    from people.oidc.views import Back

    answer: HttpResponseBase = Back.as_view()(request)
    return answer


def _is_on() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404("there is no provider to sign in with (PICAPWEB_OIDC_ISSUER)")
