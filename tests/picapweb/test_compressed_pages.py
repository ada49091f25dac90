"""Pages go as gzip to who takes it; answers of the API and streams go as they are."""

from __future__ import annotations

import gzip

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from picapweb.middleware.compressed import CompressedPages

PAGE = {"host": "localhost:11000", "accept": "text/html"}


def test_a_page_is_packed_for_who_takes_it():
    plain = Client(headers=PAGE).get("/nonesuch")
    packed = Client(headers={**PAGE, "accept-encoding": "gzip, br"}).get("/nonesuch")
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content)
    assert not plain.has_header("Content-Encoding")
    assert "Accept-Encoding" in plain["Vary"] and "Accept-Encoding" in packed["Vary"]
    assert packed["Content-Security-Policy"] == plain["Content-Security-Policy"]


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(b"[" + b"1," * 5000 + b"1]", content_type="application/json"),
        HttpResponse(b"a,b\n" * 5000, content_type="text/csv"),
        StreamingHttpResponse(iter([b"data: 1\n\n"] * 1000), content_type="text/event-stream"),
        StreamingHttpResponse(iter([b"<p>"] * 1000), content_type="text/html"),
    ],
    ids=["json", "csv", "events", "html in pieces"],
)
def test_what_is_no_page_is_left_as_it_is(response):
    request = RequestFactory().get("/", headers={"accept-encoding": "gzip"})
    answer = CompressedPages(lambda _: response)(request)
    assert answer is response
    assert not answer.has_header("Content-Encoding")
