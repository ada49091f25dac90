"""Flow(q), flow(q): all packets of the conversations of q, on both backends as packet by packet."""

from __future__ import annotations

import random

import pytest

from tests.proxy.flows.conftest import CAPTURES
from tests.proxy.flows.made import one
from tests.proxy.flows.naive import flow, syn

MADE, OTHER = len(CAPTURES), len(CAPTURES) + 1
QUESTIONS = {
    'Flow(Row(tcp="RST"))': lambda p: p.flags("RST"),
    'Flow(Row(dns-qname="n2.example"))': lambda p: p.packet.has("dns-qname", "n2.example"),
    'Flow(Difference(Row(tcp="SYN"), Row(tcp="ACK")))': syn,
    'Flow(Row(vlan-stack="100,200"))': lambda p: p.value("vlan-stack") == "100,200",
    "flow(vlan)": lambda p: p.packet.has("protocols", "vlan"),
    "flow(icmp || icmpv6)": lambda p: p.packet.has("protocols", "icmp") or p.packet.has("protocols", "icmpv6"),
    "flow(arp)": lambda p: p.packet.has("protocols", "arp"),
    "flow(tls.handshake.type == 1)": lambda p: p.packet.has("tls-handshake", "1"),
    "flow(frame)": lambda p: True,
    "Flow(Union())": lambda p: False,
}


@pytest.mark.parametrize("q", QUESTIONS)
def test_all_packets_of_the_conversations(indexed, packets, q):
    assert indexed.places(q) == flow(packets, QUESTIONS[q])


def test_of_single_packets(indexed, packets):
    for chosen in random.Random(3).sample(packets, 12):
        capture, number = chosen.place
        q = f"Flow(Intersect(Row(job={indexed.jobs[capture]}), FrameNumber(from={number}, to={number})))"
        assert indexed.places(q) == flow(packets, lambda p, place=chosen.place: p.place == place)


def test_one_community_id_is_several_conversations(indexed, packets):
    """The first SYN stands, with the same addresses and ports, in two jobs and in five networks of one of them."""
    first = next(p for p in packets if p.place == (MADE, 1))
    same = [p for p in packets if p.value("community-id") == first.value("community-id")]
    assert len({p.conversation for p in same}) == 7
    job = indexed.jobs[MADE]
    assert indexed.places(f"Flow(Intersect(Row(job={job}), FrameNumber(to=1)))") == {(MADE, 1), (MADE, 2), (MADE, 3)}
    assert indexed.places("Flow(FrameNumber(to=1))", job=indexed.jobs[OTHER]) == {(OTHER, 1), (OTHER, 2)}
    hundred = next(i for i, frame in enumerate(one(), 1) if frame.haslayer("Dot1Q") and frame["Dot1Q"].vlan == 100)
    assert indexed.places(f"Flow(FrameNumber(from={hundred}, to={hundred}))", job=job) == {(MADE, hundred), (MADE, hundred + 6)}


def test_packets_without_a_community_id_are_of_no_conversation(indexed, packets):
    without = [p for p in packets if p.conversation is None]
    assert {p.value("netsrc") for p in without} >= {""}  # ARP
    assert not indexed.places("flow(frame)") & {p.place for p in without}


def test_it_stands_where_a_bitmap_call_may_stand(indexed, packets):
    reset = flow(packets, lambda p: p.flags("RST"))
    syns = {p.place for p in packets if syn(p)}
    places = {p.place: p for p in packets}
    q = 'Difference(Row(tcp="SYN"), Row(tcp="ACK"))'
    assert indexed.query(f'Count(Intersect(Flow(Row(tcp="RST")), {q}))') == len(reset & syns)
    assert indexed.query(f'Count(Difference({q}, Flow(Row(tcp="RST"))))') == len(syns - reset)
    assert indexed.places(f'Flow(Intersect({q}, Not(Flow(Row(tcp="RST")))))') == flow(packets, lambda p: p.place in syns - reset)
    ports: dict[str, int] = {}
    for place in reset:
        ports[places[place].value("transdst")] = ports.get(places[place].value("transdst"), 0) + 1
    top = indexed.query('TopN(transdst, Flow(Row(tcp="RST")))')
    assert {pair["key"]: pair["count"] for pair in top} == ports
    groups = indexed.query('GroupBy(Rows(transdst), filter=Flow(Row(tcp="RST")))')
    assert {group["group"][0]["rowKey"]: group["count"] for group in groups} == ports


def test_the_text_that_is_shown_means_the_same(indexed):
    said = indexed.get("/packets/", q="flow(tcp.flags.reset == 1) && named:unanswered-syn", limit=1)
    assert "Flow(Union(Row(tcp" in said["pql"] and 'Named("unanswered-syn")' in said["pql"]
    assert indexed.get("/packets/", q=said["pql"], lang="pql", limit=1)["count"] == said["count"]


@pytest.mark.parametrize("q", ["Flow()", "Flow(Row(job=1), Row(job=2))", "Flow(Row(job=1), n=3)", "Flow(Count(Row(job=1)))"])
def test_what_is_refused(indexed, q):
    status, said = indexed.ask("/packets/", q=q)
    assert status == 400
    assert "Flow()" in said["detail"] or "Count" in said["detail"]
