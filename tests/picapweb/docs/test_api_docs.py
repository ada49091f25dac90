"""The OpenAPI description has every endpoint, with words; the page shows all of it, with commands that work."""

from __future__ import annotations

import re
import shlex

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from picapweb.docs.views import description, groups_of
from tests.server import ROOT

METHODS = ("get", "post", "put", "patch", "delete")
# What is a page or a form of a page and nothing else, and Pilosa's own API, which its documentation describes.
PAGES = {"start", "new-job", "explore", "query", "job-live", "job-delete", "saved-edit", "saved-delete"}
PAGES |= {"docs", "sign-in", "sign-out", "password", "openid", "oidc_authentication_callback"}


def operations():
    return [
        (method, path, operation)
        for path, some in description()["paths"].items()
        for method, operation in some.items()
        if method in METHODS
    ]


def test_every_operation_says_what_it_does():
    assert len(operations()) > 40
    silent = [f"{method} {path}" for method, path, operation in operations() if not operation.get("description")]
    assert silent == []


def test_every_parameter_says_what_it_means():
    silent = [
        f"{method} {path} {one['name']}"
        for method, path, operation in operations()
        for one in operation.get("parameters", ())
        if not one.get("description")
    ]
    assert silent == []


def routes(patterns=None, prefix=""):
    for one in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, path)
        elif isinstance(one, URLPattern):
            yield path, one


def test_every_route_of_ours_is_described():
    described = set(description()["paths"])
    missing = []
    for path, route in routes():
        if path.startswith(("admin/", "^")) or route.name in PAGES or (route.name or "").startswith("pilosa"):
            continue
        known = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: "{" + found.group(1).replace("pk", "id") + "}", path)
        if known not in described and not _is_pilosas(route):
            missing.append(known)
    assert missing == []


def _is_pilosas(route: URLPattern) -> bool:
    return getattr(route.callback, "__module__", "").startswith("proxy.api.pilosa") or "pilosa" in repr(route.callback)


@pytest.mark.parametrize("path", re.findall(r"^\| `GET (/[a-z/]+/)[?`]", (ROOT / "docs" / "api.md").read_text("utf-8"), re.M))
def test_what_the_manual_has_is_described(path: str):
    assert path in description()["paths"]


def test_the_page_has_all_of_it():
    client = Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"})
    answer = client.get("/api/docs/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count('<details class="box op"') == len(operations())
    assert not re.search(r"<[^>]+\s(style|on\w+)=|<script(?![^>]*\ssrc=)|<style", page)
    for one in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{one}"' in page or one == "main"
    assert len(answer.content) < 300_000


def test_examples_are_words_of_a_shell():
    for group in groups_of("http://localhost:11000"):
        for one in group.endpoints:
            words = shlex.split(one.curl)
            assert words[0] == "curl"
            assert words[-1].startswith("http://localhost:11000/") and "{" not in words[-1]
            if one.method in ("PUT", "PATCH", "DELETE"):
                assert words[words.index("-X") + 1] == one.method


def test_the_form_of_a_long_query_is_described():
    body = description()["paths"]["/top/"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
    assert {"q", "field", "metric"} <= set(body["schema"]["properties"])
