"""Chips under the bar: each part of the query can be set aside, put back, turned round and taken away, by links alone."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.http import QueryDict
from django.test import Client

from proxy.chips import Chip, chips_of
from tests.jobs import run_job


def chips(**query: object) -> list[Chip]:
    return chips_of(QueryDict(urlencode(query, doseq=True)))


def query_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def followed(url: str) -> list[Chip]:
    return chips_of(QueryDict(urlsplit(url).query))


@pytest.mark.parametrize("q", ["tcp && !(dns) && udp", 'Intersect(Row(tcp="SYN"), Not(Row(tcp="ACK")), Row(job=7))'])
def test_set_aside_and_put_back_where_it_was(q):
    first, second, third = chips(q=q, facet="tcp", cursor="5")
    assert [(one.on, one.negated) for one in (first, second, third)] == [(True, False), (True, True), (True, False)]
    assert query_of(second.toggle)["facet"] == ["tcp"]
    assert "cursor" not in query_of(second.toggle)
    aside = followed(second.toggle)
    assert [one.label for one in aside] == [first.label, second.label, third.label]
    assert [one.on for one in aside] == [True, False, True]
    again = followed(aside[1].toggle)
    assert sorted((one.text, one.on) for one in again) == sorted((one.text, one.on) for one in (first, second, third))


def test_all_set_aside():
    (one,) = chips(q="dns")
    (aside,) = followed(one.toggle)
    assert query_of(one.toggle) == {"off": ["0:dns"]}
    assert query_of(aside.toggle) == {"q": ["dns"]}
    assert query_of(aside.remove) == {}


def test_turned_round_and_taken_away():
    first, second = chips(q="tcp && !(dns || http)")
    assert query_of(first.negate)["q"] == ["!(tcp) && !(dns || http)"]
    assert query_of(second.negate)["q"] == ["tcp && (dns || http)"]
    assert query_of(second.remove)["q"] == ["tcp"]
    assert query_of(first.remove)["q"] == ["!(dns || http)"]


def test_alternatives_are_one_chip_and_each_can_go():
    either, other = chips(q="(tcp || udp && dns || http) && ip", facet="tcp")
    assert other.alternatives == []
    assert [way.label for way in either.alternatives] == ["tcp", "udp && dns", "http"]
    assert [query_of(way.remove)["q"] for way in either.alternatives] == [
        ["((udp && dns) || http) && ip"],
        ["(tcp || http) && ip"],
        ["(tcp || (udp && dns)) && ip"],
    ]
    assert query_of(either.alternatives[0].remove)["facet"] == ["tcp"]
    first, _ = followed(either.alternatives[1].remove)
    assert query_of(first.alternatives[1].remove)["q"] == ["tcp && ip"]


def test_alternatives_of_pql_can_go():
    either, other = chips(q='Intersect(Union(Row(tcp="SYN"), Row(job=7), Row(length > 5)), Row(job=8))')
    assert [way.label for way in either.alternatives] == ["tcp SYN", "job 7", "length > 5"]
    assert other.alternatives == []
    assert query_of(either.alternatives[0].remove)["q"] == ["Intersect(Union(Row(job=7), Row(length > 5)), Row(job=8))"]
    first, _ = followed(either.alternatives[0].remove)
    assert query_of(first.alternatives[0].remove)["q"] == ["Intersect(Row(length > 5), Row(job=8))"]


def test_alternatives_that_must_not_be_and_that_are_set_aside():
    (neither,) = chips(q="!(tcp || udp || dns)")
    assert neither.negated
    assert [query_of(way.remove)["q"] for way in neither.alternatives] == [
        ["!(udp || dns)"],
        ["!(tcp || dns)"],
        ["!(tcp || udp)"],
    ]
    (one,) = followed(followed(neither.alternatives[0].remove)[0].alternatives[0].remove)
    assert (one.label, one.negated, one.alternatives) == ("dns", True, [])
    (aside,) = followed(neither.toggle)
    assert query_of(aside.alternatives[2].remove) == {"off": ["0:!(tcp || udp)"]}
    assert [one.alternatives for one in chips(q=" || ".join(f"tcp.port == {port}" for port in range(13)))] == [[]]


def test_a_language_that_the_text_does_not_show_is_said():
    first, _ = chips(q="tcp && Union(1)", lang="display") or (None, None)
    assert first is None  # it is no filter: the page says so, and there are no chips
    for query in ({"q": "tcp &&"}, {"q": "Row(tcp="}, {"q": "tcp", "off": "0:udp &&"}, {"q": "&&".join(["tcp"] * 40)}):
        assert chips(**query) == []


def test_chips_lead_to_their_packets(data, index, shared):
    run_job(shared / "pcaps/protocols/zeek__wikipedia.pcap", index=index)
    client = Client(headers={"host": "localhost", "accept": "text/html"})

    def count(url: str) -> int:
        text = client.get(url).content.decode()
        return int(re.search(r'<strong id="sentence">([0-9,]+)', text)[1].replace(",", ""))

    page = client.get(f"/explore/?{urlencode({'index': index, 'q': 'tcp && http'})}").content.decode()
    (part, turn, gone), _ = [
        [html.unescape(url) for url in re.findall(r'<a class="(?:part|turn|gone)" href="([^"]*)"', chip)]
        for chip in re.findall(r'<li class="chip">.*?</li>', page)
    ]
    asked = {name: count(f"/explore/?{urlencode({'index': index, 'q': name})}") for name in ("http", "!(tcp) && http")}
    assert count(f"/explore/{part}") == count(f"/explore/{gone}") == asked["http"]
    assert count(f"/explore/{turn}") == asked["!(tcp) && http"]
    aside = client.get(f"/explore/{part}").content.decode()
    assert 'class="chip off"' in aside
    either = client.get(f"/explore/?{urlencode({'index': index, 'q': '(dns || http) && tcp'})}").content.decode()
    ways = [html.unescape(url) for url in re.findall(r'<a class="less" href="([^"]*)"', either)]
    assert [count(f"/explore/{url}") for url in ways] == [asked["http"], count(f"/explore/?index={index}&q=dns+and+tcp")]
    # What is set aside stays when a value is clicked
    (narrow, *_) = re.findall(r'class="name" href="(/explore/[^"]+)"', aside)
    assert query_of(html.unescape(narrow))["off"] == ["0:tcp"]
