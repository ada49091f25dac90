"""Pages and files of a conversation's payload, and its ladder."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.jobs import run_job
from tests.proxy.payload.tshark import fields, follow

CAPTURE = "protocols/zeek__http__bro.org.pcap"  # a segment is missing
UDP = "protocols/dpkt__dns_icmp.pcap"


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"})


@pytest.fixture
def capture(client, shared):
    path = shared / "pcaps" / CAPTURE
    run_job(path)
    return path


def sent(client: Client, column: int, side: str, **query: str) -> bytes:
    answer = client.get(f"/flows/net/{column}/payload/{side}", query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    said = b"".join(answer.streaming_content)
    assert answer["Content-Length"] == str(len(said))
    return said


@pytest.mark.needs("tshark")
def test_the_bytes_of_each_side_are_tsharks(client, capture):
    numbers = [one[0] for one in fields(capture, "tcp.stream")]
    streams = follow(capture, "tcp", 5)
    for stream, truth in enumerate(streams):
        column = numbers.index(str(stream))
        assert (sent(client, column, "initiator"), sent(client, column, "responder")) == truth.said

    # Page by page they are the same, and no byte stands twice
    stream = max(range(len(streams)), key=lambda one: len(streams[one].said[1]))
    at, said = 0, b""
    while at is not None:
        page = client.get(f"/flows/net/{numbers.index(str(stream))}/payload/?as=json&side=responder&size=5000&at={at}").json()
        said += b"".join(bytes.fromhex(chunk["bytes"]) for chunk in page["chunks"])
        at = page["next"]
    assert said == streams[stream].said[1]


@pytest.mark.needs("tshark")
def test_datagrams(client, shared):
    path = shared / "pcaps" / UDP
    run_job(path)
    numbers = [one[0] for one in fields(path, "udp.stream")]
    for stream, truth in enumerate(follow(path, "udp", 2)):
        column = numbers.index(str(stream))
        assert (sent(client, column, "initiator"), sent(client, column, "responder")) == truth.said
    page = client.get("/flows/net/4/payload/").content.decode()  # a ping
    assert "<strong>No payload to show.</strong>" in page
    assert client.get("/flows/net/4/payload/initiator").status_code == 404


def test_what_is_missing_is_said_and_zeros_keep_its_place(client, capture):
    said = client.get("/flows/net/0/payload/?as=json").json()
    whole = next(one for one in said["connections"] if one["number"] == 1)
    assert said["protocol"] == "TCP"
    for side in ("initiator", "responder"):
        tally = whole[side]
        assert len(sent(client, 0, side, missing="zeros")) == tally["bytes"] + tally["missing"]


@pytest.fixture
def told(client, tmp_path):
    """One connection: a request with hostile text, an answer of which a part was not captured, another connection then."""
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Ether
    from scapy.utils import wrpcap

    def one(away: bool, seq: int, ack: int, data: bytes = b"", flags: str = "PA"):
        ends = ({"src": "10.0.0.1", "dst": "10.0.0.2"}, {"sport": 4000, "dport": 80})
        if not away:
            ends = ({"src": "10.0.0.2", "dst": "10.0.0.1"}, {"sport": 80, "dport": 4000})
        return Ether() / IP(**ends[0]) / TCP(**ends[1], seq=seq, ack=ack, flags=flags) / data

    hostile = b"GET /<script>alert(1)</script>\x1b[31m HTTP/1.1\r\nCaf\xc3\xa9: \xff\xe2\x80\xae\r\n\r\n"
    packets = [
        one(True, 100, 0, flags="S"), one(False, 500, 101, flags="SA"), one(True, 101, 501, flags="A"),
        one(True, 101, 501, hostile), one(False, 501, 101 + len(hostile), b"first "),
        one(False, 517, 101 + len(hostile), b"third"), one(True, 101, 501, hostile),
        one(True, 101 + len(hostile), 522, flags="A"),
        one(True, 9000, 0, flags="S"), one(True, 9001, 0, b"again", flags="PA"),
    ]  # fmt: skip
    path = tmp_path / "told.pcap"
    wrpcap(str(path), packets)
    run_job(path)
    return hostile


def test_text_is_shown_and_does_nothing(client, told):
    page = client.get("/flows/net/3/payload/?show=text").content.decode()
    assert "GET /&lt;script&gt;alert(1)&lt;/script&gt;␛[31m HTTP/1.1\nCafé: .\ufffd" in page
    assert "<script>alert" not in page and "\x1b" not in page and "\u202e" not in page
    assert "first </pre>" in page and "10 bytes missing in the capture" in page and ">third</pre>" in page
    assert f"{len(told)} bytes came more than once" in page
    page = client.get("/flows/net/3/payload/?show=hex").content.decode()
    assert "<s>00000000</s>  47 45 54 20 2f 3c 73 63  72 69 70 74 3e 61 6c 65  GET /&lt;script&gt;ale" in page


def test_a_second_connection_of_the_same_ports(client, told):
    said = client.get("/flows/net/0/payload/?as=json").json()
    assert [(one["number"], one["packet"]) for one in said["connections"]] == [(1, 1), (2, 9)]
    assert said["connection"] == 1
    # The packet says which is meant
    assert client.get("/flows/net/9/payload/?as=json").json()["connection"] == 2
    assert sent(client, 9, "initiator") == b"again"
    assert sent(client, 0, "initiator", connection="2") == b"again"
    assert sent(client, 0, "responder") == b"first third"
    assert sent(client, 0, "responder", missing="zeros") == b"first " + bytes(10) + b"third"
    assert client.get("/flows/net/0/payload/?as=json&connection=3").status_code == 404


def test_the_ladder(client, told):
    page = client.get("/flows/net/3/").content.decode()
    rows = re.findall(r'<tr class="(there|back)( odd)?"( aria-current="true")?>(.*?)</tr>', page, re.S)
    assert [(row[0], bool(row[1]), bool(row[2])) for row in rows] == [
        ("there", False, False), ("back", False, False), ("there", False, False), ("there", False, True), ("back", False, False),
        ("back", True, False), ("there", True, False), ("there", True, False), ("there", False, False), ("there", False, False),
    ]  # fmt: skip
    notes = [re.findall(r'class="note-of">([^<]*)<', row[3]) for row in rows]
    assert notes[5:8] == [["Previous segment not captured"], ["Spurious Retransmission"], ["ACKed unseen segment"]]
    assert ">SYN, ACK</text>" in rows[1][3] and "Seq=0 Ack=1 " in rows[1][3]
    assert "Connection 2 between the same ports" in page
    assert 'href="/packets/net/3/"' in page


@pytest.mark.parametrize(
    ("query", "option"), [("side=both", "side"), ("show=runes", "show"), ("at=-1", "at"), ("connection=0", "connection")]
)
def test_what_is_wrong_is_named(client, told, query, option):
    answer = client.get(f"/flows/net/0/payload/?{query}", headers={"accept": "text/html"})
    assert answer.status_code == 400
    assert option in answer.content.decode()


def test_bytes_that_are_gone(client, told, settings):
    from capture.models import CaptureFile

    CaptureFile.objects.get().file.unlink()
    page = client.get("/flows/net/0/").content.decode()
    assert "The bytes of 10 of these packets are gone" in page and ">SYN, ACK</text>" in page
    assert "<strong>The bytes of this conversation are gone.</strong>" in client.get("/flows/net/0/payload/").content.decode()
    assert client.get("/flows/net/0/payload/responder").status_code == 404
