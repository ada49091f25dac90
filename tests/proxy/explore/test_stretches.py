"""Captures years apart: the time between them is left out of the chart, and the page says so."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from django.test import Client

from proxy.analysis.histogram import Histogram, Part
from proxy.analysis.stretches import Stretch, stretches, width_for
from proxy.time_chart import spoken
from tests.jobs import run_job

SECOND = 1_000_000_000


def histogram(first: int, width: int, *counts: int) -> Histogram:
    return Histogram(first, width, Part(sum(counts), 0, np.array(counts, np.int64), np.zeros(len(counts), np.int64)))


def test_a_gap_of_a_fifth_parts_two_stretches_which_are_looked_at_again():
    asked = []

    def ask(one: Stretch) -> Histogram:
        asked.append(one)
        return histogram(one.low + 7, 1, 5, 5)

    found = histogram(1000, 100, 3, 0, 1, *[0] * 10, 2)
    assert stretches(found, ask) == [Stretch(1007, 1008), Stretch(2307, 2308)]
    assert asked == [Stretch(1000, 1299), Stretch(2300, 2399)]


@pytest.mark.parametrize("counts", [[], [1], [1, 0, 1], [1] * 10, [1, 1, 1, 0, 0, 1, 1, 1, 1, 1]])
def test_time_that_is_full_enough_stays_as_it_is(counts):
    assert stretches(histogram(0, 10, *counts), lambda one: histogram(one.low, 10, *[1] * ((one.high + 1 - one.low) // 10))) == []


def test_silences_within_a_capture_stay():
    year = 10**9

    def ask(one: Stretch) -> Histogram:
        return histogram(one.low, 1, 1, 1, 0, 0, 1) if one.low == 0 else histogram(one.low, 1, 1)

    assert stretches(histogram(0, year, 1, 0, 0, 0, 1), ask) == [Stretch(0, 4), Stretch(4 * year, 4 * year)]


def test_one_width_for_all():
    hour = 3600 * SECOND
    some = [Stretch(0, hour - 1), Stretch(1000 * hour, 1001 * hour - 1)]
    assert width_for(some, 120) == 60 * SECOND
    assert width_for([Stretch(0, 0), Stretch(10**18, 10**18)], 120) == 1000


def test_long_times_in_words():
    assert [spoken(one) for one in (0, 59, 3661, 86400 * 800, 86400 * 3 + 60)] == [
        "less than a second",
        "59 seconds",
        "1 hour 1 minute",
        "2 years 70 days",
        "3 days",
    ]


@pytest.fixture
def page(data, index, shared):
    for name in ("zeek__wikipedia", "dpkt__dns_icmp"):
        run_job(shared / f"pcaps/protocols/{name}.pcap", index=index)
    client = Client(headers={"host": "localhost", "accept": "text/html"})
    return lambda **query: client.get(f"/explore/?{urlencode({'index': index, **query})}").content.decode()


def bars(text: str) -> list[tuple[str, int]]:
    found = re.findall(r'<a href="(\?[^"]*)" tabindex="-1"><g><title>[^<]* · ([0-9,]+) packets?</title>', text)
    return [(html.unescape(url), int(count.replace(",", ""))) for url, count in found]


def test_the_page_says_what_is_left_out_and_every_packet_is_in_a_bar(page):
    text = page()
    total = int(re.search(r'<strong id="sentence">([0-9,]+)', text)[1].replace(",", ""))
    assert "Left out, for there are no packets" in text
    assert sum(count for _, count in bars(text)) == total
    assert len(re.search(r'data-stretches="([^"]*)"', text)[1].split()) == 2
    (shown,) = re.findall(r'<a href="([^"]*)">show empty time</a>', text)
    there = page(**{name: some[0] for name, some in parse_qs(urlsplit(html.unescape(shown)).query).items() if name != "index"})
    assert "Left out" not in there
    assert "skip empty time" in there
    assert len(bars(there)) < len(bars(text))


def test_a_split_is_by_the_same_values_in_every_stretch(page):
    text = page(by="appproto")
    counts = [int(one.replace(",", "")) for one in re.findall(r"</(?:a|span)>(?: <span[^>]*>[^<]*</span>)? ([0-9,]+)</li>", text)]
    total = int(re.search(r'<strong id="sentence">([0-9,]+)', text)[1].replace(",", ""))
    assert len(counts) > 2
    assert sum(counts) >= total
    assert "no appproto" in text


def test_zooming_and_moving(page):
    text = page(**{"from": "2011-01-01T00:00:00Z", "to": "2012-01-01T00:00:00Z"})
    found = {
        name: parse_qs(urlsplit(html.unescape(url)).query)
        for url, name in re.findall(r'<a class="btn" href="([^"]*)"[^>]*>(←|→|Zoom in|Zoom out|All time)', text)
    }
    if not found:
        pytest.fail("no packets of that year")
    assert found["←"]["to"] == ["2011-01-01T00:00:00Z"]
    assert found["→"]["from"] == ["2012-01-01T00:00:00Z"]
    assert found["Zoom out"]["from"] == ["2010-07-02T12:00:00Z"]
    assert found["Zoom in"]["to"] == ["2011-10-01T18:00:00Z"]
    assert "from" not in found["All time"]
