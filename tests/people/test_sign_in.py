"""Signing in by name and password: limits, no hint who there is, a new session, and nowhere else afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from people.models import AuditEntry, SignInAttempt
from tests.people.making import HOST, PASSWORD

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def ann(person, settings):
    settings.SIGN_IN_FAILURES = 3
    return person("ann", "operator")


def sign_in(
    name: str = "ann", password: str = PASSWORD, address: str = "192.0.2.1", client: Client | None = None, **more: str
) -> Any:
    client = client or Client(headers={"host": HOST, "accept": "text/html"})
    return client.post(
        "/sign-in/", {"username": name, "password": password, **more}, REMOTE_ADDR=address, headers={"x-csrftoken": "any"}
    )


def test_the_right_password_signs_in_with_a_new_session(ann):
    client = Client(headers={"host": HOST, "accept": "text/html"})
    client.get("/sign-in/")
    client.cookies["sessionid"] = "x" * 32  # as somebody else might have set it
    answer = sign_in(client=client)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    cookie = client.cookies["sessionid"]
    assert cookie.value != "x" * 32
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert client.get("/jobs/").status_code == 200
    client.post("/sign-out/", headers={"x-csrftoken": "any"})
    client.cookies["sessionid"] = cookie.value
    assert client.get("/jobs/", headers={"accept": "*/*"}).status_code == 401


@pytest.mark.parametrize(
    ("given", "leads_to"),
    [
        ("/jobs/?state=done", "/jobs/?state=done"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_next_leads_to_this_host_only(ann, given: str, leads_to: str):
    assert sign_in(next=given)["Location"] == leads_to


def test_a_name_is_locked_out_at_an_address_even_with_the_right_password(ann):
    for _ in range(3):
        assert sign_in(password="wrong").status_code == 200
    locked = sign_in()
    assert (locked.status_code, int(locked["Retry-After"])) == (429, 900)
    assert b"Too many attempts" in locked.content
    assert sign_in(name="ANN").status_code == 429  # case makes no other name
    assert sign_in(address="192.0.2.2").status_code == 302  # elsewhere, ann works on
    SignInAttempt.objects.update(at=timezone.now() - timedelta(seconds=901))
    assert sign_in().status_code == 302


def test_who_is_nobody_is_treated_the_same(ann):
    known = [sign_in(password="wrong") for _ in range(4)]
    unknown = [sign_in(name="nobody", password="wrong") for _ in range(4)]
    assert [one.status_code for one in known] == [one.status_code for one in unknown] == [200, 200, 200, 429]

    def page(answer: Any) -> bytes:
        return answer.content.split(b"</form>")[0].split(b"csrfmiddlewaretoken")[0]

    assert [page(one) for one in known] == [page(one) for one in unknown]


def test_an_address_is_locked_out_whatever_names_it_tries(ann):
    for number in range(12):
        assert sign_in(name=f"name-{number}").status_code == 200
    assert sign_in().status_code == 429
    assert sign_in(address="2001:db8::1").status_code == 302


def test_a_name_is_locked_out_from_everywhere_in_the_end(ann):
    for number in range(30):
        sign_in(password="wrong", address=f"198.51.100.{number}")
    assert sign_in(address="203.0.113.9").status_code == 429


def test_a_right_password_forgets_the_wrong_ones(ann):
    for _ in range(5):
        sign_in(password="wrong")
        sign_in(password="wrong")
        assert sign_in().status_code == 302
    assert not SignInAttempt.objects.exists()


def test_disabled_people_are_as_unknown_ones(ann, person):
    from people import members

    root = person("root", "admin")
    members.set_active(ann, False)
    assert sign_in().status_code == 200
    with pytest.raises(members.NotDone, match="only admin"):
        members.set_active(root, False)
    with pytest.raises(members.NotDone, match="only admin"):
        members.set_role(root, "viewer")


def test_what_is_recorded(ann):
    sign_in(password="wrong", address="192.0.2.7")
    sign_in(name="my secret password", password="ann")
    sign_in(name="ann")
    for _ in range(6):
        sign_in(name="ann", password="wrong")
    rows = list(AuditEntry.objects.order_by("pk").values_list("action", "who", "address"))
    assert rows[1] == ("sign-in failed", "ann", "192.0.2.7")  # behind "person made"
    assert rows[2] == ("sign-in failed", "(unknown name)", "192.0.2.1")
    assert rows[3] == ("sign-in", "ann", "192.0.2.1")
    assert [action for action, _, _ in rows[4:]] == ["sign-in failed"] * 3 + ["sign-in refused"]  # once
    assert "secret" not in str(list(AuditEntry.objects.values_list())) + str(list(SignInAttempt.objects.values_list()))


def test_behind_a_proxy_the_address_is_what_the_proxy_says(ann, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client = Client(headers={"host": HOST, "x-forwarded-for": "10.0.0.1, 203.0.113.5", "x-forwarded-proto": "https"})
    sign_in(client=client)
    assert AuditEntry.objects.get(action="sign-in").address == "203.0.113.5"
    settings.SECURE_PROXY_SSL_HEADER = None
    sign_in(client=Client(headers={"host": HOST, "x-forwarded-for": "203.0.113.5"}))
    assert AuditEntry.objects.filter(action="sign-in").latest("pk").address == "192.0.2.1"


def test_a_new_password_ends_other_sessions(ann):
    here, there = (Client(headers={"host": HOST, "accept": "text/html"}) for _ in range(2))
    for client in (here, there):
        sign_in(client=client)
    wrong = here.post("/account/password/", {"old": "wrong", "new": "another horse battery"}, headers={"x-csrftoken": "any"})
    assert wrong.status_code == 400
    weak = here.post("/account/password/", {"old": PASSWORD, "new": "12345678"}, headers={"x-csrftoken": "any"})
    assert weak.status_code == 400 and b"too common" in weak.content
    done = here.post("/account/password/", {"old": PASSWORD, "new": "another horse battery"}, headers={"x-csrftoken": "any"})
    assert done.status_code == 200
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert sign_in().status_code == 200
    assert sign_in(password="another horse battery").status_code == 302
