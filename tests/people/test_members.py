"""People: made and changed by page, API and command; one admin is always left."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from people.models import Token
from tests.people.making import HOST, browser

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@pytest.fixture
def root(person):
    return person("root", "admin")


def command(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_an_admin_makes_and_changes_people(root):
    api = browser(root)
    made = api.post("/people/", {"name": "ann", "role": "operator"}, content_type=JSON)
    assert made.status_code == 201
    said = made.json()
    assert Client(headers={"host": HOST}).login(username="ann", password=said["password"])
    assert (said["role"], said["active"], "password" in api.get(said["url"]).json()) == ("operator", True, False)
    assert api.patch(said["url"], {"role": "admin"}, content_type=JSON).json()["role"] == "admin"
    assert User.objects.get(username="ann").is_superuser  # Django's admin goes by it
    assert api.patch(said["url"], {"role": "viewer", "active": False}, content_type=JSON).json()["active"] is False
    assert not User.objects.get(username="ann").is_superuser
    assert [one["name"] for one in api.get("/people/").json()["results"]] == ["ann", "root"]
    assert api.get("/people/?text=oo").json()["count"] == 1


@pytest.mark.parametrize(
    ("given", "status", "option"),
    [
        ({}, 400, "name"),
        ({"name": "a b"}, 400, "name"),
        ({"name": "ROOT"}, 409, "name"),
        ({"name": "ann", "role": "king"}, 400, "role"),
        ({"name": "ann", "password": "12345678"}, 400, "password"),
        ({"name": "ann", "is_superuser": True}, 400, "is_superuser"),
    ],
)
def test_what_is_wrong_is_named(root, given, status, option):
    refused = browser(root).post("/people/", given, content_type=JSON)
    assert (refused.status_code, refused.json()["option"]) == (status, option)
    assert User.objects.count() == 1


def test_the_last_admin_stays(root, person):
    api, url = browser(root), f"/people/{root.pk}/"
    assert api.patch(url, {"role": "viewer"}, content_type=JSON).status_code == 409
    assert api.patch(url, {"active": False}, content_type=JSON).status_code == 409
    person("eve", "admin")
    assert api.patch(url, {"role": "viewer"}, content_type=JSON).status_code == 200
    assert api.get("/people/").status_code == 403  # and is one no more


def test_the_page(root, person):
    page, ann = browser(root, accept="text/html"), person("ann")
    made = page.post("/people/", "name=bob&role=viewer", content_type=FORM)
    assert made.status_code == 201 and b"shown this once" in made.content
    assert page.post(f"/people/{ann.pk}/", "role=operator", content_type=FORM).status_code == 303
    assert page.post(f"/people/{ann.pk}/", "active=false", content_type=FORM).status_code == 303
    ann.refresh_from_db()
    assert (ann.person.role, ann.is_active) == ("operator", False)
    refused = page.post(f"/people/{root.pk}/", "active=false", content_type=FORM)
    assert refused.status_code == 409 and b"only admin left" in refused.content


def test_by_command(db, server_mode):
    assert "made: ann, operator, password: " in command("person", "ann", "--role", "operator")
    assert command("person", "ann", "--role", "admin") == "ann: admin\n"
    with pytest.raises(CommandError, match="only admin"):
        command("person", "ann", "--disable")
    command("person", "eve", "--role", "admin")
    assert command("person", "ann", "--disable") == "ann: admin, disabled\n"
    command("person", "ann", "--enable")
    text = command("token", "ann", "--name", "nightly", "--scope", "read-write", "--days", "1").strip()
    assert Client(headers={"host": HOST, "authorization": f"Token {text}"}).get("/people/").status_code == 200
    prefix = text.split(".")[0]
    assert prefix in command("token", "ann", "--list") and text not in command("token", "ann", "--list")
    command("token", "ann", "--revoke", prefix)
    assert Token.objects.get().state == "revoked"
    for words, match in ((("token", "nobody"), "no person"), (("token", "ann", "--revoke", "pwx"), "no token")):
        with pytest.raises(CommandError, match=match):
            command(*words)


def test_users_from_before_there_were_roles(db, server_mode):
    """Without a row: staff are admins, others viewers (the migration gave those that there were a row)."""
    plain, staff = User.objects.create_user("plain"), User.objects.create_user("staff", is_staff=True)
    assert browser(plain).get("/account/").json()["role"] == "viewer"
    assert browser(staff).get("/account/").json()["role"] == "admin"
