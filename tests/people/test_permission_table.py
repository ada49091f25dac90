"""The table of who may do what has every URL, and what is not in it is refused to everybody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, path

from people import permissions
from tests.people.making import browser


def routes(patterns: list | None = None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every URL there is, with the namespace that it is in."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, namespace or one.namespace or "")
        else:
            yield namespace, one


def test_every_url_is_in_the_table():
    missing = [
        str(route.pattern)
        for namespace, route in routes()
        if (namespace not in permissions.NAMESPACES if namespace else route.name not in permissions.TABLE)
    ]
    assert missing == []


def test_the_table_has_no_url_that_there_is_not():
    names = {route.name for _, route in routes()} | {namespace for namespace, _ in routes()}
    assert sorted(set(permissions.TABLE) - names) == []
    assert sorted(set(permissions.NAMESPACES) - names) == []


def test_names_are_of_one_url_each():
    """A name that two URLs share would give one of them the other's rule."""
    names = [route.name for namespace, route in routes() if not namespace]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.fixture
def with_an_unlisted_url(monkeypatch, settings):
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("new/", lambda _: HttpResponse("hi"), name="brand-new")]})


def test_a_url_that_is_not_in_the_table_is_refused(person, with_an_unlisted_url, monkeypatch):
    monkeypatch.setattr(permissions, "open_paths", lambda: frozenset())
    answer = browser(person("root", "admin")).get("/new/")
    assert answer.status_code == 403
    assert "table of permissions" in answer.json()["detail"]


def test_a_method_that_is_not_in_the_table_is_refused(person):
    answer = browser(person("root", "admin")).put("/jobs/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST")
