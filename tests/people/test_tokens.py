"""API tokens: shown once, hashed at rest, scoped, expiring, revoked; never more than their owner."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from people import members, tokens
from people.models import Token
from tests.people.making import HOST, browser, script

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def ann(person):
    return person("ann", "operator")


def ask(text: str, path: str = "/jobs/", method: str = "get", **headers: str):
    return getattr(Client(headers={"host": HOST, "authorization": f"Token {text}", **headers}, enforce_csrf_checks=True), method)(
        path
    )


def test_a_token_is_made_shown_once_and_kept_as_a_hash(ann):
    made = browser(ann).post("/tokens/", {"name": "nightly", "scope": "read-write", "days": 7}, content_type="application/json")
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    said = made.json()
    row = Token.objects.get()
    prefix, secret = said["token"].split(".")
    assert (row.prefix, row.digest) == (prefix, hashlib.sha256(secret.encode()).hexdigest())
    assert len(secret) == 43  # 256 bits
    assert secret not in str([getattr(row, field.attname) for field in Token._meta.fields])
    assert timedelta(days=6, hours=23) < row.expires - timezone.now() <= timedelta(days=7)
    assert "token" not in browser(ann).get("/tokens/").json()[0]
    assert ask(said["token"]).status_code == 200


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"scope": "read-write"}, "name"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "n", "scope": "all"}, "scope"),
        ({"name": "n", "days": -1}, "days"),
        ({"name": "n", "days": "soon"}, "days"),
        ({"name": "n", "role": "admin"}, "role"),
    ],
)
def test_what_is_wrong_is_named(ann, given, option):
    refused = browser(ann).post("/tokens/", given, content_type="application/json")
    assert (refused.status_code, refused.json()["option"]) == (400, option)
    assert not Token.objects.exists()


def test_wrong_expired_revoked_and_disabled_are_401_and_name_both_ways(ann):
    token, text = tokens.make(ann, "n", "read-write", days=1)
    other = text[:-1] + ("A" if text[-1] != "A" else "B")
    for wrong in (other, "x", "pw0123456789." + "A" * 43, ""):
        answer = ask(wrong)
        assert answer.status_code == 401, wrong
        assert "Session" in answer["WWW-Authenticate"] and "Token" in answer["WWW-Authenticate"]
    Token.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert (ask(text).status_code, ask(text).json()["detail"]) == (401, "the token is expired")
    Token.objects.update(expires=None)
    assert ask(text).status_code == 200
    members.make("root", "admin", "correct horse battery")
    members.set_active(ann, False)
    assert ask(text).status_code == 401
    members.set_active(ann, True)
    tokens.revoke(token)
    assert (ask(text).status_code, ask(text).json()["detail"]) == (401, "the token is revoked")
    # Not led to a sign-in page: it said who it is.
    assert ask(text, accept="text/html").status_code == 401


def test_read_only_reads_also_by_post_and_writes_nothing(ann):
    reader = script(ann, "read-only")
    assert reader.get("/jobs/").status_code == 200
    assert reader.post("/count/", "q=", content_type="application/x-www-form-urlencoded").status_code == 200
    refused = reader.post("/jobs/", "{}", content_type="application/json")
    assert (refused.status_code, refused.json()["detail"]) == (403, "this token is read-only")
    assert script(ann, "read-write").post("/jobs/", "{}", content_type="application/json").status_code == 400


def test_a_token_is_never_more_than_its_owner(ann, person):
    viewer = person("vic")
    assert script(viewer).post("/jobs/", "{}", content_type="application/json").status_code == 403
    assert script(viewer).get("/audit/").status_code == 403
    text = tokens.make(ann, "n", "read-write")[1]
    assert ask(text, "/people/").status_code == 403
    members.set_role(ann, "admin")
    assert ask(text, "/people/").status_code == 200
    assert ask(text, "/admin/").status_code == 403  # for browsers


def test_tokens_need_no_csrf_token_and_sessions_do(ann):
    text = tokens.make(ann, "n", "read-write")[1]
    client = Client(headers={"host": HOST}, enforce_csrf_checks=True)
    client.force_login(ann)
    body = {"data": "{}", "content_type": "application/json"}
    assert client.post("/jobs/", **body).status_code == 403
    # With both, it is the token: no browser adds one by itself.
    assert client.post("/jobs/", headers={"authorization": f"Token {text}"}, **body).status_code == 400
    assert (
        Client(headers={"host": HOST}, enforce_csrf_checks=True)
        .post("/jobs/", headers={"authorization": f"Token {text}"}, **body)
        .status_code
        == 400
    )


def test_a_token_makes_no_token_and_may_revoke_itself(ann):
    client = script(ann)
    assert client.post("/tokens/", {"name": "n"}, content_type="application/json").status_code == 403
    (one,) = client.get("/tokens/").json()
    assert client.delete(one["url"]).status_code == 204
    assert client.get("/jobs/").status_code == 401


def test_tokens_of_others_are_not_there(ann, person):
    token, _ = tokens.make(ann, "n")
    other = browser(person("bob", "admin"))
    assert other.get(f"/tokens/{token.prefix}/").status_code == 404
    assert other.delete(f"/tokens/{token.prefix}/").status_code == 404
    assert other.get("/tokens/").json() == []


def test_last_use_is_noted_once_a_minute(ann):
    token, text = tokens.make(ann, "n")
    ask(text)
    token.refresh_from_db()
    first = token.last_used
    assert first is not None
    ask(text)
    token.refresh_from_db()
    assert token.last_used == first


def test_the_page_makes_shows_once_and_revokes(ann):
    page = browser(ann, accept="text/html")
    made = page.post("/tokens/", "name=from+the+page&scope=read-only&days=30", content_type=FORM)
    assert made.status_code == 201
    token = Token.objects.get()
    assert f"{token.prefix}." in made.content.decode()
    shown = page.get("/account/").content.decode()
    assert token.prefix in shown and f"{token.prefix}." not in shown
    assert page.post(f"/tokens/{token.prefix}/").status_code == 303
    token.refresh_from_db()
    assert token.state == "revoked"


def test_answers_are_kept_by_no_shared_cache(ann):
    answer = script(ann).get("/jobs/")
    assert "private" in answer["Cache-Control"]
    assert {"Cookie", "Authorization"} <= {one.strip() for one in answer["Vary"].split(",")}
