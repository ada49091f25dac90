"""The pages of picapweb: tests look at each of them, script/screenshots takes each of them. And what must be there for them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.browser.captures import AGENT, ONE_ASKS, SHOP, made
from tests.server import ROOT, Server, clean_environment

STANDING = "SYNs that nobody answers"
ANSWERED = 'TopN(dns-qname, n=5)\nCount(Row(tcp="SYN"))\nSum(Row(transdst=443), field=length)'


@dataclass(frozen=True)
class Page:
    """name: of its test and of its pictures. path: with {names} of `Shown`. status: of the answer."""

    name: str
    path: str
    status: int = 200


@dataclass(frozen=True)
class Shown:
    """What an office of two days has: its jobs, a packet and a conversation of the second, a saved query and its alert."""

    first: int
    second: int
    request: int
    hello: int
    saved: int
    alert: int

    def path(self, page: Page) -> str:
        return page.path.format(**vars(self))


def asking(path: str, q: str, **more: str) -> str:
    """A page's path with a query."""
    return f"{path}?q={quote(q)}" + "".join(f"&{name}={value}" for name, value in more.items())


PAGES = (
    Page("start", "/"),
    Page("jobs", "/jobs/"),
    Page("jobs-none-match", "/jobs/?text=nothing-like-it"),
    Page("job", "/jobs/{second}/"),
    Page("job-delete", "/jobs/{second}/delete/"),
    Page("new-job", "/jobs/new/"),
    Page("interfaces", "/interfaces/"),
    Page("explore", "/explore/"),
    Page("explore-narrowed", asking("/explore/", f'tls-sni == "{SHOP}"', by="appproto", facet="tls-sni", job="{second}")),
    Page("explore-none-match", asking("/explore/", "tcp.port == 9")),
    Page("explore-wrong", asking("/explore/", "tcp.port == 80 && ip.src == 10.0.0.300"), 400),
    Page("top", "/top/?field=netsrc"),
    Page("top-choose", "/top/"),
    Page("top-rare", "/top/?field=dns-qname&order=rare"),
    Page("packet", "/packets/net/{request}/"),
    Page("conversations", "/flows/?job={second}"),
    Page("conversation", "/flows/net/{hello}/"),
    Page("payload", "/flows/net/{hello}/payload/"),
    Page("compare-choose", "/compare/"),
    Page("compare", "/compare/?a_job={first}&b_job={second}"),
    Page("query", "/query/"),
    Page(
        "query-answered", asking("/query/", 'TopN(dns-qname, n=5)\nCount(Row(tcp="SYN"))\nSum(Row(transdst=443), field=length)')
    ),
    Page("query-wrong", asking("/query/", 'Count(Intersect(Row(tcp="SYN"), Row(nosuchthing'), 400),
    Page("fields", "/fields/"),
    Page("saved", "/saved/"),
    Page("saved-edit", "/saved/{saved}/edit/"),
    Page("saved-delete", "/saved/{saved}/delete/"),
    Page("tags", "/packets/tags"),
    Page("alerts", "/alerts/"),
    Page("alert", "/alerts/{alert}/"),
    Page("status", "/system/"),
    Page("api-docs", "/api/docs/"),
    Page("fields-found", "/fields/?text=dns"),
    Page("sign-in", "/sign-in/"),
    Page("not-found", "/jobs/999999/", 404),
)


# Django's own, for people who look after a server: seen by who has signed in as one (`with_keeper`)
ADMIN_PAGES = (
    Page("admin-sign-in", "/admin/login/?next=/admin/"),
    Page("admin", "/admin/"),
    Page("admin-jobs", "/admin/capture/job/"),
    Page("admin-job", "/admin/capture/job/{second}/change/"),
    Page("admin-job-delete", "/admin/capture/job/{second}/delete/"),
    Page("admin-batches", "/admin/indexing/batch/"),
    Page("admin-saved", "/admin/proxy/savedquery/"),
    Page("admin-saved-query", "/admin/proxy/savedquery/{saved}/change/"),
    Page("admin-alerts", "/admin/proxy/alert/"),
    Page("admin-users", "/admin/auth/user/"),
    Page("admin-groups", "/admin/auth/group/"),
)
KEEPER = "keeper", "a-secret-of-tests-only"
_KEEPER = f"""
from django.contrib.auth import get_user_model
get_user_model().objects.create_superuser({KEEPER[0]!r}, password={KEEPER[1]!r})
"""


def with_keeper(server: Server) -> None:
    """Somebody who may sign in to Django's admin, as `KEEPER`."""
    environment = clean_environment(PICAPWEB_DATA=str(server.data))
    subprocess.run([sys.executable, "manage.py", "shell", "-v", "0", "-c", _KEEPER], cwd=ROOT, env=environment, check=True)


def fill(server: Server, folder: Path) -> Shown:
    """Two days indexed in an empty picapweb, with a saved query that raises an alert of the second, a tag and a note."""
    monday, tuesday = made(folder)
    first = _indexed(server, monday)
    saved = _done(server, "POST", "/saved/", name=STANDING, q="named:unanswered-syn", alert={"enabled": True, "threshold": 1})
    second = _indexed(server, tuesday)
    _done(server, "POST", "/packets/tags", tag="look again", q=f'dns.qry.name == "{ONE_ASKS}"')
    request = _first(server, f'http.user_agent == "{AGENT}"', second)
    _done(server, "PUT", f"/packets/net/{request}/note", text="Asks each night, from a host that is switched off.")
    alert = server.until(lambda: server.ask("GET", "/alerts/")[1]["results"])[0]["id"]
    return Shown(first, second, request, _first(server, f'tls-sni == "{SHOP}"', second), saved["id"], alert)


def _indexed(server: Server, capture: Path) -> int:
    job = server.upload(capture, f"?name={capture.name}&wait=60")
    assert job["state"] == "done", job
    return int(job["id"])


def _first(server: Server, q: str, job: int) -> int:
    """The column of the first packet of a query."""
    status, said = server.ask("GET", asking("/packets/", q, job=str(job)))
    assert status == 200, said
    return int(said["packets"][0]["column"])


def _done(server: Server, method: str, path: str, **body: Any) -> Any:
    status, said = server.ask(method, path, json.dumps(body), **{"Content-Type": "application/json"})
    assert status < 300, said
    return said
