"""The table of packets: columns that the reader chose, in any order of packets."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from capture.packets.registry import FIELDS
from proxy.table_columns import DEFAULT
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


@pytest.fixture
def get(data, index, shared):
    run_job(shared / CAPTURE, index=index, bufsize=30)
    client = Client(headers={"host": "localhost", "accept": "text/html"})
    return lambda **query: client.get(f"/explore/?{urlencode({'index': index, **query}, doseq=True)}")


def heads(text: str) -> list[str]:
    (head,) = re.findall(r'<table class="wide-by-choice packets"><thead><tr>(.*?)</tr>', text)
    return re.findall(r"<th[^>]*>([^<]*)", head)[3:]


def cells(text: str) -> list[list[str]]:
    (body,) = re.findall(r"<tbody>(<tr><td><a href=\"/packets/.*?)</tbody>", text, re.DOTALL)
    return [
        [html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in re.split(r"<td[^>]*>", row)[1:]]
        for row in body.split("</tr>")[:-1]
    ]


def test_chosen_columns_show_the_values_of_their_fields(get, index):
    page = get().content.decode()
    assert heads(page) == list(DEFAULT)
    page = get(columns="dns-qname,captured-length", q="dns-qname", limit=20).content.decode()
    assert heads(page) == ["dns-qname", "captured-length"]
    told = (
        Client(headers={"host": "localhost"}).get(f"/packets/?index={index}&q=dns-qname&fields=dns-qname,length&limit=20").json()
    )
    assert [(row[3], row[4]) for row in cells(page)] == [
        (" ".join(one["fields"]["dns-qname"]), str(one["captured_length"])) for one in told["packets"]
    ]
    # They stay when a value is clicked
    (url, *_) = re.findall(r'<a href="(/explore/[^"]*)"[^>]* data-field="dns-qname"', page)
    assert parse_qs(urlsplit(html.unescape(url)).query)["columns"] == ["dns-qname,captured-length"]


def test_the_menu_adds_at_the_end_and_takes_away(get):
    answer = get(columns="tcp,netsrc,length", column=["", "netsrc", "tcp", "job"], q="tcp")
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert (query["columns"], query["q"]) == (["tcp,netsrc,job"], ["tcp"])
    assert "column" not in query
    page = get(columns="tcp,netsrc,job").content.decode()
    moves = [
        parse_qs(urlsplit(html.unescape(url)).query)["columns"][0]
        for url in re.findall(r'<a href="([^"]*)" title="to the left"', page)
    ]
    assert moves == ["netsrc,tcp,job", "tcp,job,netsrc"]
    assert page.count('<input type="checkbox" name="column"') == len(FIELDS)


def test_numbers_that_are_compared_are_columns_too(get, index):
    """A packet without the number has an empty cell; each links to the packets that have it."""
    client = Client(headers={"host": "localhost"})
    page = get(columns="tcp-rtt-us,tcp-payload-length,tcp-analysis", q="tcp", limit=100).content.decode()
    shown = cells(page)
    assert any(row[3] for row in shown) and not all(row[3] for row in shown)
    for name, at in (("tcp-rtt-us", 3), ("tcp-payload-length", 4)):
        for row in shown[:10]:
            pql = f"Intersect(Row(job={row[1]}), FrameNumber(from={row[2]}, to={row[2]}))"
            (total,) = client.post(f"/index/{index}/query", f"Sum({pql}, field={name})", "text/plain").json()["results"]
            assert row[at] == (str(total["value"]) if total["count"] else "")
    (value, *_) = re.findall(r'data-field="tcp-rtt-us" data-value="(\d+)"', page)
    (url, *_) = re.findall(r'<a href="([^"]*)"[^>]* data-field="tcp-rtt-us"', page)
    assert "tcp-rtt-us" in url and value in url
    assert client.get("/packets/?" + urlsplit(html.unescape(url)).query).json()["count"] >= 1


def test_a_column_that_cannot_be_is_named(get):
    for columns, words in (
        ("nosuch", "no such field"),
        (",".join(FIELDS), "at most"),
    ):
        answer = get(columns=columns)
        assert answer.status_code == 400
        assert words in html.unescape(answer.content.decode())


@pytest.mark.parametrize("order", ["capture", "-capture", "time", "-time"])
def test_pages_of_every_order_follow_each_other(get, index, order):
    client, found, cursor = Client(headers={"host": "localhost"}), [], ""
    while cursor is not None:
        said = client.get(f"/packets/?{urlencode({'index': index, 'order': order, 'limit': 70, 'cursor': cursor})}").json()
        found += [(int(one["time_ns"]), one["column"]) for one in said["packets"]]
        cursor = said["next"]
    assert len(found) == said["count"]
    key = (lambda one: one[1]) if order.endswith("capture") else (lambda one: one)
    assert found == sorted(found, key=key, reverse=order.startswith("-"))
    page = get(order=order, limit=5).content.decode()
    assert [row[2] for row in cells(page)] == [str(column + 1) for _, column in found[:5]]
