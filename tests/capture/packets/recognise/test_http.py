"""HTTP requests by content."""

from __future__ import annotations

import pytest

from capture.packets.recognise.http import Request, is_http, requests


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: curl/8\r\n\r\n", [Request(b"GET", [b"a.example"], [b"curl/8"])]),
        (b"get / HTTP/1.0\r\nhOsT:\tA:8080 \r\n\r\n", [Request(b"get", [b"A:8080"])]),
        (b"GET / HTTP/1.1\nHost: a\n\n", [Request(b"GET", [b"a"])]),
        (b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", [Request(b"BREW", [b"a"])]),
        (b"GET / HTTP/1.1\r\nUser-Agent: one\r\n two\r\n\r\n", [Request(b"GET", [], [b"one two"])]),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", [Request(b"GET", [b"a", b"b"])]),
        (b"GET / HTTP/1.1\r\nX-Host: a\r\nHost: \xff\x00\r\n\r\n", [Request(b"GET", [b"\xff\x00"])]),
        (b"GET /no/end/in/this/segm", [Request(b"GET")]),
        (b"GET ", [Request(b"GET")]),
        (b"GET /index.html\r\n", [Request(b"GET")]),
        (b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", [Request(b"CONNECT")]),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", [Request(b"OPTIONS")]),
        (b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", [Request(b"M-SEARCH", [b"239.255.255.250:1900"])]),
        (b"HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", []),
        (b"GETTING started", []),
        (b"POST request received successfully!", []),
        (b"\x16\x03\x01\x02\x00\x01", []),
        (b"", []),
    ],
)
def test_requests(payload: bytes, expected: list[Request]) -> None:
    assert requests(payload) == expected


def test_pipelined_requests_are_found_behind_their_bodies() -> None:
    first = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\nGET / HTTP/1.1\r\n"
    second = b"GET /b HTTP/1.1\r\nHost: b\r\n\r\n"
    assert [r.hosts for r in requests(first + second * 2)] == [[b"a"], [b"b"], [b"b"]]


def test_behind_a_chunked_body_nothing_is_guessed() -> None:
    payload = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    assert [r.method for r in requests(payload)] == [b"POST"]


def test_many_small_requests_take_linear_time() -> None:
    assert len(requests(b"GET / HTTP/1.1\r\n\r\n" * 10_000)) == 10_000


@pytest.mark.parametrize(
    ("payload", "http"),
    [(b"HTTP/1.1 200 OK\r\n", True), (b"HTTP/1.0 404\r\n", True), (b"HTTPS is", False), (b"GET / HTTP/1.1\r\n", True)],
)
def test_status_lines_are_http_too(payload: bytes, http: bool) -> None:
    assert is_http(payload) is http
