"""Signing in with OpenID Connect: against a provider that really signs, on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.test import Client

from people.models import AuditEntry
from tests.people.making import HOST, make
from tests.people.provider import CLIENT, SECRET, Provider, provider


@pytest.fixture
def op(server_mode, db, settings) -> Iterator[Provider]:
    from people.oidc import provider as discovery

    discovery.forget()
    with provider(sub="248289761001", preferred_username="jane", email="jane@example.org") as one:
        settings.OIDC_ISSUER, settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = one.url, CLIENT, SECRET
        settings.AUTHENTICATION_BACKENDS = ["people.backend.People", "people.oidc.backend.OpenID"]
        yield one
    discovery.forget()


def begin(client: Client, path: str = "/sign-in/openid/?next=/explore/") -> str:
    """Through the provider, as a browser goes; the URL that it leads back to."""
    there = client.get(path)
    assert there.status_code == 302, there.content
    back = requests.get(there["Location"], allow_redirects=False, timeout=60).headers["Location"]
    assert back.startswith(f"http://{HOST}/sign-in/openid/back/?")
    return back.removeprefix(f"http://{HOST}")


def sign_in(client: Client | None = None) -> Any:
    client = client or Client(headers={"host": HOST, "accept": "text/html"})
    return client.get(begin(client))


def test_somebody_new_becomes_a_viewer_and_comes_back_as_the_same(op: Provider, settings):
    client = Client(headers={"host": HOST, "accept": "text/html"})
    assert b"Sign in with your organisation" in client.get("/sign-in/").content
    came = sign_in(client)
    assert (came.status_code, came["Location"]) == (302, "/explore/")
    said = client.get("/account/", headers={"accept": "application/json"}).json()
    assert (said["name"], said["role"], said["via"]) == ("jane", "viewer", "session")
    assert not User.objects.get().has_usable_password()
    assert AuditEntry.objects.get(action="sign-in").via == "OpenID Connect"
    # Another name and address at the provider: it is still the same person, for `sub` is.
    op.claims |= {"preferred_username": "jane.doe", "email": "other@example.org"}
    assert sign_in()["Location"] == "/explore/"
    assert User.objects.count() == 1


def test_pkce_and_nonce_are_used_and_next_leads_to_this_host_only(op: Provider):
    client = Client(headers={"host": HOST})
    asked = parse_qs(urlsplit(client.get("/sign-in/openid/?next=https://evil.example/")["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["nonce"] and asked["state"]
    assert client.get(begin(client, "/sign-in/openid/?next=https://evil.example/"))["Location"] == "/"


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "somebody-else"},
        {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"},
        {"nonce": "another"},
        {"exp": 1},
        {"exp": None},
        {"sub": "another"},
        {"sub": None},
    ],
    ids=str,
)
def test_a_wrong_id_token_signs_nobody_in(op: Provider, wrong: dict[str, Any]):
    op.wrong = wrong
    client = Client(headers={"host": HOST, "accept": "text/html"})
    refused = sign_in(client)
    assert refused.status_code == 403
    assert b"did not come about" in refused.content
    assert client.get("/account/").status_code == 302
    assert not User.objects.exists()
    assert AuditEntry.objects.get().action == "sign-in failed"


def test_a_token_that_another_has_signed(op: Provider):
    op.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert sign_in().status_code == 403


def test_the_way_back_without_the_way_there(op: Provider):
    victim = Client(headers={"host": HOST, "accept": "text/html"})
    back = begin(Client(headers={"host": HOST}))  # somebody else began it
    assert victim.get(back).status_code == 403
    client = Client(headers={"host": HOST, "accept": "text/html"})
    back = begin(client)
    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 403  # once


def test_a_name_that_is_taken_is_not_taken_over(op: Provider):
    make("jane", "admin")
    assert sign_in().status_code == 403
    assert User.objects.count() == 1


def test_disabled_people_stay_out(op: Provider):
    from people import members

    make("root", "admin")
    sign_in()
    members.set_active(User.objects.get(username="jane"), False)
    assert sign_in().status_code == 403


def test_a_provider_that_is_away_is_said(op: Provider, settings):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    began = time.monotonic()
    answer = Client(headers={"host": HOST, "accept": "text/html"}).get("/sign-in/openid/")
    assert answer.status_code == 503 and time.monotonic() - began < 30
    settings.OIDC_ISSUER = op.url.replace("127.0.0.1", "localhost")  # it says that it is another one
    assert Client(headers={"host": HOST, "accept": "text/html"}).get("/sign-in/openid/").status_code == 503


def test_without_a_provider_there_is_no_such_page(server_mode, db):
    client = Client(headers={"host": HOST, "accept": "text/html"})
    assert client.get("/sign-in/openid/").status_code == 404
    assert b"organisation" not in client.get("/sign-in/").content
