"""The explore page offers its packets as files."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from tests.jobs import run_job

CAPTURE = "pcaps/protocols/dpkt__nb6-http.pcap"
FORMATS = ["pcapng", "pcap", "csv", "jsonl", "parquet"]


@pytest.fixture
def page(data) -> Client:
    return Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"})


@pytest.fixture
def job(data, shared):
    return run_job(shared / CAPTURE)


def links(text: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'href="(/packets/export[^"]*)"', text)]


def test_a_link_for_each_format_with_the_question_of_the_page(page, job):
    shown = page.get("/explore/", {"q": "tcp", "job": job.pk, "order": "time", "limit": 5, "facet": "vlan"})
    whole, *found = links(shown.content.decode())
    assert "format=pcapng" in whole and "q=Flow" in whole  # every packet of each conversation in the result
    assert page.head(whole).status_code == 200
    assert [re.search(r"format=(\w+)", one)[1] for one in found] == FORMATS
    number = re.search(r"([0-9,]+) of", shown.content.decode())[1]
    for one in found:
        answer = page.head(one)
        assert answer.status_code == 200, one
        assert answer["Picapweb-Packets"] == number


def test_tables_have_the_columns_that_were_chosen(page, job):
    """Numbers that are compared and summed too."""
    shown = page.get("/explore/", {"q": "tcp.analysis.ack_rtt", "job": job.pk, "columns": "netsrc,tcp-rtt-us"})
    (link,) = (one for one in links(shown.content.decode()) if "format=csv" in one)
    head, *rows = b"".join(page.get(link).streaming_content).decode().split("\r\n")[:-1]
    assert head == "column,job,number,time,length,captured_length,netsrc,tcp-rtt-us"
    assert len(rows) == 18 and all(row.rsplit(",", 1)[1].isdigit() for row in rows)


def test_where_nothing_is_found_nothing_is_offered(page, job):
    assert not links(page.get("/explore/", {"q": "udp.port == 1 && udp.port == 2"}).content.decode())


def test_a_query_that_came_by_post_is_sent_by_post(page, job):
    text = page.post("/explore/", {"q": "tcp"}).content.decode()
    form = re.search(r'<form class="menu" method="post" action="/packets/export">.*?</form>', text, re.DOTALL)[0]
    assert re.findall(r'name="format" value="(\w+)"', form) == FORMATS
    given = {name: unescape(value) for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)}
    answer = page.post("/packets/export", {**given, "format": "csv"})
    assert answer["Picapweb-Packets"] == page.head("/packets/export?q=tcp")["Picapweb-Packets"]
    assert b"".join(answer.streaming_content).startswith(b"column,job,")
