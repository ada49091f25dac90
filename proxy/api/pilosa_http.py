"""What all of Pilosa's endpoints have in common: methods, query parameters, Accept, bodies, and the forms of their answers.

Pilosa answers text/plain for nearly everything, JSON too, for its handlers set no type; a wrong method is a 405 without a body or
a type. Each answer is one write. A body is read only after its size was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from indexing.backends.base import BackendAway, BackendError
from indexing.client.go_json import encode
from indexing.client.schema import SchemaRefused
from proxy.api.pilosa_query import AGAIN

TEXT = "text/plain; charset=utf-8"
PROTOBUF = "application/x-protobuf"
_JSON_TYPES = ("application/json", "*/*", "*/json", "application/*")

View = Callable[..., HttpResponse]


class Refused(Exception):
    """The request is answered with this."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


def route(required: Sequence[str] = (), optional: Sequence[str] | None = (), **methods: View) -> View:
    """A view of one path: GET=..., POST=..., DELETE=... are the views of its methods.

    required, optional: the query parameters that it takes, any other is refused; optional None: any are taken.
    They need no CSRF token: Host and Origin are checked on every request (picapweb.middleware.origin)."""

    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        method = methods.get(request.method or "")
        if method is None:
            return _bare(405)
        try:
            if optional is not None:
                _check_arguments(request, required, optional)
            return method(request, **path)
        except Refused as refused:
            return refused.response
        except SchemaRefused as error:
            return plain(str(error), error.status) if error.plain else failure(str(error), error.status)
        except BackendAway as error:
            return plain(f"the index is away: {error}", 503)
        except BackendError as error:
            return plain(f"the index refused: {error}", 503)

    return csrf_exempt(view)


def _check_arguments(request: HttpRequest, required: Sequence[str], optional: Sequence[str]) -> None:
    given = request.GET
    for name in required:
        if not given.getlist(name) or not given.getlist(name)[0]:
            raise Refused(plain(encode({"error": f"{name} is required"}), 400))
    for name in given:
        if name not in required and name not in optional:
            raise Refused(plain(encode({"error": f"{name} is not a valid argument"}), 400))


def argument(request: HttpRequest, name: str) -> str:
    """A query parameter; of several, the first."""
    values = request.GET.getlist(name)
    return values[0] if values else ""


def flag(request: HttpRequest, name: str) -> bool:
    """A query parameter that is on as the literal "true" only."""
    return argument(request, name) == "true"


def accepts_json(request: HttpRequest) -> bool:
    """Pilosa's look at Accept: absent, or exactly one of four types."""
    return "HTTP_ACCEPT" not in request.META or request.META["HTTP_ACCEPT"] in _JSON_TYPES


def json_only(method: View) -> View:
    """Refuses who accepts no JSON: 406."""

    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        if not accepts_json(request):
            return plain("JSON only acceptable response", 406)
        return method(request, **path)

    return view


def protobuf_only(method: View) -> View:
    """Refuses what is not protobuf, or who does not accept exactly that: 415, 406."""

    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        if request.META.get("CONTENT_TYPE", "") != PROTOBUF:
            return plain("Unsupported media type", 415)
        if request.META.get("HTTP_ACCEPT", "") != PROTOBUF:
            return plain("Not acceptable", 406)
        return method(request, **path)

    return view


def body_of(request: HttpRequest) -> bytes:
    """The whole body; more than PICAPWEB_IMPORT_MAX_BYTES is refused before it is read: 413."""
    most = settings.IMPORT_MAX_BYTES
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        size = 0
    if size > most:
        text = f"a body of {size} bytes is more than the {most} that are taken (PICAPWEB_IMPORT_MAX_BYTES): send it in parts"
        raise Refused(plain(text, 413))
    try:
        return request.body
    except UnreadablePostError as error:
        raise Refused(plain(f"reading: {error}", 400)) from None


# Answers


def plain(text: str | bytes, status: int) -> HttpResponse:
    """Text and a newline, as Go's http.Error writes."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    return HttpResponse(data + b"\n", status=status, content_type=TEXT, headers=AGAIN if status == 503 else None)


def json_answer(value: Any) -> HttpResponse:
    """JSON and a newline, with the type that Pilosa gives it."""
    return HttpResponse(encode(value) + b"\n", content_type=TEXT)


def success() -> HttpResponse:
    """A change was made."""
    return json_answer({"success": True})


def failure(message: str, status: int) -> HttpResponse:
    """A change was not made."""
    return plain(encode({"success": False, "error": {"message": message}}), status)


def binary(data: bytes, status: int = 200) -> HttpResponse:
    """Protobuf, of which Pilosa sets no type: Go finds octets in it, or text; an empty one has none."""
    if not data:
        return _bare(status)
    return HttpResponse(data, status=status, content_type=TEXT if _is_text(data) else "application/octet-stream")


def _is_text(data: bytes) -> bool:
    """Go's net/http.DetectContentType in so far as a message can be taken for text."""
    return not any(byte <= 0x08 or byte == 0x0B or 0x0E <= byte <= 0x1A or 0x1C <= byte <= 0x1F for byte in data[:512])


def no_content() -> HttpResponse:
    """Done, and nothing to say."""
    return _bare(204)


def _bare(status: int) -> HttpResponse:
    response = HttpResponse(status=status)
    del response["Content-Type"]
    return response


def unsigned(text: str) -> int | None:
    """A number of 64 bits as Go's ParseUint takes it."""
    digits = text.lstrip("0") or text[-1:]
    if not text.isascii() or not text.isdigit() or len(digits) > 20 or int(digits) >= 1 << 64:
        return None
    return int(digits)
