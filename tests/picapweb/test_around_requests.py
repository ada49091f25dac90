"""What happens around every request: Host and Origin, headers, parts that are away, server mode, CSRF."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client

from picapweb import health

HERE = {"host": "localhost:11000"}
BROWSER = {**HERE, "accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def client() -> Client:
    return Client(headers=HERE)


@pytest.fixture
def server_mode(settings):
    settings.LOCAL_MODE = False
    settings.ALLOWED_HOSTS = ["picap.example"]
    settings.SECURE_SSL_REDIRECT = False


@pytest.mark.parametrize("host", ["localhost", "localhost:11000", "127.0.0.1:80", "[::1]:11000", "[::1]", "LOCALHOST"])
def test_names_of_this_machine_are_served(host: str):
    assert Client(headers={"host": host}).get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/index/net/query", "/jobs/", "/static/picapweb/look.css", "/nonesuch"])
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:11000", "10.0.0.1", "127.0.0.1.evil.example"])
def test_another_host_is_refused_on_every_path(host: str, path: str):
    """A name that a page on the internet resolves to 127.0.0.1 (DNS rebinding)."""
    answer = Client(headers={"host": host}).post(path, b"Count(All())", content_type="text/plain")
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert host in answer.json()["detail"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost",
        "http://localhost:11001",
        "https://localhost:11000",
        "http://127.0.0.1:11000",
        "x",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "options", "delete"])
def test_another_origin_is_refused(client: Client, origin: str, method: str):
    answer = getattr(client, method)("/index/net/query", headers={"origin": origin})
    assert answer.status_code == 403
    assert origin in answer.json()["detail"]


def test_the_own_origin_is_served(client: Client):
    assert client.get("/healthz", headers={"origin": "http://localhost:11000"}).status_code == 200
    assert Client(headers={"host": "localhost"}).get("/healthz", headers={"origin": "http://localhost:80"}).status_code == 200


def test_a_server_serves_its_names_only(server_mode):
    assert Client(headers={"host": "picap.example"}).get("/healthz").status_code == 200
    answer = Client(headers={"host": "localhost"}).get("/healthz")
    assert answer.status_code == 400
    assert "PICAPWEB_ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/nonesuch", "/static/picapweb/look.css"])
def test_every_answer_carries_the_headers(client: Client, path: str):
    answer = client.get(path)
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in answer["Content-Security-Policy"]
    if not path.startswith("/static"):
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_no_redirect_for_a_missing_slash(client: Client):
    assert client.get("/jobs").status_code == 404


def test_a_path_that_is_nobodys_has_pilosas_words_for_who_sends_no_accept(client: Client):
    answer = client.get("/nope")
    assert (answer.status_code, answer["Content-Type"], answer.content) == (
        404,
        "text/plain; charset=utf-8",
        b"404 page not found\n",
    )
    for accept in ("*/*", "application/json"):
        answer = client.get("/nope", headers={"Accept": accept})
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"] == "there is nothing at /nope"


def test_health_needs_no_database_and_answers_head(client: Client):
    """Without the db mark, a query fails the test."""
    assert client.get("/healthz").content == b"ok\n"
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405


@pytest.fixture
def postgres_away(db):
    """Every query fails as libpq does when Postgres is gone."""

    def fail(*_):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(fail):
        yield


def test_postgres_away_is_a_503_that_names_it(client: Client, postgres_away):
    answer = client.get("/jobs/")
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["part"] == "Postgres"
    page = client.get("/jobs/", headers=BROWSER)
    assert page.status_code == 503
    assert b"Postgres" in page.content
    assert page["Content-Type"].startswith("text/html")


def test_postgres_away_for_a_session_is_a_503_too(server_mode, postgres_away):
    """The session is read by middleware, whose errors reach no other middleware."""
    client = Client(headers={"host": "picap.example"}, raise_request_exception=False)
    client.cookies["sessionid"] = "x" * 32
    answer = client.get("/jobs/")
    assert answer.status_code == 503
    assert answer.json()["part"] == "Postgres"


def test_readyz_names_each_part(client: Client, db, broker: str, monkeypatch):
    monkeypatch.setattr(health, "CHECK_SECONDS", 60.0)  # a call to all workers takes one, and on a busy machine two
    answer = client.get("/readyz")
    parts = json.loads(answer.content)["parts"]
    assert set(parts) == {"postgres", "broker", "index", "workers"}
    assert parts["broker"]["ok"]
    # There is no worker in this test session.
    assert parts["workers"] == {"ok": False, "detail": "no worker answers", "seconds": parts["workers"]["seconds"]}
    assert answer.status_code == 503


@pytest.mark.parametrize("path", ["/", "/jobs/", "/packets/", "/index/net/query", "/nonesuch"])
def test_server_mode_is_closed_to_strangers(server_mode, path: str):
    """Before the body is read, without a query (there is no db mark here)."""
    stranger = Client(headers={"host": "picap.example"})
    answer = stranger.post(path, b"x", content_type="application/octet-stream")
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer
    page = stranger.get(path, headers={"accept": "text/html"})
    assert (page.status_code, page["Location"].split("?")[0]) == (302, "/sign-in/")


@pytest.mark.django_db
def test_signing_in_opens_it_and_changes_need_the_token(server_mode):
    User.objects.create_user("ann", password="correct horse")
    client = Client(headers={"host": "picap.example"}, enforce_csrf_checks=True)
    assert b"password" in client.get("/sign-in/").content
    form = {"username": "ann", "password": "wrong", "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert b"not known here" in client.post("/sign-in/", form).content
    answer = client.post("/sign-in/", {**form, "password": "correct horse", "next": "/jobs/"})
    assert (answer.status_code, answer["Location"]) == (302, "/jobs/")
    assert client.get("/jobs/").status_code == 200
    # Neither a form nor a body of another kind without the token; nothing is read to find that out.
    assert client.post("/sign-out/").status_code == 403
    answer = client.post("/sign-out/", b"x" * 100, content_type="application/octet-stream")
    assert (answer.status_code, "X-CSRFToken" in answer.json()["detail"]) == (403, True)
    token = client.cookies["csrftoken"].value
    assert client.post("/sign-out/", {"csrfmiddlewaretoken": token}, headers={"x-csrftoken": token}).status_code == 302
    assert client.get("/jobs/").status_code == 401
