"""An answer that is whole is handed to the server as one piece.

granian writes an iterator's pieces as chunks, after the headers: two small writes, of which a client that waits before it
acknowledges the first gets the second 40 ms later. A list it writes at once, with a Content-Length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpResponse

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class OneWrite:
    """A WSGI application around Django's."""

    def __init__(self, whole: Application) -> None:
        self._whole = whole

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = self._whole(environ, start_response)
        if not isinstance(response, HttpResponse):
            return response  # streamed, or a file
        try:
            return [response.content]
        finally:
            response.close()
