"""/compare/: what is refused, and which parameter that names: each side's own."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("query", "option", "words"),
    [
        ({}, "a", "say what to compare"),
        ({"a": "tcp", "b": "udp", "fields": "nosuch"}, "fields", "nosuch"),
        ({"a": "tcp", "b": "udp", "fields": "length"}, "fields", "compared and summed"),
        ({"a": "tcp", "b": "udp", "n": "0"}, "n", "from 1 to"),
        ({"a": "tcp", "b": "udp", "b_lang": "sql"}, "b_lang", "b_lang must be pql or display"),
        ({"a_job": "x", "b_job": "1"}, "a_job", "a_job must be a number"),
        ({"a_from": "noon", "b": "tcp"}, "a_from", "a_from must be a time"),
        ({"a": "tcp", "b": "Row(netsrc="}, "b", "b: "),
        ({"a": "ip.scr == 10.0.0.1", "b": "tcp"}, "a", "a: "),
        ({"a": "tcp", "b": "udp", "lang": "sql"}, "lang", "pql or display"),
    ],
)
def test_a_bad_parameter_is_named(indexed, query, option, words):
    said = indexed.refused("/compare/", **query)
    assert said[0] == option
    assert said[1].startswith(words) or words in said[1]


def test_a_bad_query_of_a_side_says_where(indexed):
    status, said = indexed.ask("/compare/", a="tcp", b="Row(netsrc=")
    assert (status, said["option"], said["position"]) == (400, "b", 11)


def test_a_job_that_is_not_there(indexed):
    status, said = indexed.ask("/compare/", a_job=999999, b="tcp")
    assert status == 404
    assert "no job 999999" in said["detail"]
