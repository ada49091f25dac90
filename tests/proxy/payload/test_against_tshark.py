"""Segments, the bytes of connections, relative numbers and notes: as tshark has them, on captures with losses too."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from pathlib import Path

import pytest

from capture.packets.segment import TCP, Segment, segment
from proxy.flows.stream import Connection
from proxy.flows.tcp_notes import Notes
from tests.conftest import needs
from tests.proxy.payload import captures
from tests.proxy.payload.tshark import fields, follow

LINKS = ("tunnels/arkime__twovlan.pcap", "tunnels/mercury__pppoe_double_vlan_tagging.pcap", "protocols/nfstream__http_ipv6.pcap")
MADE = [(name, seed) for name in captures.REAL[1:] for seed in (1, 2)]
# In captures that are made worse tshark 4.0 does not always see these where we do, and tells these kinds apart by times
WORSE = "worse.pcap"
UNSEEN, AGAIN = "ACKed unseen segment", ("Retransmission", "Fast Retransmission", "Out-Of-Order")


@pytest.fixture(params=[*captures.REAL, *MADE], ids=lambda one: one if isinstance(one, str) else f"{one[0]} made worse {one[1]}")
def capture(request, shared, tmp_path) -> Path:
    needs("tshark")
    if isinstance(request.param, str):
        return shared / "pcaps" / request.param
    name, seed = request.param
    return captures.worse(shared / "pcaps" / name, tmp_path / WORSE, seed)


def end(one: Segment) -> str:
    return f"{ip_address(one.source)}:{one.source_port}"


@pytest.mark.needs("tshark")
@pytest.mark.parametrize("name", [*captures.REAL, *LINKS])
def test_segments(shared, name):
    path = shared / "pcaps" / name
    truth = fields(
        path, "tcp.srcport", "udp.srcport", "tcp.dstport", "udp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags",
        "tcp.window_size_value", "tcp.len", "udp.length", "tcp.options.mss_val", "tcp.options.wscale.shift", "icmp.type",
    )  # fmt: skip
    seen = 0
    for (data, linktype, wire, _), one in zip(captures.packets(path), truth, strict=True):
        found = segment(data, linktype, wire)
        tcp_port, udp_port = one[:2]
        if one[-1] or not (tcp_port or udp_port):
            continue  # a quoted header is tshark's, too
        assert found is not None
        seen += 1
        assert str(found.source_port) == (tcp_port or udp_port)
        assert str(found.destination_port) == (one[2] or one[3])
        if udp_port:
            assert found.length == int(one[9]) - 8
            continue
        assert (found.sequence, found.window, found.length) == (int(one[4]), int(one[7]), int(one[8]))
        assert found.flags == int(one[6], 16) & 0x1FF
        assert not found.flags & 16 or found.acknowledgement == int(one[5])
        assert found.mss == (int(one[10]) if one[10] and found.flags & 2 else None)
        assert found.shift == (int(one[11]) if one[11] and found.flags & 2 else None)
    assert seen > 2


def test_bytes_of_connections(capture):
    """But for what still waits at the end: tshark leaves it out."""
    numbers = [one[0] for one in fields(capture, "tcp.stream")]
    count = 1 + max(int(number) for number in numbers if number)
    streams = follow(capture, "tcp", count)
    made = [Connection() for _ in range(count)]
    said = [[b"", b""] for _ in range(count)]
    lost = [False] * count
    for place, ((data, linktype, wire, _), number) in enumerate(zip(captures.packets(capture), numbers, strict=True)):
        one = segment(data, linktype, wire)
        if not number or one is None or one.protocol != TCP:
            continue
        stream = int(number)
        side = 0 if end(one) == streams[stream].ends[0] else 1
        for chunk in made[stream].add(side, place, one, data[one.start : one.start + one.captured]):
            said[stream][chunk.side] += chunk.data
            lost[stream] |= chunk.missing > 0
    assert [tuple(one) for one in said] == [one.said for one in streams]
    assert [one for one, truth in zip(lost, streams, strict=True) if truth.lost] == [True] * sum(one.lost for one in streams)


NOTES = {
    "tcp.analysis.retransmission": "Retransmission",
    "tcp.analysis.fast_retransmission": "Fast Retransmission",
    "tcp.analysis.spurious_retransmission": "Spurious Retransmission",
    "tcp.analysis.out_of_order": "Out-Of-Order",
    "tcp.analysis.lost_segment": "Previous segment not captured",
    "tcp.analysis.ack_lost_segment": "ACKed unseen segment",
    "tcp.analysis.duplicate_ack": "Dup ACK",
    "tcp.analysis.keep_alive": "Keep-Alive",
    "tcp.analysis.keep_alive_ack": "Keep-Alive ACK",
    "tcp.analysis.zero_window": "ZeroWindow",
    "tcp.analysis.window_update": "Window Update",
    "tcp.analysis.window_full": "Window Full",
}


def test_relative_numbers_and_notes(capture):
    truth = fields(capture, "tcp.stream", "tcp.seq", "tcp.ack", "tcp.window_size", *NOTES)
    notes: dict[str, Notes] = {}
    ends: dict[str, str] = {}
    found, expected = Counter(), Counter()
    for place, ((data, linktype, wire, time_ns), said) in enumerate(zip(captures.packets(capture), truth, strict=True), 1):
        one = segment(data, linktype, wire)
        stream = said[0]
        if not stream or one is None or one.protocol != TCP:
            continue
        side = 0 if end(one) == ends.setdefault(stream, end(one)) else 1
        noted = notes.setdefault(stream, Notes()).add(side, one, time_ns)
        assert noted.sequence == int(said[1])
        if one.flags & 16:
            assert noted.acknowledgement == int(said[2])
        found.update((place, note.partition(" #")[0]) for note in noted.notes if not note.startswith("ZeroWindowProbe"))
        marks = [name for name, mark in zip(NOTES.values(), said[4:], strict=True) if mark]
        if "Spurious Retransmission" in marks or "Fast Retransmission" in marks:
            marks = [name for name in marks if name != "Retransmission"]  # tshark says both
        expected.update((place, name) for name in marks)
    if capture.name == WORSE:
        found, expected = (Counter({key: n for key, n in map(coarse, one.items()) if key}) for one in (found, expected))
    assert sorted(found - expected) == sorted(expected - found) == []


def coarse(one: tuple[tuple[int, str], int]) -> tuple[tuple[int, str] | None, int]:
    (place, note), number = one
    return (None if note == UNSEEN else (place, AGAIN[0] if note in AGAIN else note)), number
