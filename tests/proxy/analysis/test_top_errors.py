"""/top/: what is refused, and which parameter that names."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("query", "option", "words"),
    [
        ({}, "field", "say which field"),
        ({"field": "netscr"}, "field", "netscr"),
        ({"field": "length"}, "field", "compared and summed"),
        ({"field": "netsrc", "order": "up"}, "order", "top or rare"),
        ({"field": "netsrc", "metric": "size"}, "metric", "packets, bytes or distinct:FIELD"),
        ({"field": "netsrc", "metric": "distinct:"}, "metric", "packets, bytes or distinct:FIELD"),
        ({"field": "netsrc", "metric": "distinct:nosuch"}, "metric", "nosuch"),
        ({"field": "netsrc", "metric": "distinct:length"}, "metric", "compared and summed"),
        ({"field": "netsrc", "n": "0"}, "n", "from 1 to"),
        ({"field": "netsrc", "n": "100001"}, "n", "from 1 to"),
        ({"field": "netsrc", "from": "yesterday"}, "from", "must be a time"),
    ],
)
def test_a_bad_parameter_is_named(indexed, query, option, words):
    said = indexed.refused("/top/", **query)
    assert said[0] == option
    assert words in said[1]


def test_a_bad_query_says_where(indexed):
    status, said = indexed.ask("/top/", field="netsrc", q="Row(netsrc=")
    assert (status, said["position"]) == (400, 11)


def test_a_post_that_is_no_form(indexed):
    headers = {"Host": f"localhost:{indexed.peer.port}", "Content-Type": "application/json"}
    for path in ("/top/", "/histogram/", "/crosstab/", "/compare/"):
        status, _ = indexed.peer.ask("POST", path, b"{}", headers)
        assert status == 415, path
