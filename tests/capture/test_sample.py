"""The sample capture: what it has for somebody to find, and how the first page of an empty house leads to it."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import Client

from capture.models import Job
from capture.sample import sample
from capture.services import work
from indexing.calls import CountResult
from proxy.ask import ask_text

BROWSER = {"host": "localhost", "accept": "text/html"}


@pytest.fixture
def client(data) -> Client:
    return Client(headers=BROWSER)


def test_it_is_the_same_each_time_and_small(tmp_path):
    call_command("sample_capture", str(tmp_path / "one.pcap"), verbosity=0)
    assert (tmp_path / "one.pcap").read_bytes() == sample()
    assert len(sample()) < 50_000


def count(q: str) -> int:
    (result,) = ask_text("net", f"Count({q})").results
    assert isinstance(result, CountResult)
    return result.count


def test_from_the_first_page_to_its_packets(client):
    page = client.get("/").content.decode()
    assert 'action="/jobs/sample/"' in page and 'href="/jobs/new/"' in page and "196 packets" in page
    led = client.post("/jobs/sample/")
    assert led.status_code == 303
    work.until_idle()
    job = Job.objects.get()
    assert led["Location"] == job.get_absolute_url()
    assert (job.state, job.packets_indexed, job.packets_undecodable) == ("done", 196, 0)
    assert client.get(led["Location"]).status_code == 200
    assert 'action="/jobs/sample/"' not in client.get("/").content.decode()

    assert count('Row(tls-sni="shop.example.com")') == 2
    assert count('Row(dns-rcode="3")') == 1
    assert count('Row(http-useragent="inventory-agent/2.7")') == 1
    assert count('Intersect(Row(netsrc="10.0.0.66"), Row(tcp="SYN"))') == 21
    assert count('Row(vlan="50")') == 50
    assert count('Row(netproto="IPv6")') == 10
    assert count('Row(arp-op="1")') == 3
    # All but the one of an open port, and four to the server that is away; refused: but for the port behind a filter.
    assert (count('Named("unanswered-syn")'), count('Named("refused-syn")')) == (24, 19)


def test_a_second_time_it_is_the_same_job(client):
    first = client.post("/jobs/sample/")["Location"]
    again = client.post("/jobs/sample/", headers={"accept": "application/json"})
    assert (again.status_code, again["Location"], again.json()["url"]) == (202, first, first)
    assert client.get("/jobs/sample/").status_code == 405
