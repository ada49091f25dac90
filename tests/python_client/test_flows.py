"""Conversations are those that are in the capture, each side with what it sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether

from picapweb_client import Client, End, Flow, Job, NotFound
from tests.python_client.made import FIRST_NS, STEP_NS, packets_made, written

ASKS, ANSWERS = ("10.1.0.1", 50000), ("10.1.0.2", 443)


def tcp(sender: tuple[str, int], receiver: tuple[str, int], flags: str, size: int):
    return Ether() / IP(src=sender[0], dst=receiver[0]) / TCP(sport=sender[1], dport=receiver[1], flags=flags) / bytes(size)


TALK = [
    Ether() / ARP(psrc=ASKS[0], pdst=ANSWERS[0]),
    tcp(ASKS, ANSWERS, "S", 0),
    tcp(ANSWERS, ASKS, "SA", 0),
    tcp(ASKS, ANSWERS, "A", 0),
    tcp(ASKS, ANSWERS, "PA", 100),
    tcp(ANSWERS, ASKS, "PA", 1000),
    tcp(("10.1.0.3", 50001), ANSWERS, "S", 0),
]


@pytest.fixture(scope="module")
def talk(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    job = client.upload(written(TALK, tmp_path_factory.mktemp("talk") / "talk.pcap"), wait=180)
    yield job
    job.delete()


def test_both_sides_of_a_conversation(client: Client, talk: Job):
    first, second = client.flows(jobs=talk)
    sizes = [len(one) for one in TALK]
    assert first.initiator == End(*ASKS, 3, sizes[1] + sizes[3] + sizes[4], ("SYN", "PSH", "ACK"))
    assert first.responder == End(*ANSWERS, 2, sizes[2] + sizes[5], ("SYN", "PSH", "ACK"))
    assert (first.initiator_by, first.packets, first.job, first.protocol) == ("syn", 5, talk.id, "TCP")
    assert (first.first_ns, first.last_ns) == (FIRST_NS + STEP_NS, FIRST_NS + 5 * STEP_NS)
    assert first.duration_ns == 4 * STEP_NS
    assert client.count(first.pql) == 5
    assert (second.packets, second.responder.packets, second.responder.flags) == (1, 0, ())
    about = client.flows(jobs=talk).about()
    assert (about.count, about.packets, about.other_packets, about.other_bytes) == (2, 6, 1, sizes[0])
    assert client.flow(first.column) == first
    with pytest.raises(NotFound):
        client.flow(10**15)


def test_only_what_is_asked_for_or_the_whole(client: Client, talk: Job):
    (part,) = client.flows("tcp.flags.push == 1", jobs=talk)
    (whole,) = client.flows("tcp.flags.push == 1", jobs=talk, whole=True)
    assert (part.packets, whole.packets) == (2, 5)


@pytest.mark.parametrize("limit", [None, 0, 1, 7, 8, 40, 50])
def test_flows_come_over_all_pages(client: Client, job: Job, limit: int | None):
    flows: list[Flow] = list(client.flows(jobs=job, page_size=7, limit=limit, order="first"))
    ports = [one.payload.payload.sport for one in packets_made()]
    assert [one.initiator.port for one in flows] == ports[:limit]


def test_a_table_of_flows(client: Client, talk: Job):
    flows = client.flows(jobs=talk)
    frame = flows.to_pandas()
    assert str(frame["first"].dtype) == "datetime64[ns, UTC]"
    assert frame["initiator_packets"].tolist() == [3, 1] and frame["duration_ns"].tolist() == [4 * STEP_NS, 0]
    assert frame["responder_flags"].tolist() == [("SYN", "PSH", "ACK"), ()]
    assert flows.to_arrow()["initiator_address"].to_pylist() == ["10.1.0.1", "10.1.0.3"]


def test_named_queries_can_be_asked(client: Client, talk: Job, tmp_path: Path):
    named = {one.name: one for one in client.named_queries()}
    query = named["unanswered-syn"]
    assert query.sentence and query.definition
    found = [[one.number for one in client.packets(q, jobs=talk)] for q in (query.display, query.pql)]
    assert found == [[7], [7]]
