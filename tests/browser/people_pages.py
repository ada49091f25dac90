"""The pages of server mode: one's account, people, the audit log, what a viewer sees. And who is there for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.browser.captures import made
from tests.browser.every_page import Page
from tests.server import ROOT, Server, clean_environment

PASSWORD = "a-secret-of-tests-only"
ADMIN, VIEWER = "ann", "bob"
PEOPLE_PAGES = (
    Page("account", "/account/", who=ADMIN),
    Page("account-viewer", "/account/", who=VIEWER),
    Page("people", "/people/", who=ADMIN),
    Page("people-none-match", "/people/?text=nobody", who=ADMIN),
    Page("audit", "/audit/", who=ADMIN),
    Page("audit-none-match", "/audit/?who=ann&object=job+999", who=ADMIN),
    Page("audit-wrong", "/audit/?from=yesterday", 400, who=ADMIN),
    Page("refused", "/people/", 403, who=VIEWER),
    Page("jobs-viewer", "/jobs/", who=VIEWER),
    Page("job-owner", "/jobs/1/", who=ADMIN),
)
MODE: dict[str, Any] = {
    "PICAPWEB_MODE": "server",
    "SECRET_KEY": "of tests only, and long enough for Django",
    "PICAPWEB_ALLOWED_HOSTS": "localhost",
    "PICAPWEB_TLS": "false",
    "PICAPWEB_BIND": "127.0.0.1",
}
# People of each role, tokens of each state, entries of some services. Prints a token that uploads.
_PEOPLE = f"""
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from people import audit, members, throttle, tokens
from people.models import Token

ann = members.make({ADMIN!r}, "admin", {PASSWORD!r})[0]
bob = members.make({VIEWER!r}, "viewer", {PASSWORD!r})[0]
members.make("cleo.of.the.network.operations.centre@office.example.com", "operator")
members.set_active(members.make("dora", "operator")[0], False)
emil = members.make("emil", "viewer")[0]
for _ in range(6):
    throttle.begin("emil", "192.0.2.7")
tokens.revoke(tokens.make(ann, "a laptop that was lost", "read-only")[0])
old, _ = tokens.make(ann, "nightly import of what the probes in the other building saw", "read-write", 1)
Token.objects.filter(pk=old.pk).update(expires=timezone.now() - timedelta(days=1))
_, text = tokens.make(ann, "nightly", "read-write", 90)
tokens.make(bob, "dashboard", "read-only")
q = 'ip.addr == 10.0.0.0/8 && tls.handshake.extensions_server_name contains "example"'
audit.record("export", "packets", q=q, format="pcapng")
audit.record("changed in the admin", "person dora", what="Changed active.")
print(text)
"""
# For pictures: the clock's times, and random prefixes of tokens, would differ each time. The log is only ever added to, so what
# guards that is set aside.
STILL_PEOPLE = """
from datetime import datetime, timedelta, timezone
from django.contrib.auth.models import User
from django.db import connection
from capture.models import Job
from people.models import AuditEntry, Token
then = datetime(2026, 3, 3, 8, tzinfo=timezone.utc)
Job.objects.update(created=then, started=then + timedelta(seconds=1), finished=then + timedelta(seconds=2))
User.objects.filter(last_login__isnull=False).update(last_login=then)
fixed = {}
for token in Token.objects.order_by("pk"):
    fixed[token.prefix] = f"pw{token.pk:010}"
    token.prefix = fixed[token.prefix]
    token.created, token.last_used = then, token.last_used and then
    token.expires = None if token.state == "good" else token.expires and then - timedelta(days=1)
    token.save()
    Token.objects.filter(pk=token.pk).update(created=then)
with connection.cursor() as cursor:
    cursor.execute("ALTER TABLE people_auditentry DISABLE TRIGGER USER")
    for number, entry in enumerate(AuditEntry.objects.order_by("pk")):
        entry.at, entry.request = then + timedelta(seconds=number), ""
        for prefix, other in fixed.items():
            entry.object, entry.via = entry.object.replace(prefix, other), entry.via.replace(prefix, other)
        if "expires" in entry.details:
            entry.details["expires"] = entry.details["expires"] and "2026-06-01T08:00:00+00:00"
        entry.save()
    cursor.execute("ALTER TABLE people_auditentry ENABLE TRIGGER USER")
"""


def with_people(server: Server, folder: Path) -> None:
    """Fills an empty server of `MODE` with people, and a job of the first of them."""
    token = run_code(server, _PEOPLE)
    capture = made(folder)[0]
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/octet-stream"}
    status, job = server.ask("POST", f"/jobs/?name={capture.name}&wait=60", capture.read_bytes(), **headers)
    assert (status, job["state"]) == (202, "done"), job


def run_code(server: Server, code: str) -> str:
    """Python in the server's database; what it printed."""
    environment = clean_environment(PICAPWEB_DATA=str(server.data), **MODE)
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def sign_in(tab: Any, origin: str, name: str) -> None:
    """In a real browser's tab, as somebody."""
    tab.goto(f"{origin}/sign-in/?next=/account/")
    tab.fill("input[name=username]", name)
    tab.fill("input[name=password]", PASSWORD)
    tab.click("button.go")
    tab.wait_for_url(f"{origin}/account/")  # no pattern: it would match where one comes from, too
