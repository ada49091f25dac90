"""Named("..."), named:...: each as its definition says, packet by packet, on both backends."""

from __future__ import annotations

import pytest

from proxy.flows.named import QUERIES
from tests.proxy.flows.conftest import CAPTURES
from tests.proxy.flows.naive import NAMED

MADE = len(CAPTURES)


def test_every_named_query_is_held_against_packets():
    assert set(NAMED) == set(QUERIES)


@pytest.mark.parametrize("name", QUERIES)
def test_as_packet_by_packet(indexed, packets, name):
    wanted = NAMED[name](packets)
    assert wanted, "nothing in the captures shows it"
    assert indexed.places(f'Named("{name}")') == wanted
    assert indexed.places(f"named:{name} && frame.number > 5") == {place for place in wanted if place[1] > 5}


def test_syns_of_the_made_capture(indexed):
    """By hand: what the definitions say of the packets in made.py."""
    job = indexed.jobs[MADE]
    numbers = {name: {n for _, n in indexed.places(f'Named("{name}")', job=job)} for name in QUERIES}
    assert numbers["unanswered-syn"] == {8, 10, 12, 14, 22, 42}
    assert numbers["refused-syn"] == {10}
    assert numbers["syn-ack-without-syn"] == {9, 19, 23, 46}  # 20 and 21 are of one who talks to its own port
    assert numbers["dns-unanswered"] == {26}
    assert numbers["ping-unanswered"] == {31, 32, 36}


def test_an_unknown_name_names_the_nearest(indexed):
    status, said = indexed.ask("/packets/", q="named:unanswered-sin")
    assert status == 400
    assert "unanswered-syn" in said["detail"]


@pytest.mark.parametrize("q", ["Named()", 'Named("reset", Row(job=1))', "Named(name=5)", "Named(Row(job=1))"])
def test_what_is_refused(indexed, q):
    assert indexed.ask("/packets/", q=q)[0] == 400
