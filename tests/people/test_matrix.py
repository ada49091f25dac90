"""Every URL and method, by everybody: the expectations stand in one table, and no URL is missing in it.

The objects are of bob, an operator: a job that is not shared, its packets, a saved query with an alert, a token. Every request is
really made, and undone.
"""

from __future__ import annotations

import copy
import json
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from capture.sample import sample
from capture.services import create, storage, work
from capture.services.options import parse_options
from picapweb import health
from tests.people.test_permission_table import routes

# anonymous, viewer, operator (who owns the objects), admin, stranger (an operator who does not), read-only and read-write token
# of the owner, expired token. yes: the view was let in and found its object; 404: let in, and the object is not there for them.
COLUMNS = ("anonymous", "viewer", "operator", "admin", "stranger", "read-only", "read-write", "expired")
OPEN = "yes yes yes yes yes yes yes yes"
LOOK = "401 yes yes yes yes yes yes 401"
FIND = "401 404 yes yes 404 yes yes 401"  # an object of the owner's
PLAN = "401 403 yes yes yes yes yes 401"
WORK = "401 403 yes yes yes 403 yes 401"
OWN = "401 403 yes yes 404 403 yes 401"  # something done to an object
PLAN_OWN = "401 403 yes yes 404 403 yes 401"  # asks whether it shall be done, which a read-only token cannot
PLAN_MINE = "401 403 yes yes 403 yes yes 401"  # of what others see, and do not change
MINE = "401 403 yes yes 403 403 yes 401"
ADMIN = "401 403 403 yes 403 403 403 401"
ACCOUNT = "401 yes yes yes yes 403 403 401"

ASKED = ("top", "count", "histogram", "crosstab", "compare", "flows")
EXPECTED: dict[str, str] = {
    "healthz GET": OPEN,
    "readyz GET": OPEN,
    "sign-in GET": OPEN,
    "sign-in POST": OPEN,
    "openid GET": "404 404 404 404 404 404 404 404",  # there is no provider
    "oidc_authentication_callback GET": "404 404 404 404 404 404 404 404",
    "sign-out POST": ACCOUNT,
    "metrics GET": ADMIN,
    "system GET": ADMIN,
    "docs GET": LOOK,
    "schema GET": LOOK,
    "account GET": LOOK,
    "password POST": ACCOUNT,
    "tokens GET": LOOK,
    "tokens POST": ACCOUNT,
    "token GET": "401 404 yes 404 404 yes yes 401",
    "token POST": "401 404 yes 404 404 403 yes 401",
    "token DELETE": "401 404 yes 404 404 403 yes 401",
    "people GET": ADMIN,
    "people POST": ADMIN,
    "person GET": ADMIN,
    "person PATCH": ADMIN,
    "person POST": ADMIN,
    "audit GET": ADMIN,
    "admin:index GET": ADMIN,
    "start GET": LOOK,
    "jobs GET": LOOK,
    "jobs POST": WORK,
    "new-job GET": PLAN,
    "check-filter GET": PLAN,
    "sample POST": WORK,
    "interfaces GET": PLAN,
    "job GET": FIND,
    "job DELETE": OWN,
    "job-live GET": FIND,
    "job-events GET": FIND,
    "job-health GET": FIND,
    "job-pcap GET": FIND,
    "job-stop GET": PLAN_OWN,
    "job-stop POST": OWN,
    "job-retry GET": PLAN_OWN,
    "job-retry POST": OWN,
    "job-delete GET": PLAN_OWN,
    "job-delete POST": OWN,
    "job-share POST": OWN,
    "explore GET": LOOK,
    "explore POST": LOOK,
    "explore-with GET": LOOK,
    "query GET": LOOK,
    "packets GET": LOOK,
    "packets POST": LOOK,
    "export GET": LOOK,
    "export POST": LOOK,
    "packet GET": FIND,
    "packet-pcap GET": FIND,
    "numbered-packet GET": FIND,
    "note GET": FIND,
    "note PUT": OWN,
    "note POST": OWN,
    "note DELETE": WORK,  # idempotent: nothing is there, nothing goes
    "tags GET": LOOK,
    "tags POST": WORK,
    "tags DELETE": WORK,
    **{f"{name} {method}": LOOK for name in ASKED for method in ("GET", "POST")},
    "complete GET": LOOK,
    "fields GET": LOOK,
    "flow GET": FIND,
    "payload GET": FIND,
    "payload-bytes GET": FIND,
    "named GET": LOOK,
    "saved GET": LOOK,
    "saved POST": WORK,
    "saved-query GET": LOOK,
    "saved-query PATCH": MINE,
    "saved-query DELETE": MINE,
    "saved-edit GET": PLAN_MINE,
    "saved-edit POST": MINE,
    "saved-delete GET": PLAN_MINE,
    "saved-delete POST": MINE,
    "test-webhook POST": MINE,
    "alerts GET": LOOK,
    "alert GET": FIND,
    "acknowledge POST": OWN,
    "pilosa-query POST": LOOK,
    "pilosa-schema GET": LOOK,
    "pilosa-schema POST": WORK,
    "pilosa-indexes GET": LOOK,
    "pilosa-index GET": LOOK,
    "pilosa-index POST": WORK,
    "pilosa-index DELETE": WORK,
    "pilosa-field POST": WORK,
    "pilosa-field DELETE": WORK,
    "pilosa-import POST": WORK,
    "pilosa-import-roaring POST": WORK,
    "pilosa-export GET": LOOK,
    "pilosa-status GET": LOOK,
    "pilosa-info GET": LOOK,
    "pilosa-version GET": LOOK,
    "pilosa-recalculate-caches POST": LOOK,
    "pilosa-nodes GET": LOOK,
    "pilosa-fragment-nodes GET": LOOK,
    "pilosa-shards-max GET": LOOK,
    "pilosa-translate-keys POST": WORK,
    "pilosa-column-attributes POST": LOOK,
    "pilosa-row-attributes POST": LOOK,
    "pilosa-not-found GET": "401 none none none none none none 401",
}
FORM, JSON, PCAP = "application/x-www-form-urlencoded", "application/json", "application/vnd.tcpdump.pcap"
# Bodies with which a request gets past what it must say, where it needs one.
BODIES: dict[str, tuple[str, str]] = {
    "tokens POST": (JSON, json.dumps({"name": "another"})),
    "people POST": (JSON, json.dumps({"name": "new", "role": "viewer"})),
    "person PATCH": (JSON, json.dumps({"role": "operator"})),
    "person POST": (FORM, "role=operator"),
    "note PUT": (JSON, json.dumps({"text": "seen"})),
    "note POST": (FORM, "text=seen"),
    "tags POST": (JSON, json.dumps({"tag": "t", "q": ""})),
    "tags DELETE": (JSON, json.dumps({"tag": "t", "q": ""})),
    "saved POST": (JSON, json.dumps({"name": "another", "q": "tcp"})),
    "saved-query PATCH": (JSON, json.dumps({"q": "udp"})),
    "saved-edit POST": (FORM, "name=other&q=udp"),
    "job-share POST": (FORM, "shared=true"),
    "jobs POST": (JSON, json.dumps({"filename": "not-there.pcap"})),
    "pilosa-query POST": ("text/plain", "Count(Not(Union()))"),
}
# Pages have forms at URLs of the API: asked for as a browser asks.
AS_PAGE = {"token POST", "person POST", "note POST", "job-stop GET", "job-retry GET"}
QUERIES = {"top": "field=netsrc", "crosstab": "rows=netsrc&columns=netdst", "compare": "a=tcp&b=udp", "complete": "text=tcp"}


@dataclass
class Objects:
    job: int
    column: int
    number: int
    saved: int
    alert: int
    token: str
    person: int


def path_of(name: str, at: Objects) -> str:
    arguments: dict[str, Any] = {
        "token": {"prefix": at.token},
        "person": {"pk": at.person},
        "numbered-packet": {"pk": at.job, "number": at.number},
        "payload-bytes": {"index": "net", "column": at.column, "side": "initiator"},
        "pilosa-query": {"index": "net"},
        "pilosa-index": {"index": "mine"},
        "pilosa-field": {"index": "mine", "field": "f"},
        "pilosa-import": {"index": "mine", "field": "f"},
        "pilosa-import-roaring": {"index": "mine", "field": "f", "shard": "0"},
        "pilosa-column-attributes": {"index": "mine"},
        "pilosa-row-attributes": {"index": "mine", "field": "f"},
    }
    found: dict[str, Any] = arguments.get(name, {})
    if not found:
        if name in ("packet", "packet-pcap", "note", "flow", "payload"):
            found = {"index": "net", "column": at.column}
        elif name.startswith("job-") or name == "job":
            found = {"pk": at.job}
        elif name in ("saved-query", "saved-edit", "saved-delete", "test-webhook"):
            found = {"pk": at.saved}
        elif name in ("alert", "acknowledge"):
            found = {"pk": at.alert}
    path = "/internal/nothing" if name == "pilosa-not-found" else reverse(name, kwargs=found)
    return path + (f"?{QUERIES[name]}" if name in QUERIES else "")


@pytest.fixture
def everybody(data, server_mode) -> tuple[dict[str, Client], Objects]:
    from people import tokens
    from people.models import Token
    from proxy.models import Alert, SavedQuery
    from tests.people.making import HOST, browser, make

    viewer, owner, admin, stranger = (
        make(name, role) for name, role in (("vic", "viewer"), ("bob", "operator"), ("root", "admin"), ("ann", "operator"))
    )
    upload = storage.receive(iter([sample()]), "sample.pcap")
    job = create.from_upload(upload, parse_options({}), owner)
    work.until_idle()
    texts = {}
    for name, scope in (("read-only", "read-only"), ("read-write", "read-write"), ("expired", "read-write")):
        token, texts[name] = tokens.make(owner, name, scope)
    Token.objects.filter(pk=token.pk).update(expires=timezone.now() - timedelta(seconds=1))
    clients = {name: Client(headers={"host": HOST, "authorization": f"Token {text}"}) for name, text in texts.items()}
    people = {"anonymous": None, "viewer": viewer, "operator": owner, "admin": admin, "stranger": stranger}
    clients |= {name: browser(user) for name, user in people.items()}
    clients["operator"].post("/saved/", {"name": "n", "q": "tcp", "alert": {"threshold": 1}}, content_type=JSON)
    saved = SavedQuery.objects.get()
    alert = Alert.objects.create(
        saved=saved, name="n", index="net", question={"q": ["tcp"]}, count=1, first_column=0, last_column=0, jobs=[job.pk]
    )
    found = clients["operator"].get("/packets/?q=http.request&limit=1").json()["packets"][0]
    note = clients["operator"].put(f"/packets/net/{found['column']}/note", {"text": "n"}, content_type=JSON)
    assert note.status_code == 200, note.content
    kept = tokens.make(owner, "kept")[0]
    return clients, Objects(job.pk, found["column"], found["number"], saved.pk, alert.pk, kept.prefix, viewer.pk)


def outcome(client: Client, key: str, at: Objects) -> str:
    """What a request came to; whatever it did is undone."""
    name, method = key.split()
    kind, body = BODIES.get(key, (FORM if method == "POST" and "pilosa" not in name else JSON, ""))
    headers = {"accept": "text/html"} if key in AS_PAGE else {"accept": "*/*"}
    cookies = copy.deepcopy(client.cookies)
    lasting = name == "tags" or name.startswith("pilosa")  # with transactions of their own: done again, they do the same
    with nullcontext() if lasting else transaction.atomic():
        answer = client.generic(method, path_of(name, at), body, content_type=kind, headers=headers)
        if answer.streaming:
            next(iter(answer.streaming_content), None)
            answer.close()
        if not lasting:
            transaction.set_rollback(True)
    client.cookies = cookies
    if answer.status_code in (401, 403):
        return str(answer.status_code)
    if name == "pilosa-not-found":
        return "none" if answer.status_code == 404 else str(answer.status_code)
    if answer.status_code == 302 and answer["Location"].startswith("/sign-in/"):
        return "401"
    if answer.status_code == 404 and not name.startswith("pilosa"):
        return "404"
    assert answer.status_code not in (405, 411) and answer.status_code != 500, (key, answer.status_code, answer.content)
    return "yes"


def test_everybody_may_what_the_table_says(everybody, monkeypatch):
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)  # there is no broker here, and it is waited for
    clients, at = everybody
    wrong = []
    # A deletion takes bits out of the index, which is not undone.
    for key, expected in sorted(EXPECTED.items(), key=lambda one: one[0] in ("job DELETE", "job-delete POST")):
        for who, wanted in zip(COLUMNS, expected.split(), strict=True):
            came = outcome(clients[who], key, at)
            if came != wanted:
                wrong.append(f"{key} by {who}: {came}, not {wanted}")
    assert wrong == []


def test_no_url_and_no_method_is_missing():
    from people.permissions import NAMESPACES, TABLE

    asked = {tuple(key.split()) for key in EXPECTED}
    names = {route.name for namespace, route in routes() if not namespace}
    assert sorted(names - {name for name, _ in asked}) == []
    table = {(name, method) for name, rules in TABLE.items() for method in rules if name != "pilosa-not-found"}
    assert sorted(table - asked) == []
    assert set(NAMESPACES) == {name.split(":")[0] for name, _ in asked if ":" in name}
