"""/tokens/: one's own tokens. The text of a new one is in the answer that made it, and nowhere else."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.services.describe import iso_time
from capture.services.errors import Refused
from people import tokens
from people.api.given import given_of, word
from people.models import Scope, Token

MEMBERS = ("name", "scope", "days")
DAYS, MOST_DAYS, MOST_TOKENS = 90, 3650, 200


def token_json(token: Token, text: str | None = None) -> dict[str, Any]:
    """A token as the API shows it. text: where it was made now."""
    return {
        "prefix": token.prefix,
        "url": f"/tokens/{token.prefix}/",
        "name": token.name,
        "scope": token.scope,
        "state": token.state,
        "created": iso_time(token.created),
        "expires": iso_time(token.expires),
        "last_used": iso_time(token.last_used),
        "revoked": iso_time(token.revoked),
        **({"token": text} if text is not None else {}),
    }


def mine(request: HttpRequest) -> list[Token]:
    """One's own tokens, the newest first."""
    pk = getattr(request.user, "pk", None)
    return list(Token.objects.select_related("user").filter(user=pk)) if pk is not None else []


def get_token(request: HttpRequest, prefix: str) -> Token:
    """One's own token. Raises Http404."""
    for token in mine(request):
        if token.prefix == prefix:
            return token
    raise Http404(f"you have no token {prefix}")


def make_token(request: HttpRequest) -> tuple[Token, str]:
    """From what the request gives. Raises Refused."""
    given = given_of(request, MEMBERS)
    if settings.LOCAL_MODE:
        raise Refused("in local mode nobody signs in, and there are no tokens", 409)
    name = word(given, "name", tokens.LONGEST_NAME)
    if not name or not name.isprintable():
        raise Refused("a token needs a name, one line", option="name")
    scope = word(given, "scope", 20) or Scope.READ
    if scope not in Scope.values:
        raise Refused(f"scope must be one of {', '.join(Scope.values)}, not {scope!r}", option="scope")
    if sum(token.state == "good" for token in mine(request)) >= MOST_TOKENS:
        raise Refused(f"you have {MOST_TOKENS} tokens: revoke some first", 409)
    return tokens.make(request.user, name, scope, _days(given))


def _days(given: dict[str, Any]) -> float | None:
    """Days until it expires; null or 0: it does not. Raises Refused."""
    value = given.get("days", DAYS)
    if value is None or value == "":
        return None if value is None else DAYS
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:6])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_DAYS:
        raise Refused(f"days must be a number from 0 (it never expires) to {MOST_DAYS}, not {value!r}", option="days")
    return float(value) if value else None


class Tokens(APIView):
    """One's own API tokens."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: list[dict[str, Any]]})
    def get(self, request: Request) -> Response:
        """The tokens of who asks, the newest first; never the secrets."""
        return Response([token_json(token) for token in mine(request._request)])

    @extend_schema(request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        """A new token; `token` of the answer is its text, shown this once. Only for who has signed in in a browser."""
        token, text = make_token(request._request)
        headers = {"Location": f"/tokens/{token.prefix}/", "Cache-Control": "no-store"}
        return Response(token_json(token, text), status=201, headers=headers)


class OneToken(APIView):
    """One of one's own tokens."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: dict})
    def get(self, request: Request, prefix: str) -> Response:
        """The token, without its secret."""
        return Response(token_json(get_token(request._request, prefix)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, prefix: str) -> Response:
        """Revokes it: it is of no use from now on."""
        tokens.revoke(get_token(request._request, prefix))
        return Response(status=204)
