"""To the provider, and back from it."""

from __future__ import annotations

import logging
from typing import Any

import jwt
import requests
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from people.oidc import provider
from people.pages.sign_in import record

WRONG = (SuspiciousOperation, jwt.PyJWTError, requests.RequestException, provider.ProviderAway, KeyError, ValueError)
logger = logging.getLogger(__name__)


class Begin(OIDCAuthenticationRequestView):
    """To the provider, with state, nonce and PKCE; `next` leads to this host only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super(OIDCAuthenticationRequestView, self).__init__(*args, **kwargs)
        self.OIDC_RP_CLIENT_ID = self.get_settings("OIDC_RP_CLIENT_ID")

    @property
    def OIDC_OP_AUTH_ENDPOINT(self) -> str:
        return str(provider.document()["authorization_endpoint"])

    def get(self, request: HttpRequest) -> HttpResponseBase:
        try:
            answer: HttpResponseBase = super().get(request)
        except provider.ProviderAway as error:
            return failed(request, str(error), 503)
        return answer


class Back(OIDCAuthenticationCallbackView):
    """Back from the provider: signed in, or the sign-in page, which says that it did not come about; why, the log says."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        try:
            answer: HttpResponseBase = super().get(request)
            return answer
        except WRONG as error:
            return failed(request, str(error), 403)

    def login_success(self) -> HttpResponseRedirect:
        answer: HttpResponseRedirect = super().login_success()
        record(self.request, "sign-in", self.user.get_username(), self.user, how="OpenID Connect")
        return answer

    def login_failure(self) -> Any:
        return failed(self.request, "the provider or this server refused", 403)


def failed(request: HttpRequest, why: str, status: int) -> HttpResponseBase:
    logger.warning("sign-in with OpenID Connect failed: %s", why)
    record(request, "sign-in failed", "", how="OpenID Connect")
    return render(request, "picapweb/sign_in.html", {"refused": True, "oidc": True}, status=status)
