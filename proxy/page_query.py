"""The query string of a page with some of it changed: what a page's own links are made of."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import QueryDict

# Not the page's state: where one was on it, and what a form has besides.
PASSING = ("cursor", "csrfmiddlewaretoken", "column")


def changed(given: QueryDict, **values: str | Iterable[str]) -> str:
    """With other values of parameters ("" or none: without them), from its first page on."""
    query = given.copy()
    for name in PASSING:
        query.pop(name, None)
    for name, value in values.items():
        query.pop(name, None)
        some = [value] if isinstance(value, str) else list(value)
        if some := [one for one in some if one]:
            query.setlist(name, some)
    return f"?{query.urlencode()}"


def added(given: QueryDict, name: str, value: str) -> str:
    """With one more value of a parameter."""
    return changed(given, **{name: [*given.getlist(name), value]})


def removed(given: QueryDict, name: str, value: str) -> str:
    """Without a value of a parameter."""
    return changed(given, **{name: [one for one in given.getlist(name) if one != value]})


def pairs(given: QueryDict, *without: str) -> list[tuple[str, str]]:
    """Names and values for hidden inputs of a form that changes the parameters `without`."""
    return [
        (name, value)
        for name, values in given.lists()
        if name not in without and name not in PASSING
        for value in values
        if value
    ]
