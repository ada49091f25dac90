"""/histogram/: what is refused, and which parameter that names."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("query", "option", "words"),
    [
        ({"width": "1 fortnight"}, "width", "duration"),
        ({"width": "0"}, "width", "at least one"),
        ({"width": "-1s"}, "width", "duration"),
        ({"width": "0.0000001"}, "width", "whole microseconds"),
        ({"width": "1s"}, "width", "take a greater width"),
        ({"width": "1us"}, "width", "take a greater width"),
        ({"bins": "0"}, "bins", "from 1 to"),
        ({"bins": "10001"}, "bins", "from 1 to"),
        ({"bins": "10", "width": "1d"}, "bins", "not both"),
        ({"by": "nosuch"}, "by", "nosuch"),
        ({"by": "length"}, "by", "compared and summed"),
        ({"by": "netsrc", "n": "51"}, "n", "from 1 to"),
        ({"by": "netsrc", "n": "50", "bins": "10000"}, "n", "smaller n"),
        ({"from": "noon"}, "from", "must be a time"),
    ],
)
def test_a_bad_parameter_is_named(indexed, query, option, words):
    said = indexed.refused("/histogram/", **query)
    assert said[0] == option
    assert words in said[1]
