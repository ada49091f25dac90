"""/saved/ and /saved/{id}/: a question with a name."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from people.models import Person
from tests.jobs import run_job
from tests.proxy.saved.conftest import Caller

SYNS = {"name": "Handshakes", "q": 'tcp.flags.syn == 1 && ip.src == "141.142.220.118"', "fields": ["netsrc", "transdst"]}


def test_a_query_is_saved_and_read_again(api):
    made = api.post("/saved/", {"name": "Names", "q": 'Row(transdst="53")', "from": "2011-03-18", "to": "2011-03-19T00:00:00Z"})
    assert made.status_code == 201
    said = made.json()
    assert made.headers["Location"] == said["url"] == f"/saved/{said['id']}/"
    assert (said["owner"], said["index"], said["lang"], said["jobs"], said["fields"]) == (None, "net", "", [], [])
    assert (said["from"], said["to"], said["alert"]) == ("2011-03-18", "2011-03-19T00:00:00Z", None)
    assert api.get(said["url"]).json() == said
    listed = api.get("/saved/").json()
    assert (listed["count"], listed["next"], listed["previous"], listed["results"]) == (1, None, None, [said])


def test_its_url_of_packets_asks_what_was_saved(api, index, capture):
    job = run_job(capture, index=index)
    said = api.post(
        "/saved/", {"name": "n", "index": index, "q": "udp.dstport == 53", "jobs": [job.pk], "fields": ["netdst"]}
    ).json()
    found = api.get(said["packets_url"]).json()
    asked = api.get("/packets/", data={"index": index, "q": "udp.dstport == 53"}).json()
    assert found["count"] == asked["count"] > 0
    assert set(found["packets"][0]["fields"]) == {"netdst"}


def test_what_is_given_changes_and_the_rest_stays(api):
    url = api.post("/saved/", {**SYNS, "q": "tcp"}).json()["url"]
    changed = api.patch(url, {"q": "udp", "fields": []}).json()
    assert (changed["name"], changed["q"], changed["fields"]) == ("Handshakes", "udp", [])
    assert api.get(url).json()["q"] == "udp"
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404


def test_lists_are_paged_and_searched(api):
    for name in ("b", "a", "c"):
        api.post("/saved/", {"name": name, "q": "udp" if name == "c" else "tcp"})
    first = api.get("/saved/?limit=2").json()
    assert [one["name"] for one in first["results"]] == ["a", "b"]
    assert [one["name"] for one in api.get(first["next"]).json()["results"]] == ["c"]
    assert [one["name"] for one in api.get("/saved/?text=udp").json()["results"]] == ["c"]


@pytest.mark.parametrize(
    ("body", "position"),
    [
        ({"q": 'Row(netsrc="1.1.1.1"'}, 20),
        ({"q": "ip.src == "}, 10),
        ({"q": "tcp && no.such.field == 1"}, 7),
        ({"q": 'Row(no-such-field="1")'}, None),
    ],
)
def test_a_query_that_cannot_be_asked_is_refused_with_its_place(api, body, position):
    refused = api.post("/saved/", {"name": "n", **body})
    assert refused.status_code == 400
    if position is not None:
        assert refused.json()["position"] == position
    assert api.get("/saved/").json()["count"] == 0


@pytest.mark.parametrize(
    ("body", "status", "option"),
    [
        ({"q": "tcp"}, 400, "name"),
        ({"name": " ", "q": "tcp"}, 400, "name"),
        ({"name": 7}, 400, "name"),
        ({"name": "x" * 201}, 400, "name"),
        ({"name": "a\0b"}, 400, "name"),
        ({"name": "n", "queri": "tcp"}, 400, "queri"),
        ({"name": "n", "lang": "sql"}, 400, "lang"),
        ({"name": "n", "jobs": [99]}, 400, "jobs"),
        ({"name": "n", "jobs": ["1"]}, 400, "jobs"),
        ({"name": "n", "index": "nosuch"}, 400, "index"),
        ({"name": "n", "from": "yesterday"}, 400, "from"),
        ({"name": "n", "fields": ["netsource"]}, 400, "fields"),
        ({"name": "n", "fields": "netsrc"}, 400, "fields"),
        ({"name": "n", "alert": {"threshold": 0}}, 400, "alert.threshold"),
        ({"name": "n", "alert": {"treshold": 1}}, 400, "alert.treshold"),
        ({"name": "n", "alert": {"webhook": "ftp://x/"}}, 400, "alert.webhook"),
    ],
)
def test_bad_members_are_named(api, body, status, option):
    refused = api.post("/saved/", body)
    assert (refused.status_code, refused.json().get("option")) == (status, option), refused.json()
    assert api.get("/saved/").json()["count"] == 0


def test_bodies_that_are_no_json_object(api, client):
    assert client.post("/saved/", {"name": "form"}).status_code == 415
    assert client.post("/saved/", "[1]", content_type="application/json").status_code == 400
    assert client.post("/saved/", "{", content_type="application/json").status_code == 400


def test_a_name_is_taken_once(api):
    assert api.post("/saved/", {"name": "n", "q": "tcp"}).status_code == 201
    again = api.post("/saved/", {"name": "n", "q": "udp"})
    assert (again.status_code, again.json()["option"]) == (409, "name")


@pytest.fixture
def people(api, settings):
    settings.LOCAL_MODE = False
    made = {}
    for name in ("ann", "bob"):
        Person.objects.create(user=User.objects.create_user(name, password="x"), role="operator")
    User.objects.create_user("root", password="x", is_staff=True)
    for name in ("ann", "bob", "root"):
        # The header must be there; what it says is looked at in test_a_session_needs_the_csrf_token.
        one = Client(headers={"host": "localhost", "x-csrftoken": "any"})
        one.force_login(User.objects.get(username=name))
        made[name] = Caller(one)
    return made


def test_others_see_a_query_and_its_owner_and_staff_change_it(people):
    said = people["ann"].post("/saved/", {"name": "n", "q": "tcp"})
    assert said.status_code == 201, said.json()
    url = said.json()["url"]
    assert said.json()["owner"] == "ann"
    assert people["bob"].get(url).json()["name"] == "n"
    assert people["bob"].patch(url, {"q": "udp"}).status_code == 403
    assert people["bob"].delete(url).status_code == 403
    assert people["bob"].post("/saved/", {"name": "n", "q": "udp"}).status_code == 201  # each has names of their own
    assert people["root"].patch(url, {"q": "udp"}).json()["owner"] == "ann"
    assert Caller(Client(headers={"host": "localhost"})).get(url).status_code == 401


def test_the_url_of_a_webhook_is_for_who_may_change_it(people):
    body = {"name": "n", "q": "tcp", "alert": {"webhook": "https://example.com/key"}}
    url = people["ann"].post("/saved/", body).json()["url"]
    for name, shown in (("ann", "https://example.com/key"), ("root", "https://example.com/key"), ("bob", None)):
        assert people[name].get(url).json()["alert"]["webhook"] == shown
        assert people[name].get("/saved/").json()["results"][0]["alert"]["webhook"] == shown
    assert people["bob"].post(f"{url}test-webhook/").status_code == 403


def test_a_session_needs_the_csrf_token(people):
    one = Client(headers={"host": "localhost"}, enforce_csrf_checks=True)
    one.force_login(User.objects.get(username="ann"))
    assert Caller(one).post("/saved/", {"name": "n", "q": "tcp"}).status_code == 403
