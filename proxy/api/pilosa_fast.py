"""POST /index/{index}/query past Django's handler, which costs more than most queries: only what is plain, and by the same rules.

Taken is, in local mode, a request of this machine without Origin, Sec-Fetch-Site, cookies, Authorization and
Transfer-Encoding, under a Host that picapweb.middleware.origin serves, with a Content-Length that is not too great. Of all the
rest Django's handler decides, with its middleware and its view. tests/proxy/api/test_query_fast.py asks both ways and compares;
it also lists the middleware, each with the reason why it has nothing to say here, and fails where there is one that it does not
know.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterable
from http.client import responses
from typing import Any

from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from picapweb import exceptions
from picapweb.middleware.away import away
from picapweb.middleware.headers import SecurityHeaders
from picapweb.middleware.origin import refuse_host, refuse_peer
from proxy.api.pilosa_query import Asked, Reply, reply
from proxy.api.pilosa_rights import may_write_packets
from proxy.pql.parse import MAX_QUERY_BYTES

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# Who sends one of these wants something that is looked at elsewhere.
UNUSUAL = (
    "HTTP_ORIGIN",
    "HTTP_SEC_FETCH_SITE",
    "HTTP_COOKIE",
    "HTTP_AUTHORIZATION",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_EXPECT",
    "HTTP_X_FORWARDED_PROTO",
)
_PATH = re.compile(r"/index/([a-z][a-z0-9_-]{0,63})/query")
_MOST_HOSTS = 256
_log = logging.getLogger("django.request")


class FastQueries:
    """A WSGI application before another one: answers plain queries itself and hands on all else."""

    def __init__(self, whole: Application) -> None:
        self._whole = whole
        self._hosts: dict[tuple[Any, ...], list[tuple[str, str]] | None] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        index = plain_index(environ)
        headers = self._headers(environ) if index else None
        if index is None or headers is None:
            return self._whole(environ, start_response)
        environ["picapweb.view"] = "pilosa-query"  # as the view is named: whoever counts requests makes no difference
        length = int(environ["CONTENT_LENGTH"])
        body = environ["wsgi.input"].read(length) if length else b""
        # Whoever reads it again finds it.
        environ["wsgi.input"] = io.BytesIO(body)
        if len(body) != length:
            return self._whole(environ, start_response)
        asked = Asked(
            index,
            body,
            environ.get("QUERY_STRING", ""),
            environ.get("CONTENT_TYPE", ""),
            environ.get("HTTP_ACCEPT"),
            lambda: may_write_packets(WSGIRequest(environ)),
        )
        try:
            answer = reply(asked)
        except Exception as error:
            answer = _failed(WSGIRequest(environ), error)
        finally:
            _release()
        reason = responses.get(answer.status, "")
        if answer.status >= 500:
            _log.error("%s: %s", reason, environ["PATH_INFO"])
        own = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        start_response(f"{answer.status} {reason}", [*own, *answer.headers.items(), *headers])
        return [answer.body]

    def _headers(self, environ: Environ) -> list[tuple[str, str]] | None:
        """What every answer under this Host carries; None if it is not served, or another setting is in the way."""
        place = (
            environ.get("HTTP_HOST"),
            environ.get("REMOTE_ADDR"),
            environ.get("SERVER_NAME"),
            environ.get("SERVER_PORT"),
            settings.LOCAL_MODE,
            settings.SECURE_SSL_REDIRECT,
            settings.SECURE_HSTS_SECONDS,
            tuple(settings.ALLOWED_HOSTS),
        )
        try:
            return self._hosts[place]
        except KeyError:
            pass
        headers = _common_headers(WSGIRequest(environ)) if _is_served(WSGIRequest(environ)) else None
        if len(self._hosts) >= _MOST_HOSTS:
            self._hosts.clear()
        self._hosts[place] = headers
        return headers


def plain_index(environ: Environ) -> str | None:
    """The index that a plain query is for; None for any other request."""
    if environ["REQUEST_METHOD"] != "POST" or environ.get("SCRIPT_NAME"):
        return None
    found = _PATH.fullmatch(environ["PATH_INFO"])
    if found is None or any(name in environ for name in UNUSUAL):
        return None
    length = environ.get("CONTENT_LENGTH", "")
    if not (length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= MAX_QUERY_BYTES):
        return None
    return found[1]


def _is_served(request: HttpRequest) -> bool:
    """Whether nothing but Host has to be looked at, and that is one of ours."""
    return (
        bool(settings.LOCAL_MODE)
        and not settings.SECURE_SSL_REDIRECT
        and not settings.SECURE_HSTS_SECONDS
        and refuse_peer(request) is None
        and refuse_host(request) is None
    )


def _common_headers(request: HttpRequest) -> list[tuple[str, str]]:
    """What the middleware adds to an answer, made by the middleware."""
    framed: Any = XFrameOptionsMiddleware(lambda _: HttpResponse())
    secured: Any = SecurityMiddleware(framed)
    response = SecurityHeaders(secured)(request)
    del response["Content-Type"]
    return list(response.items())


def _failed(request: HttpRequest, error: Exception) -> Reply:
    """The answer to an error that is none of the query's, from where Django's handler has it."""
    response = exceptions.answer(request, error) or away(request, error) or response_for_exception(request, error)
    headers = dict(response.items())
    return Reply(response.status_code, headers.pop("Content-Type", ""), response.content, headers)


def _release() -> None:
    """What Django does at the end of a request: a connection that was used goes back to the pool, or stays if it is good."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            connection.close_if_unusable_or_obsolete()
