"""The way past Django's handler: whatever is sent, it answers as the handler does, and what is not plain it hands on."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, connection

from indexing import store
from picapweb.one_write import OneWrite
from proxy.api.pilosa_fast import UNUSUAL, FastQueries
from proxy.pql.parse import MAX_QUERY_BYTES

# Every layer around the view, and why a request that is taken past it would have met nothing there.
MIDDLEWARE = {
    "picapweb.middleware.request_id.RequestId": "what is around both has given the request its id (picapweb.requests)",
    "picapweb.middleware.headers.SecurityHeaders": "its header is added, by itself",
    "picapweb.middleware.compressed.CompressedPages": "packs HTML only",
    "picapweb.middleware.origin.HostAndOrigin": "its refuse_host is asked; with an Origin nothing is taken",
    "picapweb.middleware.away.PartAway": "its function is asked about errors",
    "picapweb.middleware.length.LengthRequired": "without a Content-Length nothing is taken",
    "django.middleware.security.SecurityMiddleware": "its headers are added, by itself; with redirects or HSTS nothing is taken",
    "whitenoise.middleware.WhiteNoiseMiddleware": "serves GET of files",
    "django.contrib.sessions.middleware.SessionMiddleware": "with a cookie nothing is taken",
    "picapweb.middleware.csrf.Csrf": "checks nothing in local mode, and in server mode nothing is taken",
    "django.contrib.auth.middleware.AuthenticationMiddleware": "in server mode nothing is taken",
    "picapweb.middleware.signed_in.SignedIn": "in server mode nothing is taken",
    "django.contrib.messages.middleware.MessageMiddleware": "with a cookie nothing is taken",
    "django.middleware.clickjacking.XFrameOptionsMiddleware": "its header is added, by itself",
    "django_htmx.middleware.HtmxMiddleware": "only tells the view of htmx, which the view does not ask",
    "picapweb.exceptions.Problems": "its function is asked about errors",
}
TEXT = b"Count(Row(tcp=SYN))"
PLAIN = {"HTTP_HOST": "localhost:11000"}
NOT_TAKEN = [
    {"REQUEST_METHOD": "GET", "CONTENT_LENGTH": ""},
    {"REQUEST_METHOD": "PUT"},
    {"REQUEST_METHOD": "DELETE"},
    {"REQUEST_METHOD": "OPTIONS"},
    {"PATH_INFO": "/index/net/query/"},
    {"PATH_INFO": "/index/Net/query"},
    {"PATH_INFO": "/index/net\x00/query"},
    {"PATH_INFO": "/index//query"},
    {"PATH_INFO": "/index/a/b/query"},
    {"PATH_INFO": "/index/net/query\n"},
    {"PATH_INFO": "/jobs/"},
    {"HTTP_HOST": "evil.example"},
    {"HTTP_HOST": "localhost.evil.example:11000"},
    {"HTTP_HOST": "10.0.0.1"},
    {"HTTP_HOST": ""},
    {"HTTP_HOST": "localhost:11000, evil.example"},
    {"HTTP_HOST": None, "SERVER_NAME": "evil.example"},
    {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_ORIGIN": "null"},
    {"HTTP_ORIGIN": "http://localhost:11000"},
    {"HTTP_COOKIE": "sessionid=abc"},
    {"HTTP_AUTHORIZATION": "Bearer abc"},
    {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": None},
    {"HTTP_TRANSFER_ENCODING": "chunked"},
    {"HTTP_X_FORWARDED_PROTO": "https"},
    {"CONTENT_LENGTH": None},
    {"CONTENT_LENGTH": "-1"},
    {"CONTENT_LENGTH": "abc"},
    {"CONTENT_LENGTH": "\u0665"},
    {"CONTENT_LENGTH": str(MAX_QUERY_BYTES + 1)},
    {"CONTENT_LENGTH": "9" * 30},
    {"CONTENT_LENGTH": "1000"},  # more than comes
]
TAKEN = [
    {},
    {"HTTP_HOST": "127.0.0.1"},
    {"HTTP_HOST": "[::1]:11000"},
    {"HTTP_ACCEPT": "application/json"},
    {"HTTP_ACCEPT": "text/html,*/*;q=0.8"},
    {"HTTP_ACCEPT": "application/x-protobuf"},
    {"CONTENT_TYPE": "application/x-protobuf", "body": b"\x0a\x13Count(Row(tcp=SYN))"},
    {"CONTENT_TYPE": "application/x-protobuf", "body": b"\xff"},
    {"CONTENT_TYPE": "application/x-www-form-urlencoded"},
    {"PATH_INFO": "/index/nosuch/query"},
    {"QUERY_STRING": "profile=true"},
    {"QUERY_STRING": "shards=x"},
    {"QUERY_STRING": "shards=0,5&columnAttrs=true&excludeRowAttrs=true&excludeColumns=1"},
    {"body": b""},
    {"body": b"\xff"},
    {"body": b"Row("},
    {"body": b"Row(nosuch=1)"},
    {"body": b"Set(1, tcp=SYN)"},
    {"body": b"TopN(tls-sni, n=1)Rows(netproto)Sum(field=length)"},
]


class Both:
    """One request, both ways. past: whether the handler was not called."""

    def __init__(self) -> None:
        self._django = OneWrite(get_wsgi_application())
        self._fast = FastQueries(self._counted)
        self._calls = 0

    def _counted(self, environ: dict, start_response) -> Iterable[bytes]:
        self._calls += 1
        return self._django(environ, start_response)

    def ask(self, request: dict) -> tuple[tuple, tuple, bool]:
        self._calls = 0
        slow = _sent(self._django, request)
        fast = _sent(self._fast, request)
        return slow, fast, self._calls == 0


def _sent(application, request: dict) -> tuple:
    changed = dict(request)
    body = changed.pop("body", TEXT)
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/index/net/query",
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "11000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **PLAIN,
        **changed,
    }
    said: list = []
    environ = {name: value for name, value in environ.items() if value is not None}
    pieces = application(environ, lambda status, headers, *_: said.extend((status, headers)))
    assert isinstance(pieces, list)  # granian writes a list at once
    status, headers = said
    return status, sorted((name, value) for name, value in headers if name != "Content-Length"), b"".join(pieces)


@pytest.fixture
def both(data) -> Both:
    return Both()


def test_every_layer_of_the_middleware_was_thought_of(settings):
    assert list(MIDDLEWARE) == settings.MIDDLEWARE


@pytest.mark.parametrize("request_", NOT_TAKEN, ids=repr)
def test_what_is_not_plain_is_the_handlers(both: Both, request_: dict):
    slow, fast, past = both.ask(request_)
    assert not past
    assert fast == slow


@pytest.mark.parametrize("request_", TAKEN, ids=repr)
def test_what_is_plain_is_answered_as_the_handler_does(both: Both, request_: dict):
    slow, fast, past = both.ask(request_)
    assert past
    assert fast == slow


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_header_is_enough(both: Both, name: str):
    assert not both.ask({name: ""})[2]


@pytest.mark.parametrize("host", ["picap.example", "localhost"])
def test_in_server_mode_nothing_is_taken(both: Both, settings, host: str):
    assert both.ask({})[2]  # and what it knows of this Host is not believed in the other mode
    settings.LOCAL_MODE = False
    settings.ALLOWED_HOSTS = ["picap.example"]
    settings.SECURE_SSL_REDIRECT = False
    slow, fast, past = both.ask({"HTTP_HOST": host})
    assert not past
    assert fast == slow
    assert fast[0].startswith("401" if host == "picap.example" else "400")


@pytest.mark.parametrize(
    ("name", "value"), [("SECURE_SSL_REDIRECT", True), ("SECURE_HSTS_SECONDS", 60), ("ALLOWED_HOSTS", ["x"])]
)
def test_with_a_setting_that_has_a_say_nothing_is_taken(both: Both, settings, name: str, value):
    assert both.ask({})[2]
    setattr(settings, name, value)
    assert not both.ask({})[2]


def test_a_pilosa_that_is_away(both: Both, settings):
    settings.INDEX_URL = "pilosa://127.0.0.1:1"
    store.close()
    slow, fast, past = both.ask({})
    assert past
    assert fast == slow
    assert fast[0] == "503 Service Unavailable"
    assert "Retry-After" in str(fast[1])


def test_postgres_away(both: Both):
    def fail(*_):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(fail):
        slow, fast, past = both.ask({"PATH_INFO": "/index/nosuch/query"})
    assert past
    assert fast == slow
    assert fast[0] == "503 Service Unavailable"


def test_a_defect_is_a_500(both: Both, monkeypatch):
    def fail(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr("proxy.api.pilosa_query.is_packet_index", fail)
    slow, fast, past = both.ask({})
    assert past
    assert fast == slow
    assert fast[0] == "500 Internal Server Error"
