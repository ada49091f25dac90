"""Pages of conversations and comparisons: their numbers are those of the JSON twin, and lead to the packets."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.jobs import run_job

CAPTURES = ["pcaps/protocols/zeek__wikipedia.pcap", "pcaps/protocols/dpkt__dns_icmp.pcap"]


@pytest.fixture
def jobs(data, index, shared):
    return [run_job(shared / one, index=index).pk for one in CAPTURES]


@pytest.fixture
def page():
    client = Client(headers={"host": "localhost", "accept": "text/html"})

    def page(url: str) -> str:
        answer = client.get(url)
        assert answer.status_code == 200, answer.content
        return answer.content.decode()

    return page


@pytest.fixture
def told():
    client = Client(headers={"host": "localhost"})
    return lambda url: client.get(url).json()


def packets_on(text: str) -> int:
    match = re.search(r'<strong id="sentence">([0-9,]+)', text)
    assert match is not None
    return int(match[1].replace(",", ""))


def test_conversations_and_one_of_them(jobs, index, page, told):
    query = urlencode({"index": index, "q": "tcp", "order": "bytes"})
    found = told(f"/flows/?{query}")
    text = page(f"/flows/?{query}")
    assert packets_on(text) == found["count"] > 5
    assert text.index(found["flows"][0]["flow"]) < text.index(found["flows"][1]["flow"])
    one = found["flows"][0]
    ladder = page(one["flow"])
    rows = re.findall(r'<tr class="(?:there|back)[^>]*><td class="n"><a class="to" href="([^"]*)">', ladder)
    assert len(rows) == told(one["flow"])["flow"]["packets"]
    away = ladder.count(f'aria-label="to {one["responder"]["address"]}: ')
    assert away == told(one["flow"])["flow"]["initiator"]["packets"]
    of_all = re.sub(r'<dl class="facts inset flow-health">.*?</dl>', "", ladder, flags=re.DOTALL)  # of which each is about some
    links = {html.unescape(url) for url in re.findall(r'href="(/explore/\?[^"]*)"', of_all)}
    assert {packets_on(page(url)) for url in links} == {len(rows)}


def test_conversations_of_whole_and_of_a_query(jobs, index, page):
    query = urlencode({"index": index, "q": "tcp.flags.syn == 1"})
    assert "whole=1" in page(f"/flows/?{query}")
    assert "is of a conversation" in page(f"/flows/?{urlencode({'index': index, 'q': 'arp && tcp'})}")


def test_two_jobs_against_each_other(jobs, index, page, told):
    query = urlencode({"index": index, "a_job": jobs[0], "b_job": jobs[1], "n": 5})
    found, text = told(f"/compare/?{query}"), page(f"/compare/?{query}")
    assert f"{found['a']['count']:,} packets" in text
    names = re.findall(r'<section class="box change"><h2><a [^>]*>([^<]*)</a>', text)
    assert names == [one["field"] for one in found["fields"]]
    value = found["fields"][0]["values"][0]
    links = [html.unescape(url) for url in re.findall(r'<td class="n"><a href="(/explore/[^"]*)">', text)]
    side = "a" if value["a"] else "b"
    assert packets_on(page(links[0])) == value[side]


def test_what_to_compare_is_asked_for(data, page):
    assert "Choose what A and B are" in page("/compare/")


def test_an_error_is_said_on_the_page(jobs, index):
    client = Client(headers={"host": "localhost", "accept": "text/html"})
    for url in ("/flows/?q=tcp.prot", "/flows/?order=size", "/compare/?a=tcp.prot&b=udp"):
        answer = client.get(f"{url}&index={index}")
        assert answer.status_code == 400
        assert 'role="alert"' in answer.content.decode()
