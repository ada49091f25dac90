"""The chart of packets over time: what it draws, and where its bars lead; and on the explore page."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from django.test import Client

from proxy.analysis.histogram import Histogram, Part
from proxy.time_chart import HEIGHT, time_chart
from tests.jobs import run_job

SECOND = 1_000_000_000
CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


def part(*counts: int) -> Part:
    return Part(sum(counts), 0, np.array(counts, np.int64), np.zeros(len(counts), np.int64))


def narrow(begin: str, end: str) -> str:
    return f"{begin}/{end}"


def test_bars_of_one_series():
    found = Histogram(100 * SECOND, SECOND // 2, part(4, 0, 1))
    chart = time_chart([found], 5, narrow, str)
    assert chart is not None
    assert (chart.begin, chart.end, chart.width_words, chart.most) == (
        "1970-01-01T00:01:40Z",
        "1970-01-01T00:01:41.500Z",
        "500 ms",
        4,
    )
    tall, low = chart.bars
    assert (tall.x, tall.url, tall.title) == (
        0,
        "1970-01-01T00:01:40Z/1970-01-01T00:01:40.500Z",
        "1970-01-01 00:01:40 · 4 packets",
    )
    assert (low.x, low.title) == (16, "1970-01-01 00:01:41 · 1 packet")
    assert [(piece.y, piece.height, piece.series) for piece in tall.pieces] == [("0.0", f"{HEIGHT}.0", 0)]
    assert [(piece.y, piece.height) for piece in low.pieces] == [(f"{HEIGHT * 3 / 4:.1f}", f"{HEIGHT / 4:.1f}")]


def test_one_packet_among_many_is_seen():
    chart = time_chart([Histogram(0, SECOND, part(1_000_000, 1))], 1_000_001, narrow, str)
    assert chart is not None
    assert float(chart.bars[1].pieces[0].height) >= 1


def test_a_split_stacks_its_parts_and_names_them():
    found = Histogram(
        0,
        SECOND,
        part(4, 2),
        "transproto",
        [{"value": "TCP"}, {"value": "UDP"}],
        3,
        [part(3, 0), part(1, 1), part(0, 0), part(0, 1)],
    )
    chart = time_chart([found], 6, narrow, lambda value: f"?{value}")
    assert chart is not None
    assert [(one.name, one.count, one.url) for one in chart.series] == [
        ("TCP", 3, "?TCP"),
        ("UDP", 2, "?UDP"),
        ("no transproto", 1, ""),
    ]
    assert [piece.series for piece in chart.bars[0].pieces] == [0, 1]
    assert [piece.series for piece in chart.bars[1].pieces] == [1, 2]
    lower, upper = chart.bars[0].pieces
    assert float(upper.y) + float(upper.height) == pytest.approx(float(lower.y))
    assert float(lower.y) + float(lower.height) == pytest.approx(HEIGHT)


def test_packets_without_a_time_have_no_chart():
    assert time_chart([Histogram(0, 0, Part(5, 0, np.zeros(0, np.int64), np.zeros(0, np.int64)))], 5, narrow, str) is None


@pytest.fixture
def page(data, index, shared):
    run_job(shared / CAPTURE, index=index)
    client = Client(headers={"host": "localhost", "accept": "text/html"})

    def page(**query: object) -> str:
        answer = client.get(f"/explore/?{urlencode({'index': index, **query})}")
        assert answer.status_code == 200
        return answer.content.decode()

    return page


def bars(text: str) -> list[tuple[dict[str, list[str]], int]]:
    """(parameters of the link, packets) of each bar."""
    found = re.findall(r'<a href="(\?[^"]*)" tabindex="-1"><g><title>[^<]* · ([0-9,]+) packets?</title>', text)
    return [(parse_qs(urlsplit(html.unescape(url)).query), int(count.replace(",", ""))) for url, count in found]


def sentence(text: str) -> str:
    match = re.search(r'<strong id="sentence">([^<]*)</strong>([^<]*)<', text)
    assert match is not None
    return match[1] + match[2]


def test_bars_on_the_page_lead_to_their_packets(page, index):
    every = page(q="udp")
    found = bars(every)
    assert len(found) > 3
    total = int(re.search(r"([0-9,]+) of", sentence(every))[1].replace(",", ""))
    assert sum(count for _, count in found) == total
    for query, count in found[:4]:
        assert (query["q"], query["index"]) == (["udp"], [index])
        there = page(**{name: values[0] for name, values in query.items() if name != "index"})
        assert sentence(there).startswith(f"{count:,} of ")
        assert "All time" in there


def test_links_of_a_page_keep_its_time_and_split(page):
    (query, _), *_ = bars(page(by="transproto"))
    text = page(**{name: values[0] for name, values in query.items() if name != "index"})
    narrowed = [html.unescape(url) for url in re.findall(r'<a class="count" href="([^"]*)"', text)]
    assert narrowed
    for url in narrowed:
        kept = parse_qs(urlsplit(url).query)
        assert (kept["from"], kept["to"], kept["by"]) == (query["from"], query["to"], ["transproto"])
