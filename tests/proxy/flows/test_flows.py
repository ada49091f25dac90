"""GET and POST /flows/: conversations with their figures, on both backends as packet by packet."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import pytest

from capture.packets.declarations.transport import TCP_FLAGS
from capture.services.describe import iso_ns
from tests.proxy.flows.conftest import CAPTURES, INDEX
from tests.proxy.flows.naive import End, Key, Seen, flow, syn

MADE = len(CAPTURES)


def conversations(packets: Iterable[Seen]) -> dict[Key, dict[str, Any]]:
    """The figures that /flows/ gives, of these packets."""
    of: dict[Key, list[Seen]] = {}
    for one in packets:
        if one.conversation:
            of.setdefault(one.conversation, []).append(one)
    return {key: _figures(some) for key, some in of.items()}


def _figures(some: list[Seen]) -> dict[str, Any]:
    by_time = sorted(some, key=lambda p: (p.packet.time is None, p.packet.time or 0, p.place))
    asking = [p for p in by_time if syn(p)]
    first = (asking or by_time)[0]
    times = [p.packet.time for p in some if p.packet.time is not None]
    return {
        "initiator": _end(some, first.source),
        "responder": _end(some, first.destination) if first.destination != first.source else _nobody(first.destination),
        "initiator_by": "syn" if asking else "first-packet",
        "packets": len(some),
        "bytes": sum(p.packet.length for p in some),
        "first": iso_ns(min(times)) if times else None,
        "first_ns": str(min(times)) if times else None,
        "last_ns": str(max(times)) if times else None,
        "duration_ns": str(max(times) - min(times)) if times else None,
    }


def _end(some: list[Seen], end: End) -> dict[str, Any]:
    mine = [p for p in some if p.source == end]
    flags = {flag for p in mine for flag in p.packet.fields.get("tcp", ())}
    return {
        **_nobody(end),
        "packets": len(mine),
        "bytes": sum(p.packet.length for p in mine),
        "flags": [flag for flag in TCP_FLAGS if flag in flags],
    }


def _nobody(end: End) -> dict[str, Any]:
    address, port = end
    return {"address": address, "port": int(port) if port else None, "packets": 0, "bytes": 0, "flags": []}


def listed(indexed, said: Any) -> dict[Key, dict[str, Any]]:
    """The conversations of an answer, by what they are."""
    return {(indexed.jobs.index(one["job"]), one["vlan_stack"] or "", one["community_id"]): one for one in said["flows"]}


def every(indexed, **query: Any) -> dict[Key, dict[str, Any]]:
    """All conversations of a question, page by page; the pages are what they should be."""
    out: dict[Key, dict[str, Any]] = {}
    cursor, count = "", None
    while cursor is not None:
        said = indexed.get("/flows/", limit=101, cursor=cursor, **query)
        page = listed(indexed, said)
        assert not page.keys() & out.keys()
        out |= page
        assert count in (None, said["count"])
        count, cursor = said["count"], said["next"]
    assert len(out) == count
    return out


def held_against(found: dict[Key, dict[str, Any]], wanted: dict[Key, dict[str, Any]]) -> None:
    assert found.keys() == wanted.keys()
    for key, figures in wanted.items():
        assert {name: found[key][name] for name in figures} == figures, key


QUESTIONS = {
    "": lambda p: True,
    "Row(port=443)": lambda p: p.packet.has("port", "443"),
    "Row(vlan-stack=100)": lambda p: p.value("vlan-stack") == "100",
    "udp || icmp": lambda p: p.packet.fields.get("protocols", frozenset()) & {"udp", "icmp"},
    'Row(tcp="SYN")': lambda p: p.flags("SYN"),
}


@pytest.mark.parametrize("q", QUESTIONS)
def test_figures_over_the_packets_of_a_question(indexed, packets, q):
    chosen = [p for p in packets if QUESTIONS[q](p)]
    held_against(every(indexed, q=q), conversations(chosen))
    said = indexed.get("/flows/", q=q, limit=1)
    within = [p for p in chosen if p.conversation]
    assert (said["packets"], said["bytes"]) == (len(within), sum(p.packet.length for p in within))
    assert said["without_conversation"] == {
        "packets": len(chosen) - len(within),
        "bytes": sum(p.packet.length for p in chosen if not p.conversation),
    }


@pytest.mark.parametrize("q", ['Row(tcp="RST")', "dns", "arp"])
def test_whole_conversations(indexed, packets, q):
    chosen = {
        'Row(tcp="RST")': lambda p: p.flags("RST"),
        "dns": lambda p: p.packet.has("protocols", "dns"),
        "arp": lambda p: p.packet.has("protocols", "arp"),
    }[q]
    whole = flow(packets, chosen)
    held_against(every(indexed, q=q, whole=1), conversations(p for p in packets if p.place in whole))
    others = sum(chosen(p) and not p.conversation for p in packets)
    assert indexed.get("/flows/", q=q, whole=1)["without_conversation"]["packets"] == others


def test_of_jobs_and_times(indexed, packets):
    job = indexed.jobs[MADE]
    mine = [p for p in packets if p.place[0] == MADE]
    held_against(every(indexed, job=job), conversations(mine))
    begin = min(p.packet.time for p in mine)
    since, until = begin + 1_000_000_000, begin + 3_000_000_000
    chosen = [p for p in mine if since <= p.packet.time < until]
    held_against(every(indexed, job=job, **{"from": iso_ns(since), "to": iso_ns(until)}), conversations(chosen))


@pytest.mark.parametrize("order", ["packets", "bytes", "first", "last", "duration"])
def test_orders(indexed, packets, order):
    name = {"first": "first_ns", "last": "last_ns", "duration": "duration_ns"}.get(order, order)
    found = [int(one[name]) for one in every(indexed, order=order).values()]
    assert found == sorted(found, reverse=order != "first")
    assert len(set(found)) > 8


def test_the_initiator_is_who_sent_the_first_syn(indexed, packets):
    """A capture that begins with an answer: the SYN counts, and where there is none the first packet."""
    found = {(one["initiator"]["port"], one["responder"]["port"]): one for one in every(indexed, job=indexed.jobs[MADE]).values()}
    assert found[(80, 1007)]["initiator_by"] == "first-packet"
    assert found[(1002, 80)]["initiator_by"] == "syn"
    assert found[(1003, 80)]["responder"]["flags"] == ["RST", "ACK"]
    assert found[(5000, 5000)]["responder"]["packets"] == 0


def test_each_leads_to_its_packets(indexed, packets):
    of: dict[Key, set[Any]] = {}
    for p in packets:
        if p.conversation:
            of.setdefault(p.conversation, set()).add(p.place)
    for key, one in list(listed(indexed, indexed.get("/flows/", job=indexed.jobs[MADE])).items())[:12]:
        assert indexed.places(one["pql"]) == of[key]
        status, body = indexed.peer.ask("GET", one["url"], headers={"Host": f"localhost:{indexed.peer.port}"})
        assert (status, json.loads(body)["count"]) == (200, len(of[key]))
        whole = indexed.get(one["flow"])["flow"]
        assert whole == one


def test_a_packet_without_a_conversation_has_no_page(indexed, packets):
    arp = indexed.get("/packets/", q="arp", job=indexed.jobs[MADE])["packets"][0]
    status, said = indexed.ask(f"/flows/{INDEX}/{arp['column']}/")
    assert status == 404 and "Community ID" in said["detail"]
    assert indexed.ask(f"/flows/{INDEX}/99999999/")[0] == 404
    assert indexed.ask(f"/flows/nosuch/{arp['column']}/")[0] == 404


def test_a_long_question_as_a_form(indexed):
    headers = {"Host": f"localhost:{indexed.peer.port}", "Content-Type": "application/x-www-form-urlencoded"}
    status, body = indexed.peer.ask("POST", "/flows/", urlencode({"index": INDEX, "q": "tcp"}).encode(), headers)
    assert status == 200
    assert json.loads(body)["flows"] == indexed.get("/flows/", q="tcp")["flows"]


@pytest.mark.parametrize(
    ("query", "option"),
    [
        ({"order": "size"}, "order"),
        ({"whole": "yes"}, "whole"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"cursor": "7"}, "cursor"),
        ({"cursor": "99999999999999999999.1"}, "cursor"),
    ],
)
def test_what_is_refused(indexed, query, option):
    status, said = indexed.ask("/flows/", **query)
    assert (status, said["option"]) == (400, option)


def test_named_queries_are_listed(indexed):
    said = indexed.get("/named/")
    assert "unanswered-syn" in {one["name"] for one in said}
    for one in said:
        assert indexed.get("/packets/", q=one["display"], limit=1)["pql"] == one["pql"]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
def test_tshark_counts_the_same_tcp_conversations(indexed, shared):
    """Where a 5-tuple is one connection, a conversation is what tshark's is."""
    name = "protocols/zeek__wikipedia.pcap"
    done = subprocess.run(
        ["tshark", "-n", "-q", "-r", shared / "pcaps" / name, "-z", "conv,tcp"], capture_output=True, text=True, check=True
    )
    # A <-> B, then frames, size and unit of what B sent, of what A sent, of both
    lines = [words for line in done.stdout.splitlines() if "<->" in (words := line.split())]
    assert {word for words in lines for word in (words[5], words[8])} == {"bytes"}
    theirs = {
        frozenset([(one, int(words[6]), int(words[7])), (other, int(words[3]), int(words[4]))])
        for words in lines
        for one, other in [(words[0], words[2])]
    }
    found = every(indexed, q="tcp", job=indexed.jobs[CAPTURES.index(name)]).values()
    ours = {
        frozenset(
            (f"{end['address']}:{end['port']}", end["packets"], end["bytes"]) for end in (one["initiator"], one["responder"])
        )
        for one in found
    }
    assert ours == theirs
    assert len(ours) == len(lines) > 5
