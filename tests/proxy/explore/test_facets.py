"""Top values on the explore page: rare ones, and those in which a text stands."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from tests.jobs import run_job

CAPTURE = "protocols/zeek__wikipedia.pcap"


@pytest.fixture
def told(shared):
    return json.loads((shared / f"pcaps/truth/{CAPTURE}.json").read_text())


@pytest.fixture
def get(data, index, shared):
    run_job(shared / "pcaps" / CAPTURE, index=index)
    client = Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"})
    return lambda path="/explore/", **query: client.get(f"{path}?{urlencode({'index': index, **query}, doseq=True)}")


def facet(text: str, field: str) -> str:
    (found,) = [one for one in re.findall(r'<section class="facet">.*?</section>', text, re.DOTALL) if f">{field}</a>" in one]
    return found


def values(text: str) -> list[tuple[str, int]]:
    found = re.findall(r'<bdi>([^<]*)</bdi>.*?<a class="count"[^>]*>([0-9,]+)</a>', text)
    return [(html.unescape(value), int(count.replace(",", ""))) for value, count in found]


def test_rare_values_come_first_when_that_is_wanted(get, told):
    ports = told["outer"]["tcp.srcport"] | told["outer"]["udp.srcport"]
    usual, rare = (facet(get(**query).content.decode(), "transsrc") for query in ({}, {"rare": "transsrc"}))
    assert max(count for _, count in values(rare)) <= min(count for _, count in values(usual))
    assert {value for value, _ in values(rare)} <= set(ports)
    (back,) = re.findall(r'<a href="([^"]*)" aria-current="true"', rare)
    assert "rare" not in parse_qs(urlsplit(html.unescape(back)).query)
    (more, *_) = re.findall(r'<h3><a href="([^"]*)"', rare)
    assert parse_qs(urlsplit(html.unescape(more)).query)["order"] == ["rare"]


def test_values_in_which_a_text_stands(get, told):
    hosts = told["first"]["http.host"]
    found = facet(get(**{"find-http-hostname": "MEDIA"}).content.decode(), "http-hostname")
    assert dict(values(found)) == {host: count for host, count in hosts.items() if "media" in host}
    assert 'value="MEDIA"' in found
    none = facet(get(**{"find-http-hostname": "zzz"}).content.decode(), "http-hostname")
    assert values(none) == []
    assert "No value has" in none
    network = get("/top/", field="netsrc", find="141.142.0.0/16", **{"as": "json"}).json()
    assert "values" in network, network
    sources = {one: count for one, count in told["first"]["ip.src"].items() if one.startswith("141.142.")}
    assert {one["value"]: one["count"] for one in network["values"]} == sources
    label = get("/top/", field="dns-qtype", find="aaaa", **{"as": "json"}).json()
    assert [(one["value"], one["label"]) for one in label["values"]] == [("28", "AAAA")]


def test_a_search_that_is_emptied_leaves_no_trace(get):
    answer = get(**{"find-netsrc": "", "find-tcp": "S"})
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query["find-tcp"] == ["S"]
    assert "find-netsrc" not in query
