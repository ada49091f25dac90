"""Every request has an id: the one that it brings (X-Request-ID), where that is sane, else one that is made."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from picapweb import logs

HEADER = "X-Request-ID"
IN_ENVIRON = "picapweb.request_id"
# The name of the view that answers, for who counts.
VIEW = "picapweb.view"
# What goes into logs and back into an answer: words of letters, digits and -._:/+= only.
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")


def id_of(environ: dict[str, Any]) -> str:
    """The id of a request: its own where that is sane, else a new one."""
    given = environ.get("HTTP_X_REQUEST_ID")
    return given if given and SANE.fullmatch(given) else os.urandom(8).hex()


class RequestId:
    """Gives views ``request.id``. picapweb.requests, around the whole application, sends it back; where that is not there (a
    test's client), it is done here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = request.META.get(IN_ENVIRON)
        if known is None:
            known = id_of(request.META)
            logs.bind(request=known)
        request.id = known  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        match = request.resolver_match
        request.META[VIEW] = (match.view_name or match.route) if match is not None else "none"
