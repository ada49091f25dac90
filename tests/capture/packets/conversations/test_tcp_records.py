"""Which TCP segment of a packet the second pass takes, and what it keeps of it."""

from __future__ import annotations

import os

os.environ.setdefault("SCAPY_USE_LIBPCAP", "no")

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scapy.contrib.gtp import GTP_U_Header
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment
from scapy.layers.l2 import GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from capture.packets.conversations import tcp
from capture.packets.conversations.tcp_segments import BACKWARD, BOGUS, FRAGMENT, NO_SHIFT, SACK, SEGMENT, SHORT
from capture.packets.conversations.tcp_table import HEAD, same
from tests.capture.packets.conversations.tcp_made import START, Talk
from tests.capture.packets.making import batch_of

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
OUTER = IP(src="192.0.2.1", dst="192.0.2.2")
SIX = {"10.0.0.1": "2001:db8::1", "10.0.0.2": "2001:db8::2"}

Below = Callable[[str, str], Packet]
BELOW: dict[str, Below] = {
    "ipv6": lambda a, b: ETHER / IPv6(src=SIX[a], dst=SIX[b]),
    "ipv6 with options": lambda a, b: ETHER / IPv6(src=SIX[a], dst=SIX[b]) / IPv6ExtHdrDestOpt(),
    "ipv4 with options": lambda a, b: ETHER / IP(src=a, dst=b, options=b"\x07\x07\x04" + bytes(4)),
    "vlan": lambda a, b: ETHER / Dot1Q(vlan=7) / IP(src=a, dst=b),
    "two vlans": lambda a, b: ETHER / Dot1AD(vlan=5) / Dot1Q(vlan=7) / IPv6(src=SIX[a], dst=SIX[b]),
    "pppoe": lambda a, b: ETHER / PPPoE(sessionid=1) / PPP() / IP(src=a, dst=b),
    "gre": lambda a, b: ETHER / OUTER / GRE() / IP(src=a, dst=b),
    "ipip": lambda a, b: ETHER / OUTER / IP(src=a, dst=b),
    "6in4": lambda a, b: ETHER / OUTER / IPv6(src=SIX[a], dst=SIX[b]),
    "vxlan": lambda a, b: ETHER / OUTER / UDP(sport=9, dport=4789) / VXLAN(vni=3, flags=8) / ETHER / IP(src=a, dst=b),
    "gtp": lambda a, b: ETHER / OUTER / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=1, gtp_type=255) / IP(src=a, dst=b),
}


class Below_(Talk):
    """A Talk over something else."""

    how: Below

    def below(self, source: str, destination: str) -> Packet:
        return type(self).how(source, destination)


def _talk(how: Below) -> Talk:
    made = type("Over", (Below_,), {"how": staticmethod(how)})
    talk: Talk = made()
    talk.opened(scale=3)
    talk.c("PA", 101, 1, b"x" * 100)
    talk.c("PA", 1, 1, b"x" * 100)
    talk.s("A", 1, 201)
    return talk


@pytest.mark.parametrize("name", sorted(BELOW))
def test_what_is_below_changes_nothing_of_the_analysis(name: str) -> None:
    expected = _talk(lambda a, b: ETHER / IP(src=a, dst=b)).said()
    assert expected["tcp-analysis"][3:5] == [{"lost-segment"}, {"out-of-order"}]
    assert _talk(BELOW[name]).said() == expected


def one(*packets: Packet, **more: Any) -> NDArray[Any]:
    """The records of packets."""
    return tcp.records(batch_of(*map(bytes, packets), times=[START] * len(packets), **more), 50)


def test_what_is_kept_of_a_segment() -> None:
    options = [("MSS", 1400), ("NOP", None), ("WScale", 7), ("SAckOK", b"")]
    header = TCP(sport=80, dport=40000, seq=7, ack=9, flags="SEC", window=77, options=options)
    syn = ETHER / IP(src="10.0.0.2", dst="10.0.0.1") / header
    (record,) = one(ETHER / IP() / UDP(), syn)
    kept = {name: record[name].item() for name in record.dtype.names if name != "hash"}
    assert kept == {
        "column": 51, "time_ns": START, "first_high": 0, "first_low": 0x0A000001, "second_high": 0, "second_low": 0x0A000002,
        "ports": 40000 << 16 | 80, "vlans": 0, "seq": 7, "ack": 9, "length": 0, "flags": 0xC2, "window": 77,
        "mss": 1400, "shift": 7, "marks": BACKWARD | SACK,
    }  # fmt: skip


def test_a_shift_is_14_at_most_and_only_of_syns() -> None:
    segment = ETHER / IP() / TCP(flags="S", options=[("WScale", 200)])
    other = ETHER / IP() / TCP(flags="A", options=[("WScale", 3)])
    assert one(segment, other)["shift"].tolist() == [14, NO_SHIFT]


def test_length_is_that_on_the_wire_without_padding() -> None:
    whole = bytes(ETHER / IP() / TCP() / Raw(b"x" * 100))
    cut = batch_of(whole[:60], wire=len(whole), times=[START])
    assert tcp.records(cut, 0)["length"].tolist() == [100]
    padded = batch_of(bytes(ETHER / IP() / TCP() / Raw(b"x")) + bytes(5), times=[START])
    assert tcp.records(padded, 0)["length"].tolist() == [1]
    offloaded = bytearray(whole)
    offloaded[16:18] = bytes(2)  # total length left to the network card
    assert tcp.records(batch_of(bytes(offloaded), times=[START]), 0)["length"].tolist() == [100]


def test_what_has_no_segment() -> None:
    quoted = ETHER / IP() / ICMP(type=3) / IP() / TCP()
    later = ETHER / IP(frag=4) / TCP()
    late6 = ETHER / IPv6() / IPv6ExtHdrFragment(offset=3, m=1, nh=6) / TCP()
    cut = bytes(ETHER / IP() / TCP())[:-1]
    assert len(one(quoted, later, late6)) == 0
    assert len(tcp.records(batch_of(cut, wire=54, times=[START]), 0)) == 0


def test_headers_that_are_wrong() -> None:
    bogus = bytes(ETHER / IP() / TCP(dataofs=4) / Raw(b"xx"))
    short = bytes(ETHER / IP() / TCP(dataofs=8))
    assert one(bogus, short)["marks"].tolist() == [BOGUS, SHORT]  # type: ignore[arg-type]


def test_first_fragments() -> None:
    """Of an outer packet the inner header says the length; of the segment's own packet there is more than is here."""
    inner = IP(src="10.0.0.1", dst="10.0.0.2") / TCP() / Raw(b"x" * 1000)
    outer = bytes(ETHER / IP(flags="MF", proto=4) / Raw(bytes(inner)[:400]))
    own = bytes(ETHER / IP(flags="MF") / TCP(sport=1, dport=2) / Raw(b"x" * 380))
    six = bytes(ETHER / IPv6() / IPv6ExtHdrFragment(m=1, nh=6) / TCP(sport=1, dport=2) / Raw(b"x" * 380))
    records = one(outer, own, six)  # type: ignore[arg-type]
    assert records["length"].tolist() == [1000, 380, 380]
    assert (records["marks"] & FRAGMENT).tolist() == [0, FRAGMENT, FRAGMENT]


def test_what_follows_a_first_fragment_is_not_lost() -> None:
    talk = Talk().opened()
    first = talk.c("PA", 1, 1, b"x" * 380)
    fragment = bytearray(talk.packets[first])
    fragment[20] |= 0x20  # more fragments
    talk.packets[first] = bytes(fragment)
    talk.s("A", 1, 1401)
    talk.c("PA", 1401, 1, b"x")
    assert talk.analysis() == [set()] * 6


def test_vlans_are_apart_and_their_order_counts() -> None:
    tags: list[tuple[int, ...]] = [(), (5,), (7,), (5, 7), (7, 5), (0,), (0, 0)]
    tags += [(1, 2, 3, 4, 5), (1, 2, 3, 4, 6), (1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 7)]
    packets = []
    for stack in tags:
        packet = ETHER
        for tag in stack:
            packet = packet / Dot1Q(vlan=tag)
        packets.append(packet / IP() / TCP())
    assert len(set(one(*packets)["vlans"].tolist())) == len(tags)


def test_both_directions_have_one_key() -> None:
    there = ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=1, dport=2)
    back = ETHER / IP(src="10.0.0.2", dst="10.0.0.1") / TCP(sport=2, dport=1)
    to_itself = ETHER / IP(src="10.0.0.1", dst="10.0.0.1") / TCP(sport=9, dport=2)
    records = one(there, back, to_itself)
    key = ["first_high", "first_low", "second_high", "second_low", "ports", "vlans", "hash"]
    assert records[key][0] == records[key][1]
    assert records["marks"].tolist() == [0, BACKWARD, BACKWARD]
    assert records["ports"][2] == 2 << 16 | 9


def test_an_ipv4_address_is_not_the_ipv6_address_with_its_bits() -> None:
    four = ETHER / IP(src="0.0.0.1", dst="0.0.0.2") / TCP(sport=1, dport=2)
    six = ETHER / IPv6(src="::1", dst="::2") / TCP(sport=1, dport=2)
    state = tcp.state(0, 1)
    state.take(one(four, six))
    assert state.conversations() == 2


def test_rare_link_types_go_scapys_way() -> None:
    """Token ring (LINKTYPE 6): LLC and SNAP, then IP."""
    packet = bytes.fromhex("1040") + bytes(12) + bytes.fromhex("aaaa03000000" "0800")
    packet += bytes(IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=5, dport=6, seq=3) / Raw(b"abc"))
    (record,) = tcp.records(batch_of(packet, linktype=6, times=[START]), 9)
    plain = one(ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=5, dport=6, seq=3) / Raw(b"abc"))[0]
    record["column"] = plain["column"]
    assert record == plain


def test_a_batch_of_nothing() -> None:
    assert len(tcp.records(batch_of(), 0)) == 0
    assert len(tcp.state(0, 1).take(tcp.records(batch_of(), 0)).field) == 0


@pytest.mark.parametrize("name", ["first_high", "first_low", "second_high", "second_low", "ports", "vlans"])
def test_every_part_of_the_key_tells_conversations_apart(name: str) -> None:
    """Also where hashes meet: keys are compared whole."""
    (segment,) = one(ETHER / IP() / TCP())
    head = np.zeros(1, HEAD)[0]
    for part in ("first_high", "first_low", "second_high", "second_low", "ports", "vlans"):
        head[part] = segment[part]
    compared = np.rec.array([tuple(head)], HEAD)[0], np.rec.array([tuple(segment)], SEGMENT)[0]
    assert same.py_func(*compared)
    setattr(compared[0], name, getattr(compared[0], name) + 1)
    assert not same.py_func(*compared)
