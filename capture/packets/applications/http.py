"""HTTP/1.x (RFC 9112) on any port, and SSDP (UPnP Device Architecture 2.0, 1), which is its text over UDP.

A segment is read from its first byte, which must begin a start line (a segment that goes on with a message has no fields).
Of several messages the next one is found where Content-Length says that the one before ends (RFC 9112, 6.3); behind a chunked
body, or one that ends with the connection, nothing is guessed. A line that the segment's end cuts counts as far as it goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from capture.packets.fields import Field
from capture.packets.labels.http import STATUS
from capture.packets.recognise.http import STATUS_LINE, request_line

FIELDS = (
    Field(
        "http-path",
        "text",
        "Request target as sent (path and query; of a proxy's request the whole URL).",
        'Row(http-path="/index.html")',
        level="any",
        protocol="http",
        wireshark="http.request.uri",
    ),
    Field(
        "http-status",
        "number",
        "Status code of responses.",
        'Row(http-status="404")',
        level="any",
        protocol="http",
        wireshark="http.response.code",
        labels=STATUS,
        maximum=999,
    ),
    Field(
        "http-contenttype",
        "text",
        "Content-Type header of requests and responses as sent.",
        'Row(http-contenttype="text/html")',
        level="any",
        protocol="http",
        wireshark="http.content_type",
    ),
    Field(
        "http-server",
        "text",
        "Server header of responses (and of SSDP's announcements) as sent.",
        "TopN(http-server, n=10)",
        level="any",
        protocol="http",
        wireshark="http.server",
    ),
)


# header -> its field, and whether it counts in requests only
_HEADERS = {
    b"host": ("http-hostname", True),
    b"user-agent": ("http-useragent", True),
    b"content-type": ("http-contenttype", False),
    b"server": ("http-server", False),
}
_LINE = re.compile(rb"([^\r\n]*)(?:\r?\n|\r|\Z)")
_EMPTY_LINES = re.compile(rb"[\r\n]*")
_LONGEST_LENGTH = 18  # digits


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS and of picap's `http-*`, in the order of the wire."""
    at = 0
    while at < len(payload):
        status = STATUS_LINE.match(payload, at)
        if status:
            yield "http-status", int(status[1])
            at = _line(payload, at)[1]
        else:
            request = request_line(payload, at)
            if request is None:
                return
            yield "http-method", request.method
            yield "http-path", request.target
            at = request.end
        headers, at = _headers(payload, at)
        for name, value in headers:
            if name in _HEADERS and not (status and _HEADERS[name][1]):
                yield _HEADERS[name][0], value
        if at < 0:
            return
        if status and (status[1].startswith(b"1") or status[1] in (b"204", b"304")):
            body: int | None = 0
        else:
            body = _body(headers, None if status else 0)
        if body is None:
            return
        at = _EMPTY_LINES.match(payload, at + body).end()  # type: ignore[union-attr]  # RFC 9112, 2.2


def _line(payload: bytes, at: int) -> tuple[bytes, int]:
    """The line at `at` without its end, and the offset behind that."""
    m = _LINE.match(payload, at)
    assert m is not None
    return m[1], m.end()


def _headers(payload: bytes, at: int) -> tuple[list[tuple[bytes, bytes]], int]:
    """The header lines from `at`: (name in lower case, value) each, and the offset behind the empty line, -1 if there is none.

    Blanks around the value are taken away. A line that begins with a blank goes on with the one before (RFC 9112, 5.2).
    """
    found: list[tuple[bytes, bytes]] = []
    folds = False
    while at < len(payload):
        line, at = _line(payload, at)
        if not line:
            return found, at
        if line[:1] in b" \t":
            if folds:
                name, value = found[-1]
                found[-1] = name, (value + b" " + line.strip(b" \t")).strip(b" \t")
            continue
        name, colon, value = line.partition(b":")
        folds = bool(colon)
        if colon:
            found.append((name.strip(b" \t").lower(), value.strip(b" \t")))
    return found, -1


def _body(headers: list[tuple[bytes, bytes]], default: int | None) -> int | None:
    """Bytes of the body, `default` where the headers do not say, None if only its own bytes could tell (chunked)."""
    length = default
    for name, value in headers:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = int(value) if value.isdigit() and len(value) <= _LONGEST_LENGTH else None
    return length
