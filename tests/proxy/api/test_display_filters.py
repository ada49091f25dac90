"""Display filters over HTTP: /packets/, /top/ and the explore page, on both backends."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.jobs import run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


@pytest.fixture
def job(index, shared):
    return run_job(shared / CAPTURE, index=index)


@pytest.fixture
def get(client, index):
    def get(path: str, **query: object):
        return client.get(f"{path}?{urlencode({'index': index, **query}, doseq=True)}")

    return get


def test_an_answer_says_how_its_query_was_read(get, job):
    display = get("/packets/", q="dns && outer:udp.dstport == 53").json()
    pql = get("/packets/", q=display["pql"]).json()
    assert (display["lang"], pql["lang"]) == ("display", "pql")
    udp = 'Union(Row(transproto="UDP"), Row(transproto="UDPLite"))'
    assert display["pql"] == f'Intersect(Row(protocols="dns"), Intersect(Row(transdst="53"), {udp}))'
    assert display["packets"] == pql["packets"] != []
    assert display["notes"] == []
    assert "tcp, udp and sctp alike" in get("/packets/", q="udp.port == 53").json()["notes"][0]
    assert get("/packets/").json()["lang"] == "pql"
    assert get("/packets/", q=" ", lang="display").json()["count"] == job.packets_indexed


def test_values_are_looked_for_by_predicates(get, job):
    every = get("/packets/", q="ip.src").json()["count"]
    inside = get("/packets/", q="ip.src == 141.142.0.0/16").json()["count"]
    outside = get("/packets/", q="ip.src != 141.142.0.0/16").json()["count"]
    assert 0 < inside < every
    assert inside + outside == every
    hosts = get("/packets/", q=r'dns.qry.name matches "^UPLOAD\\..*\\.ORG$"', fields="dns-qname").json()["packets"]
    assert {value for packet in hosts for value in packet["fields"]["dns-qname"]} == {"upload.wikimedia.org"}


def test_a_filter_within_jobs_and_a_time(get, job, index, shared):
    other = run_job(shared / "pcaps/protocols/dpkt__dns_icmp.pcap", index=index)
    counts = [get("/packets/", q="dns", job=one).json()["count"] for one in (job.pk, other.pk)]
    assert get("/packets/", q="dns").json()["count"] == sum(counts)
    assert min(counts) > 0
    assert get("/packets/", q="dns", to="2000-01-01").json()["count"] == 0


def test_lang_decides(get, job):
    assert get("/packets/", q='Row(transdst="53")', lang="display").status_code == 400
    assert get("/packets/", q="dns", lang="pql").status_code == 400


@pytest.mark.parametrize(
    ("q", "position", "words"),
    [
        ("ip.src == 10.0.0.256", 10, "no IPv4 address"),
        ("tcp and ip.scr == 10.0.0.1", 8, "did you mean ip.src"),
        (r'tcp and http.host matches "(a)\\1"', 26, "references to groups"),
    ],
)
def test_an_error_has_a_place(get, job, q, position, words):
    said = get("/packets/", q=q)
    assert said.status_code == 400
    assert said["Content-Type"] == "application/problem+json"
    assert said.json()["position"] == position
    assert words in said.json()["detail"]


def test_tops_under_a_filter(get, job):
    said = get("/top/", q="tcp.flags.syn == 1", field="transdst", n=1).json()
    assert said["lang"] == "display"
    assert said["values"][0]["value"] == "80"


def test_a_click_on_a_filters_page_is_a_filter(client, get, job):
    page = get("/explore/", q="dns or http").content.decode()
    links = [html.unescape(link) for link in re.findall(r'href="(/explore/\?[^"]*)"', page)]
    asked = [parse_qs(urlsplit(link).query).get("q", [""])[0] for link in links]
    clicks = [(link, q) for link, q in zip(links, asked, strict=True) if q.startswith("(dns or http) && ")]
    assert any("netsrc == " in q for _, q in clicks)
    assert all(client.get(link).status_code == 200 for link, _ in clicks[:5])


def test_a_wrong_filter_on_a_page_has_a_caret(get, job):
    said = get("/explore/", q="tcp.prot == 80")
    assert said.status_code == 400
    assert "did you mean tcp.port" in said.content.decode()
