"""GET and POST /compare/: equal to plain counting, on both backends."""

from __future__ import annotations

import math

import pytest

from proxy.moments import written
from tests.proxy.analysis.counted import Packet, by_value

NAMED = ("netsrc", "transdst", "tcp", "protocols", "dns-qname", "vlan", "ttl")


def g2(a: int, b: int, total_a: int, total_b: int) -> float:
    """Twice the sum of observed * ln(observed / expected) over the table's four cells, with the sign of the change."""
    cells = []
    for has, total in ((a, total_a), (b, total_b)):
        share = (a + b) / (total_a + total_b)
        cells += [(has, total * share), (total - has, total * (1 - share))]
    size = 2 * sum(seen * math.log(seen / expected) for seen, expected in cells if seen)
    return math.copysign(size, b / max(total_b, 1) - a / max(total_a, 1))


def check(said, ones: list[Packet], others: list[Packet], fields) -> None:
    """The answer against two lists of packets."""
    assert (said["a"]["count"], said["b"]["count"]) == (len(ones), len(others))
    assert (said["a"]["bytes"], said["b"]["bytes"]) == (sum(o.length for o in ones), sum(o.length for o in others))
    shown = {one["field"]: one for one in said["fields"]}
    totals = {"new": 0, "gone": 0, "changed": 0}
    for field in fields:
        a, b = by_value(ones, field), by_value(others, field)
        differ = {value for value in a | b if a[value] * len(others) != b[value] * len(ones)}
        states = {value: "new" if not a[value] else "gone" if not b[value] else "changed" for value in differ}
        if not differ:
            assert field not in shown
            continue
        one = shown[field]
        for state in totals:
            number = sum(its == state for its in states.values())
            assert one[state] == number, (field, state)
            totals[state] += number
        assert (one["distinct_a"], one["distinct_b"], one["exact"]) == (len(a), len(b), True)
        scores = {value: g2(a[value], b[value], len(ones), len(others)) for value in differ}
        for value in one["values"]:
            name = value["value"]
            assert (value["a"], value["b"], value["state"]) == (a[name], b[name], states[name])
            assert value["share_a"] == pytest.approx(a[name] / len(ones) if ones else 0)
            assert value["share_b"] == pytest.approx(b[name] / len(others) if others else 0)
            assert value["score"] == pytest.approx(scores[name], abs=2e-3)
        sizes = sorted((abs(score) for score in scores.values()), reverse=True)
        assert [abs(value["score"]) for value in one["values"]] == pytest.approx(sizes[: len(one["values"])], abs=2e-3)
        assert len(one["values"]) == min(10, len(differ))
    assert {state: said[state] for state in totals} == totals


def test_two_jobs_on_every_field(indexed, packets):
    ones, others = ([one for one in packets if one.capture == number] for number in (0, 7))
    said = indexed.get("/compare/", a_job=indexed.jobs[0], b_job=indexed.jobs[7])
    every = {name for one in [*ones, *others] for name in one.fields} - {"length", "captured-length", "tcp-payload-length"}
    check(said, ones, others, {name for name in every if not name.startswith("time-")})


def test_two_queries_each_in_its_language(indexed, packets):
    ones = [one for one in packets if one.has("protocols", "udp")]
    others = [one for one in packets if one.has("protocols", "tcp")]
    said = indexed.get("/compare/", a="udp", b='Row(protocols="tcp")', fields=",".join(NAMED))
    check(said, ones, others, NAMED)
    assert (said["a"]["lang"], said["b"]["lang"]) == ("display", "pql")
    assert {one["field"] for one in said["fields"]} <= set(NAMED)


def test_two_windows_within_a_common_query(indexed, packets):
    chosen = [one for one in packets if one.capture == 0 and one.time is not None and one.has("protocols", "tcp")]
    middle = sorted(one.time or 0 for one in chosen)[len(chosen) // 2]
    cut = written(middle)
    ones, others = ([one for one in chosen if ((one.time or 0) < middle) is early] for early in (True, False))
    assert ones
    assert others
    said = indexed.get("/compare/", q="tcp", job=indexed.jobs[0], a_to=cut, b_from=cut, fields=",".join(NAMED))
    check(said, ones, others, NAMED)


def test_a_side_without_packets(indexed, packets):
    ones = [one for one in packets if one.has("protocols", "udp")]
    said = indexed.get("/compare/", a="udp", b="ip.src == 203.0.113.77", fields=",".join(NAMED))
    check(said, ones, [], NAMED)
    said = indexed.get("/compare/", a="ip.src == 203.0.113.77", b="ip.src == 203.0.113.77")
    assert (said["fields"], said["new"], said["gone"], said["changed"]) == ([], 0, 0, 0)


def test_the_same_on_both_sides_differs_in_nothing(indexed):
    said = indexed.get("/compare/", a="tcp", b="tcp")
    assert (said["fields"], said["new"], said["gone"], said["changed"]) == ([], 0, 0, 0)


def test_what_is_shown_of_a_field_is_limited(indexed):
    said = indexed.get("/compare/", a="udp", b="tcp", fields="netsrc,netdst", n=2)
    assert all(len(one["values"]) <= 2 for one in said["fields"])
    scores = [max(abs(value["score"]) for value in one["values"]) for one in said["fields"]]
    assert scores == sorted(scores, reverse=True)


def test_by_post(indexed):
    query = {"a": "udp", "b": "tcp", "fields": "netsrc"}
    assert indexed.post("/compare/", **query)["fields"] == indexed.get("/compare/", **query)["fields"]
