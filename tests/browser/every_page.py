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
    """name: of its test and of its pictures. path: with {names} of `Shown`. status: of the answer. who: has signed in."""

    name: str
    path: str
    status: int = 200
    who: str = ""


@dataclass(frozen=True)
class Shown:
    """What an office of two days has: its jobs, a packet and a conversation of the second, a saved query and its alert."""

    first: int
    second: int
    request: int
    hello: int
    saved: int
    alert: int

    def path(self, page: Page, **more: int) -> str:
        return page.path.format(**vars(self), **more)


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
# Looked at as those are, without pictures: they are like others, or of no use to whom they are shown.
MORE_PAGES = (
    Page("packet-by-number", "/jobs/{second}/packets/112/"),
    Page("job-stop", "/jobs/{second}/stop/"),
    Page("job-retry", "/jobs/{second}/retry/"),
    Page("account-local", "/account/"),
    Page("people-local", "/people/"),
    Page("audit-local", "/audit/"),
    Page("openid-without-provider", "/sign-in/openid/", 404),
    Page("payload-text", "/flows/net/{hello}/payload/?show=text"),
)

# Django's own, for people who look after a server: seen by who has signed in as one (`with_keeper`, which makes {names} too)
_MODELS = {
    "auth/user": ("", "add/", "{user}/change/", "{user}/delete/", "{user}/history/", "{user}/password/"),
    "auth/group": ("", "add/", "{group}/change/", "{group}/delete/", "{group}/history/"),
    "capture/job": ("", "{second}/change/", "{second}/delete/", "{second}/history/"),
    "indexing/batch": ("", "{batch}/change/", "{batch}/history/"),
    "proxy/savedquery": ("", "{saved}/change/", "{saved}/delete/", "{saved}/history/"),
    "proxy/alert": ("", "{alert}/change/", "{alert}/history/"),
}
ADMIN_PAGES = (
    Page("admin-sign-in", "/admin/login/?next=/admin/"),
    Page("admin", "/admin/"),
    Page("admin-app", "/admin/proxy/"),
    Page("admin-password", "/admin/password_change/"),
    Page("admin-password-done", "/admin/password_change/done/"),
    *(
        Page(f"admin-{model.split('/')[1]}-{place.strip('/').split('/')[-1] or 'list'}", f"/admin/{model}/{place}")
        for model, places in _MODELS.items()
        for place in places
    ),
)
KEEPER = "keeper", "a-secret-of-tests-only"
_KEEPER = f"""
from django.contrib.auth.models import Group, Permission, User
from indexing.models import Batch
keeper = User.objects.create_superuser({KEEPER[0]!r}, password={KEEPER[1]!r})
group = Group.objects.create(name="on call")
group.permissions.set(Permission.objects.all()[:3])
keeper.groups.add(group)
import json
print(json.dumps(dict(user=keeper.pk, group=group.pk, batch=Batch.objects.latest("pk").pk)))
"""
# URLs that are no pages, by name. tests/browser/test_pages_are_listed.py holds the URL table against it.
NO_PAGES = {
    "for programs": {"healthz", "readyz", "metrics", "schema", "check-filter", "count", "complete", "histogram", "crosstab"}
    | {"named", "job-events", "job-health"},
    "files": {"job-pcap", "packet-pcap", "payload-bytes", "export"},
    "part of a page": {"job-live"},
    "leads to a page": {"explore-with", "saved-query", "oidc_authentication_callback"},
    "what forms are sent to, which answer with a page above": {"sign-out", "password", "tokens", "token", "person", "sample"}
    | {"job-share", "note", "test-webhook", "acknowledge"},
    "the explore page for a browser, at another address": {"packets"},
    "Pilosa's API": {"pilosa-query", "pilosa-schema", "pilosa-indexes", "pilosa-index", "pilosa-field", "pilosa-import"}
    | {"pilosa-import-roaring", "pilosa-export", "pilosa-status", "pilosa-info", "pilosa-version", "pilosa-recalculate-caches"}
    | {"pilosa-nodes", "pilosa-fragment-nodes", "pilosa-shards-max", "pilosa-translate-keys", "pilosa-column-attributes"}
    | {"pilosa-row-attributes", "pilosa-not-found"},
    "Django's own, for its pages": {"admin:logout", "admin:autocomplete", "admin:jsi18n", "admin:view_on_site"},
    "nobody may, in the admin": {"admin:capture_job_add", "admin:indexing_batch_add", "admin:proxy_savedquery_add"}
    | {"admin:proxy_alert_add", "admin:indexing_batch_delete", "admin:proxy_alert_delete"},
}


def with_keeper(server: Server) -> dict[str, int]:
    """Somebody who may sign in to Django's admin, as `KEEPER`; numbers of what its pages show, by name."""
    environment = clean_environment(PICAPWEB_DATA=str(server.data))
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", _KEEPER]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


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
