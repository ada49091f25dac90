"""A query as parts that all have to hold, and back."""

from __future__ import annotations

import pytest

from proxy.conjunction import alternatives_of, bare, either, joined, negated, parts_of, short
from proxy.display import write
from proxy.display.ask import DISPLAY, PQL
from proxy.display.compile import compile_filter
from proxy.pql.unparse import unparse

FILTERS = {
    "tcp": ["tcp"],
    "tcp && ip.addr == 10.0.0.1": ["tcp", "ip.addr == 10.0.0.1"],
    "((tcp) && udp) and !(dns || http)": ["tcp", "udp", "!(dns || http)"],
    "tcp || udp && dns": ["tcp || udp && dns"],
    "(tcp || udp) && dns": ["tcp || udp", "dns"],
    "tcp.port in {80, 443} && flow(dns && udp)": ["tcp.port in {80, 443}", "flow(dns && udp)"],
    'http.host == "a && b" && http.host != "(c"': ['http.host == "a && b"', 'http.host != "(c"'],
    "ip.src[0:2] == 0a:00 && tcp": ["ip.src[0:2] == 0a:00", "tcp"],
}


def meaning(text: str) -> str:
    call = compile_filter(text).call
    assert call is not None
    return unparse(call)


@pytest.mark.parametrize("text", FILTERS)
def test_parts_of_a_filter_mean_the_filter(text):
    parts = parts_of(text, DISPLAY)
    assert parts == FILTERS[text]
    again = joined(parts, DISPLAY)
    assert parts_of(again, DISPLAY) == parts
    # Brackets apart, it is the filter that was there
    assert meaning(again) == meaning(text.replace("((tcp) && udp)", "tcp && udp"))


@pytest.mark.parametrize(
    ("part", "inner", "was"),
    [
        ("!(tcp || udp)", "tcp || udp", True),
        ("not tcp", "tcp", True),
        ("!tcp.port == 80", "tcp.port == 80", True),
        ("tcp", "tcp", False),
    ],
)
def test_negation_of_a_filters_part(part, inner, was):
    assert bare(part, DISPLAY) == (inner, was)
    assert bare(negated(inner, DISPLAY), DISPLAY) == (inner, True)
    assert negated(f"!({inner})", DISPLAY) == inner


def test_parts_of_pql():
    text = 'Intersect(Row(tcp="SYN"), Difference(Row(netsrc="10.0.0.1"), Row(tcp="ACK")), Row(length > 5))'
    parts = parts_of(text, PQL)
    assert parts == ['Row(tcp="SYN")', 'Row(netsrc="10.0.0.1")', 'Not(Row(tcp="ACK"))', "Row(length > 5)"]
    assert joined(parts, PQL) == 'Difference(Intersect(Row(tcp="SYN"), Row(netsrc="10.0.0.1"), Row(length > 5)), Row(tcp="ACK"))'
    assert joined(parts[2:3], PQL) == 'Not(Row(tcp="ACK"))'
    assert joined([], PQL) == ""
    assert [short(bare(part, PQL)[0], PQL) for part in parts] == ["tcp SYN", "netsrc 10.0.0.1", "tcp ACK", "length > 5"]
    assert negated(parts[2], PQL) == 'Row(tcp="ACK")'
    assert parts_of("Not(Union())", PQL) == parts_of("", PQL) == []


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("tcp", ["tcp"]),
        ("tcp && udp", ["tcp && udp"]),
        ("tcp || udp", ["tcp", "udp"]),
        ("(tcp || udp) or (dns && http)", ["tcp", "udp", "dns && http"]),
        ("tcp || udp && dns", ["tcp", "udp && dns"]),
        ("!(tcp || udp) || flow(dns || http)", ["!(tcp || udp)", "flow(dns || http)"]),
        ('http.host == "a || b" || tcp.port in {80, 443}', ['http.host == "a || b"', "tcp.port in {80, 443}"]),
    ],
)
def test_alternatives_of_a_filters_part(text, ways):
    assert alternatives_of(text, DISPLAY) == ways
    again = either(ways, DISPLAY)
    assert alternatives_of(again, DISPLAY) == ways
    # Brackets apart, it is the filter that was there
    assert meaning(again) == meaning(text.replace("(tcp || udp) or", "tcp || udp or"))


def test_alternatives_of_pql():
    text = 'Union(Row(tcp="SYN"), Union(Row(netsrc="10.0.0.1"), Intersect(Row(job=7), Row(length > 5))), Not(Row(job=8)))'
    ways = alternatives_of(text, PQL)
    assert ways == ['Row(tcp="SYN")', 'Row(netsrc="10.0.0.1")', "Intersect(Row(job=7), Row(length > 5))", "Not(Row(job=8))"]
    assert either(ways[:2], PQL) == 'Union(Row(tcp="SYN"), Row(netsrc="10.0.0.1"))'
    assert either(ways[2:3], PQL) == ways[2]
    assert alternatives_of('Row(tcp="SYN")', PQL) == ['Row(tcp="SYN")']
    assert alternatives_of("Union()", PQL) == ["Union()"]


def test_a_click_adds_no_brackets_that_are_not_needed():
    once = write.narrowed("tcp", "netsrc", "10.0.0.1")
    twice = write.without(once, "tcp", "SYN")
    assert twice == "tcp && netsrc == 10.0.0.1 && !(outer:tcp.flags.syn == 1)"
    assert write.narrowed("tcp || udp", "job", "7") == "(tcp || udp) && job == 7"
    assert write.widened("tcp || udp", "job", "7") == "tcp || udp || job == 7"
    assert write.widened("tcp && udp", "job", "7") == "(tcp && udp) || job == 7"
    assert write.widened("", "job", "7") == "job == 7"
