"""GET and POST /count/."""

from __future__ import annotations

import pytest


def test_packets_and_bytes(indexed, packets):
    for query, chosen in (
        ({}, packets),
        ({"q": 'Row(tcp="SYN")'}, [one for one in packets if one.has("tcp", "SYN")]),
        ({"q": "dns", "job": indexed.jobs[2]}, [one for one in packets if one.capture == 2 and one.has("protocols", "dns")]),
        ({"q": 'Row(netsrc="203.0.113.77")'}, []),
    ):
        said = indexed.get("/count/", **query)
        assert (said["count"], said["bytes"]) == (len(chosen), sum(one.length for one in chosen))
        assert indexed.post("/count/", **query) == said
    assert indexed.get("/count/", q="dns")["lang"] == "display"


@pytest.mark.parametrize(("query", "option"), [({"lang": "sql"}, "lang"), ({"job": "x"}, "job"), ({"to": "noon"}, "to")])
def test_a_bad_parameter_is_named(indexed, query, option):
    assert indexed.refused("/count/", **query)[0] == option
