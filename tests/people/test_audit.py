"""The audit log: what was done, by whom, in the same transaction; it can be read, and nothing else."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from capture.sample import sample
from capture.services import work
from people import audit, members, tokens
from people.models import AuditEntry
from tests.people.making import browser, script

PCAP = "application/vnd.tcpdump.pcap"


def rows(**only: str) -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.filter(**only).order_by("pk").values_list("action", "who", "object"))


def test_jobs_exports_tokens_roles_and_alerts_are_recorded(data, person):
    ann, root = person("ann", "operator"), person("root", "admin")
    here, api = browser(ann), script(ann, **{"x-request-id": "abc123"})
    job = api.post("/jobs/?name=mine", sample(), content_type=PCAP).json()["id"]
    work.until_idle()
    made = AuditEntry.objects.get(action="job created")
    assert (made.who, made.object, made.details["name"]) == ("ann", f"job {job}", "mine")
    assert made.via.startswith("token pw") and made.address == "127.0.0.1" and made.request
    b"".join(here.get("/packets/export?format=csv&q=tcp").streaming_content)
    here.head("/packets/export?format=pcap")  # its size alone is no export
    b"".join(here.get(f"/jobs/{job}/pcap").streaming_content)
    exports = list(AuditEntry.objects.filter(action="export").order_by("pk"))
    assert [one.object for one in exports] == ["packets", f"job {job}"]
    assert (exports[0].details["q"], exports[0].details["format"], exports[0].via) == ("tcp", "csv", "session")
    body = {"name": "n", "q": "tcp", "alert": {"webhook": "https://example.com/hidden"}}
    saved = here.post("/saved/", body, content_type="application/json").json()
    alert = AuditEntry.objects.get(action="alert set")
    assert alert.details["webhook"] == "example.com"
    assert "hidden" not in str(alert.details)
    here.patch(saved["url"], {"alert": None}, content_type="application/json")
    here.delete(saved["url"])
    here.post(f"/jobs/{job}/share/?shared=true")
    here.post(f"/jobs/{job}/share/?shared=true")  # nothing changes, nothing is recorded
    here.delete(f"/jobs/{job}/")
    browser(root).patch(f"/people/{ann.pk}/", {"role": "viewer"}, content_type="application/json")
    assert [(action, object) for action, _, object in rows(who="ann")][3:] == [
        ("saved query made", f"saved query {saved['id']}"),
        ("alert set", f"saved query {saved['id']}"),
        ("saved query changed", f"saved query {saved['id']}"),
        ("alert removed", f"saved query {saved['id']}"),
        ("saved query deleted", f"saved query {saved['id']}"),
        ("job shared", f"job {job}"),
        ("job deleted", f"job {job}"),
    ]
    assert rows(who="root") == [("role changed", "root", "person ann")]
    assert AuditEntry.objects.get(action="role changed").details == {"before": "operator", "role": "viewer"}
    assert rows(action="token made") == [("token made", "system", rows(action="token made")[0][2])]


def test_nothing_is_recorded_of_what_did_not_come_about(db):
    with transaction.atomic():
        audit.record("export", "packets")
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("statement", ["UPDATE people_auditentry SET who = 'x'", "DELETE FROM people_auditentry"])
def test_postgres_refuses_to_change_an_entry(db, statement: str):
    audit.record("export", "packets", q="a\0b")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.get().details == {"q": "a\\0b"}


def test_reading_paging_and_filters(person):
    root = person("root", "admin")
    ann = person("ann", "operator")
    for number in range(5):
        tokens.make(ann, f"t{number}")
    members.set_role(ann, "viewer")
    api, page = browser(root), browser(root, accept="text/html")
    said = api.get("/audit/?limit=2").json()
    assert said["count"] == AuditEntry.objects.count()
    assert said["next"] == "/audit/?limit=2&page=2"
    assert said["results"][0]["action"] == "role changed"
    assert api.get("/audit/?action=token made").json()["count"] == 5
    assert api.get("/audit/?object=person ann").json()["count"] == 2
    assert api.get("/audit/?who=nobody").json()["count"] == 0
    assert api.get("/audit/?from=2999-01-01").json()["count"] == 0
    assert api.get("/audit/?to=2999-01-01").json()["count"] == said["count"]
    for query, option in (("action=breakfast", "action"), ("from=yesterday", "from"), ("page=0", "page"), ("who=%00", "who")):
        refused = api.get(f"/audit/?{query}")
        assert (refused.status_code, refused.json()["option"]) == (400, option)
    shown = page.get("/audit/?action=role+changed")
    assert shown.status_code == 200 and b"person ann" in shown.content
    assert page.get("/audit/?action=breakfast").status_code == 400
    assert api.delete("/audit/").status_code == 405


def test_local_mode_is_recorded_too(db, settings):
    client = Client(headers={"host": "localhost"})
    client.post("/saved/", {"name": "n", "q": "tcp"}, content_type="application/json")
    assert rows(action="saved query made")[0][1] == "local"


def test_what_is_changed_in_the_admin(person):
    root, ann = person("root", "admin"), person("ann")
    form = {"username": "ann", "is_active": "on", "is_staff": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    done = browser(root, accept="text/html").post(f"/admin/auth/user/{ann.pk}/change/", form)
    assert done.status_code == 302, done.content
    entry = AuditEntry.objects.get(action="changed in the admin")
    assert (entry.who, entry.object) == ("root", "person ann")
    assert "Staff status" in entry.details["what"]
