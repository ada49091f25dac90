"""HTTP by its start lines."""

from __future__ import annotations

import pytest

from capture.packets.recognise.http import RequestLine, is_http, request_line

GET = RequestLine(b"GET", b"/", 16)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", GET),
        (b"GET / HTTP/1.1\nHost: a\n\n", RequestLine(b"GET", b"/", 15)),
        (b"GET  /  HTTP/1.1 \t\r\n", RequestLine(b"GET", b"/", 20)),
        (b"get / HTTP/1.0\r\n", RequestLine(b"get", b"/", 16)),
        (b"BREW /pot HTTP/1.1\r\n\r\n", RequestLine(b"BREW", b"/pot", 20)),
        (b"GET /a b HTTP/1.1\r\n", RequestLine(b"GET", b"/a b", 19)),
        (b"GET /no/end/in/this/segm", RequestLine(b"GET", b"/no/end/in/this/segm", 24)),
        (b"GET / HTTP/1.", RequestLine(b"GET", b"/", 13)),
        (b"GET ", RequestLine(b"GET", b"", 4)),
        (b"GET /index.html\r\n", RequestLine(b"GET", b"/index.html", 17)),
        (b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", RequestLine(b"CONNECT", b"a.example:443", 32)),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", RequestLine(b"OPTIONS", b"*", 20)),
        (b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", RequestLine(b"M-SEARCH", b"*", 21)),
        (b"HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", None),
        (b"GETTING started", None),
        (b"GET / HTTP/1.1\rHost: a", None),
        (b"POST request received successfully!", None),
        (b"\x16\x03\x01\x02\x00\x01", None),
        (b"", None),
    ],
)
def test_request_lines(payload: bytes, expected: RequestLine | None) -> None:
    assert request_line(payload) == expected


def test_blanks_inside_a_target_are_its_own() -> None:
    target = b"x" + b" " * 1000 + b"y"
    assert request_line(b"GET " + target + b" HTTP/1.1") == RequestLine(b"GET", target, 1015)


@pytest.mark.parametrize(
    ("payload", "http"),
    [(b"HTTP/1.1 200 OK\r\n", True), (b"HTTP/1.0 404\r\n", True), (b"HTTPS is", False), (b"GET / HTTP/1.1\r\n", True)],
)
def test_status_lines_are_http_too(payload: bytes, http: bool) -> None:
    assert is_http(payload) is http
