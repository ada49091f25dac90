"""What the second pass found, on the pages of conversations and packets: marks with words, colour and legend, and numbers."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from capture.models import ConversationPass, PassState
from capture.packets.declarations.conversations import TCP_ANALYSIS
from proxy.flows.marks import MARKS, found, legend, noted
from proxy.flows.tcp_notes import DUP_ACK, LOST, RETRANSMISSION, WRONG
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/zeek__smtp.pcap"

pytestmark = pytest.mark.needs("../shared")


@pytest.fixture
def job(data, index, shared):
    return run_job(shared / CAPTURE, index=index)


@pytest.fixture
def page(index):
    client = Client(headers={"host": "localhost", "accept": "text/html"})

    def page(url: str) -> str:
        answer = client.get(url)
        assert answer.status_code == 200, answer.content
        return answer.content.decode()

    return page


@pytest.fixture
def told(index):
    client = Client(headers={"host": "localhost"})
    return lambda q, **more: client.get("/packets/", {"index": index, "q": q, "limit": 1000, **more}).json()


def marks(text: str) -> dict[int, list[str]]:
    """Number of a packet of the ladder -> its marks."""
    row = r'<tr class="(?:there|back)[^>]*><td class="n"><a class="to" href="[^"]*">([0-9,]+)</a>(.*?)</tr>'
    rows = re.findall(row, text, re.DOTALL)
    shown = {int(number.replace(",", "")): re.findall(r'class="note-of">([^<]*)<', cells) for number, cells in rows}
    return {number: words for number, words in shown.items() if words}


def test_every_value_has_a_mark_of_its_own():
    assert tuple(sorted(MARKS)) == tuple(sorted(TCP_ANALYSIS))
    assert len({mark.words for mark in MARKS.values()}) == len(MARKS)
    assert {mark.words for mark in MARKS.values()} >= WRONG


def test_the_index_says_which_and_the_segment_which_of_several():
    (note,) = found(["dup-ack"], [f"{DUP_ACK} #3"])
    assert (note.words, note.mark.kind) == ("Dup ACK #3", "ack")
    assert [note.words for note in found(["lost-segment", "dup-ack"], [RETRANSMISSION])] == [LOST, DUP_ACK]
    assert legend([*found(["dup-ack"], []), *noted([f"{DUP_ACK} #1", RETRANSMISSION])]) == [
        MARKS["retransmission"], MARKS["dup-ack"]
    ]  # fmt: skip


def test_the_ladder_shows_what_is_indexed(job, index, page, told):
    packets = told("tcp-analysis", fields="tcp-analysis")["packets"]
    expected = {one["number"]: [MARKS[value].words for value in one["fields"]["tcp-analysis"]] for one in packets}
    assert len(expected) >= 8
    shown: dict[int, list[str]] = {}
    seen: set[str] = set()
    for one in packets:
        text = page(f"/flows/{index}/{one['column']}/")
        shown |= marks(text)
        legend = dict(re.findall(r'<b data-kind="\w+" class="note-of">([^<]*)</b></dt><dd>([^<]*)</dd>', text))
        assert set(legend) == {words.partition(" #")[0] for some in marks(text).values() for words in some}
        seen |= set(legend)
    assert {number: [words.partition(" #")[0] for words in some] for number, some in shown.items()} == expected
    assert len(seen) >= 3


def test_until_the_pass_is_done_the_segments_are_looked_at(job, index, page, told, monkeypatch):
    (one, *_) = told("tcp.analysis.retransmission")["packets"]
    url = f"/flows/{index}/{one['column']}/"
    monkeypatch.setattr("proxy.flows.marks.MARKS", {})  # what would be taken of the index
    ConversationPass.objects.update_or_create(job=job, defaults={"state": PassState.RUNNING})
    text = page(url)
    assert any("Retransmission" in words for some in marks(text).values() for words in some)


def test_the_conversation_says_how_it_went(job, index, page, told):
    (one, *_) = told("tcp-irtt-us > 100000")["packets"]
    text = page(f"/flows/{index}/{one['column']}/")
    section = re.search(r'<dl class="facts inset flow-health">(.*?)</dl>', text, re.S)[1]
    words = html.unescape(re.sub("<[^>]+>", " ", section))
    assert re.search(r"Handshakes\s+1 complete\s+·\s+1 timed: \d+ ms on average", words)
    assert "Round trips of TCP" in words


def test_a_packet_says_what_it_is_and_how_long_it_took(job, index, page, told):
    (one, *_) = told("tcp.analysis.retransmission", fields="tcp-analysis")["packets"]
    text = page(one["url"])
    (value,) = one["fields"]["tcp-analysis"]
    assert f'class="note-of">{MARKS[value].words}</b> {MARKS[value].about}</p>' in text
    assert f'data-field="tcp-analysis" data-value="{value}"' in text
    (one, *_) = told("tcp-irtt-us", fields="tcp-irtt-us")["packets"]
    (number,) = one["fields"]["tcp-irtt-us"]
    text = page(one["url"])
    shown = re.search(rf'<a href="([^"]*)" data-field="tcp-irtt-us" data-value="{number}">', text)
    assert shown is not None and re.search(rf'data-value="{number}">.*?<span class="dim">[0-9.]+ (µs|ms|s)</span>', text)
    client = Client(headers={"host": "localhost"})
    assert client.get(html.unescape(shown[1]).replace("/explore/", "/packets/")).json()["count"] >= 1
    values = {one["field"]: one for one in client.get(one["url"]).json()["values"]}
    assert values["tcp-irtt-us"]["value"] == number and values["tcp-handshake"]["value"] == "complete"
