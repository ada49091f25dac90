"""Local mode, where nobody signs in: every URL of the product is closed to pages of other sites and to other machines."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from picapweb.embedded.data import DataFolder, DataFolderError
from picapweb.up import CannotStart, check_bind

HERE = {"host": "localhost:11000"}
# Whatever a route takes, this is one.
EXAMPLES = {"int": "1", "str": "net", "slug": "net", "path": "a/b", "uuid": "0" * 8 + "-0000-0000-0000-" + "0" * 12}


def urls(resolver: URLResolver | None = None, before: str = "/") -> Iterator[str]:
    """A path of each route."""
    for one in (resolver or get_resolver()).url_patterns:
        route = str(one.pattern)
        if isinstance(one, URLResolver):
            yield from urls(one, before + route.removeprefix("^"))
        elif isinstance(one, URLPattern):
            path = re.sub(r"<(?:(\w+):)?\w+>", lambda found: EXAMPLES.get(found[1] or "str", "1"), route)
            yield before + re.sub(r"\(\?P<\w+>[^)]*\)", "1", path).strip("^$").replace("\\", "")


URLS = sorted(set(urls()))
# Everything that a browser lets another site's page send, and what that page can say of itself.
REQUESTS = {
    "a form": ("post", {"origin": "https://evil.example"}),
    "a sandboxed frame": ("post", {"origin": "null"}),
    "another server of this machine": ("post", {"origin": "http://localhost:3000"}),
    "a form without an Origin": (
        "post",
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    ),
    "an image": ("get", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}),
    "a script of another port": ("get", {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}),
    "a frame": ("get", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}),
    "a fetch": ("get", {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}),
    "a preflight": ("options", {"origin": "https://evil.example"}),
    "a name that leads here": ("get", {"host": "evil.example:11000"}),
    "a name that leads here, posting": ("post", {"host": "evil.example:11000", "origin": "http://evil.example:11000"}),
    "no name": ("get", {"host": ""}),
}


def test_there_are_all_urls():
    assert len(URLS) > 80
    assert {"/index/net/query", "/jobs/", "/packets/export", "/metrics", "/api/docs/"} <= set(URLS)


@pytest.mark.parametrize("name", REQUESTS)
def test_another_sites_page_gets_nothing_from_any_url(name: str, settings):
    """Without a query to the database (no db mark), and whatever the body."""
    method, headers = REQUESTS[name]
    client = Client(headers={**HERE, **headers})
    for url in URLS:
        body = {"data": b"Count(All())", "content_type": "text/plain"} if method == "post" else {}
        answer = getattr(client, method)(url, **body)
        assert answer.status_code == 403, url
        assert "Access-Control-Allow-Origin" not in answer


def test_another_machine_gets_nothing_from_any_url():
    client = Client(headers=HERE, REMOTE_ADDR="192.0.2.7")
    for url in URLS:
        answer = client.get(url)
        assert answer.status_code == 403, url
        assert "PICAPWEB_MODE" in answer.json()["detail"]
    assert Client(headers=HERE, REMOTE_ADDR="::1").get("/healthz").status_code == 200
    assert Client(headers=HERE, REMOTE_ADDR="::ffff:127.0.0.1").get("/healthz").status_code == 200
    assert Client(headers=HERE, REMOTE_ADDR="").get("/healthz").status_code == 200  # a unix socket


@pytest.mark.parametrize(
    ("site", "mode", "dest"),
    [
        ("cross-site", "navigate", "document"),
        ("same-origin", "cors", "empty"),
        ("none", "navigate", "document"),
        (None, None, None),
    ],
)
def test_links_to_here_are_followed_and_our_own_pages_are_served(site, mode, dest):
    said = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    client = Client(headers={**HERE, **{name: value for name, value in said.items() if value}})
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "fe80::1", "169.254.169.254"])
def test_it_binds_to_loopback_alone(bind: str):
    with pytest.raises(CannotStart, match="PICAPWEB_MODE=server"):
        check_bind(bind, local=True)
    check_bind(bind, local=False)
    for loopback in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        check_bind(loopback, local=True)


def test_a_data_folder_that_others_may_enter_is_narrowed(tmp_path: Path):
    root = tmp_path / "data"
    for name in ("captures", "index", "import"):
        (root / name).mkdir(parents=True)
        (root / name).chmod(0o777)
    root.chmod(0o777)
    DataFolder(root).create()
    modes = {name: stat.S_IMODE((root / name).stat().st_mode) for name in (".", "captures", "index", "postgres", "run", "log")}
    assert set(modes.values()) == {0o700}
    # Others may be meant to put files there; they cannot reach it through the folder above, unless that is elsewhere.
    assert stat.S_IMODE((root / "import").stat().st_mode) == 0o777


def test_a_data_folder_of_somebody_else_that_all_may_write_to_is_refused(tmp_path: Path, monkeypatch):
    root = tmp_path / "data"
    root.mkdir()
    root.chmod(0o777)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(DataFolderError, match="others may write to it"):
        DataFolder(root).create()
