"""Every URL of the table is a page that the tests of this folder look at, or stands among those that are none. Of no browser."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.urls import URLPattern, URLResolver, get_resolver, resolve

from tests.browser.every_page import ADMIN_PAGES, MORE_PAGES, NO_PAGES, PAGES
from tests.browser.people_pages import PEOPLE_PAGES

# What paths of pages are filled with: any numbers.
FILLED = dict.fromkeys(("first", "second", "request", "hello", "saved", "alert", "user", "group", "batch"), 1)


def names(resolver: URLResolver, spaces: str = "") -> Iterator[str]:
    """Names of the URLs, with their namespaces. Those of Django's admin that have none lead to others of its."""
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from names(one, spaces + (f"{one.namespace}:" if one.namespace else ""))
        elif isinstance(one, URLPattern) and (one.name or not spaces):
            yield f"{spaces}{one.name}"


def test_every_url_is_in_a_list():
    every = set(names(get_resolver()))
    assert len(every) > 100
    listed = [resolve(urlsplit(page.path.format(**FILLED)).path) for page in (*PAGES, *MORE_PAGES, *ADMIN_PAGES, *PEOPLE_PAGES)]
    looked_at = {match.view_name for match in listed}
    none = [name for names in NO_PAGES.values() for name in names]
    assert every - looked_at - set(none) == set()
    # And the list is as the table is.
    assert set(none) <= every
    assert len(none) == len(set(none))
    assert looked_at & set(none) == set()


def test_no_two_have_the_same_name():
    found = [page.name for page in (*PAGES, *MORE_PAGES, *ADMIN_PAGES, *PEOPLE_PAGES)]
    assert len(found) == len(set(found))
