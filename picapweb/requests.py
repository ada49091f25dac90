"""Around the whole WSGI application: each request has an id, which its answer and its lines in the log carry, and is counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from picapweb import counts, logs
from picapweb.middleware.request_id import HEADER, IN_ENVIRON, VIEW, id_of

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = logging.getLogger("picapweb.access")


class Requests:
    """A WSGI application around another one."""

    def __init__(self, whole: Application) -> None:
        self._whole = whole

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = time.perf_counter()
        ident = environ[IN_ENVIRON] = id_of(environ)
        # Until this thread's next request: what an answer that is streamed says later belongs to it as well.
        logs.bind(request=ident)
        said: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            said[:] = [status]
            return start_response(status, [*headers, (HEADER, ident)], *error)

        pieces = self._whole(environ, start)
        _count(environ, said[0][:3] if said else "", time.perf_counter() - began)
        if settings.ACCESS_LOG:
            _say(environ, said[0][:3] if said else "", time.perf_counter() - began)
        return pieces


def _count(environ: Environ, status: str, seconds: float) -> None:
    view = environ.get(VIEW)
    if view is None:  # answered before a view was chosen
        view = "static" if environ.get("PATH_INFO", "").startswith("/static/") else "none"
    method = environ.get("REQUEST_METHOD", "")
    counts.add("picapweb_http_requests", (view, method if method in METHODS else "other", status))
    counts.add("picapweb_http_request_seconds", (view,), seconds)


def _say(environ: Environ, status: str, seconds: float) -> None:
    """One line a request. Without the query string, which may hold what people look for."""
    facts = {
        "method": environ.get("REQUEST_METHOD", ""),
        "path": environ.get("PATH_INFO", ""),
        "status": int(status) if status.isdigit() else 0,
        "seconds": round(seconds, 6),
        "client": environ.get("REMOTE_ADDR", ""),
    }
    words = "%s %s %s %.4f s from %s"
    _log.info(words, facts["method"], facts["path"], status, seconds, facts["client"], extra={"facts": facts})
