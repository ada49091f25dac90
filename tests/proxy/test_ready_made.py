"""What pages offer before anybody has asked: ready-made questions, the last minute of a capture, rankings by bytes and by other
values, what changed since the job before, whole conversations as a file. Links lead to what their words say."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from proxy.ready import CONVERSATIONS, RANKINGS
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


def link(text: str, words: str) -> str:
    """Where the link with these words leads."""
    found = [
        html.unescape(url)
        for url, said in re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', text, re.DOTALL)
        if words in said
    ]
    assert found, f"no link says {words!r}"
    return found[0]


def values(text: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'<td class="name"><a [^>]*><bdi>(.*?)</bdi>', text)]


def test_questions_of_a_job_are_about_that_job(jobs, index, page, told):
    text = page(f"/jobs/{jobs[0]}/")
    for one in (*RANKINGS, *CONVERSATIONS):
        query = parse_qs(urlsplit(link(text, one.sentence)).query)
        assert query["job"] == [str(jobs[0])] and query["field"] == [one.field] and query["metric"] == [one.metric]
    most = page(link(text, "Who sent the most bytes?"))
    expected = told(f"/top/?{urlencode({'index': index, 'job': jobs[0], 'field': 'netsrc', 'metric': 'bytes', 'n': 100})}")
    assert values(most) == [one["value"] for one in expected["values"]]
    unanswered = told(link(text, "SYNs that nobody answered").replace("/explore/", "/packets/"))
    assert (
        unanswered["count"]
        == told(f"/packets/?{urlencode({'index': index, 'q': 'named:unanswered-syn', 'job': jobs[0]})}")["count"]
    )


def test_every_ranking_can_be_asked(jobs, index, page):
    text = page(f"/jobs/{jobs[1]}/")
    for one in (*RANKINGS, *CONVERSATIONS):
        assert "how many of them" in page(link(text, one.sentence))


def test_who_retransmitted(jobs, index, page, told):
    """Answered from what the second pass found: the value of the ranking is the count of its packets."""
    url = link(page(f"/jobs/{jobs[0]}/"), "Who retransmitted the most?")
    query = parse_qs(urlsplit(url).query)
    assert query["q"] == ["tcp.analysis.retransmission"]
    found = told(url)["values"]
    asked = {"index": index, "job": jobs[0], "q": "tcp.analysis.retransmission"}
    assert sum(one["count"] for one in found) == told(f"/packets/?{urlencode(asked)}")["count"]


def test_ready_made_questions_stand_under_saved(db, page):
    assert link(page("/saved/"), "Receivers that could not take any more") == "/explore/?q=named%3Azero-window"


def test_a_job_is_compared_with_the_one_before(jobs, page):
    assert "Compare with job" not in page(f"/jobs/{jobs[0]}/")
    query = parse_qs(urlsplit(link(page(f"/jobs/{jobs[1]}/"), "Compare with job")).query)
    assert query["a_job"] == [str(jobs[0])] and query["b_job"] == [str(jobs[1])]


def test_the_newest_two_jobs_are_offered(jobs, index, page):
    query = parse_qs(urlsplit(link(page(f"/compare/?index={index}"), "against job")).query)
    assert query["a_job"] == [str(jobs[0])] and query["b_job"] == [str(jobs[1])]


def test_the_last_second_of_a_job(jobs, index, page, told):
    """It ends with the job's last packet, whatever other jobs have."""
    last = told(f"/jobs/{jobs[0]}/")["capture"]["last_time"]
    text = page(f"/explore/?{urlencode({'index': index, 'job': jobs[0]})}")
    query = parse_qs(urlsplit(link(text, "Last second")).query)
    assert query["job"] == [str(jobs[0])] and "to" not in query
    found = told(f"/packets/?{urlencode({'index': index, 'job': jobs[0], 'from': query['from'][0], 'limit': 1000})}")
    times = [one["time"] for one in told(f"/packets/?{urlencode({'index': index, 'job': jobs[0], 'limit': 1000})}")["packets"]]
    assert 0 < found["count"] == sum(time >= query["from"][0].removesuffix("Z") for time in times) < len(times)
    assert max(times).startswith(last[:19])
    # What is longer than the capture is not offered; back to all of it is, from a part.
    assert "Last day" not in text
    part = page(f"/explore/{link(text, 'Last second')}")
    assert "from" not in parse_qs(urlsplit(link(part, "All time")).query)


def test_values_by_bytes_and_by_values_of_another_field(jobs, index, page, told):
    asked = {"index": index, "field": "netsrc", "metric": "distinct:transdst", "order": "rare"}
    expected, text = told(f"/top/?{urlencode({**asked, 'n': 100})}"), page(f"/top/?{urlencode(asked)}")
    assert values(text) == [one["value"] for one in expected["values"]]
    shown = [int(one) for one in re.findall(r'</bdi></a>\s*<td class="n">(\d+)', text)]
    assert shown == [one["distinct"] for one in expected["values"]]
    # The other rankings keep the field and the order; a question that is asked from there keeps the ranking.
    assert parse_qs(urlsplit(link(text, "Bytes")).query)["order"] == ["rare"]
    assert '<input type="hidden" name="metric" value="distinct:transdst">' in text


def test_a_ranking_that_there_is_not(jobs, index):
    answer = Client(headers={"host": "localhost", "accept": "text/html"}).get(f"/top/?index={index}&field=netsrc&metric=speed")
    assert answer.status_code == 400
    assert "metric must be packets, bytes or distinct:FIELD" in answer.content.decode()


def test_whole_conversations_of_a_result(jobs, index, page, told):
    query = urlencode({"index": index, "q": "tcp.flags.syn == 1", "job": jobs[0]})
    asked = parse_qs(urlsplit(link(page(f"/explore/?{query}"), "Whole conversations")).query)
    assert asked["format"] == ["pcapng"] and "job" not in asked
    whole = told(f"/packets/?{urlencode({'index': index, 'q': asked['q'][0], 'lang': 'pql'})}")
    flows = told(f"/flows/?{urlencode({'index': index, 'q': 'tcp.flags.syn == 1', 'job': jobs[0], 'whole': 1})}")
    assert whole["count"] == flows["packets"] > told(f"/packets/?{query}")["count"]
