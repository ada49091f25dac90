"""Packets of DNS, ICMP echo, HTTP and TLS between two hosts, and what one state finds of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet

from capture.packets.batch import PacketBatch
from capture.packets.conversations import applications
from capture.packets.conversations.contract import NAMES, Found
from tests.capture.packets.making import batch_of

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
REQUEST = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
RESPONSE = b"HTTP/1.1 %d OK\r\nContent-Length: 0\r\n\r\n"


class Timed(NamedTuple):
    """A packet, and its time in seconds (None: without)."""

    seconds: float | None
    packet: bytes


def between(source: str, destination: str, seconds: float | None, layers: Packet, vlan: int = 0) -> Timed:
    """An Ethernet frame."""
    head = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    return Timed(seconds, bytes((head / Dot1Q(vlan=vlan) if vlan else head) / IP(src=source, dst=destination) / layers))


def query(seconds: float | None, number: int = 1, port: int = 4000, vlan: int = 0) -> Timed:
    """A DNS query of the client."""
    return between(CLIENT, SERVER, seconds, UDP(sport=port, dport=53) / DNS(id=number, qd=DNSQR(qname="a.example")), vlan)


def reply(seconds: float | None, number: int = 1, port: int = 4000, vlan: int = 0) -> Timed:
    """The server's response."""
    message = DNS(id=number, qr=1, qd=DNSQR(qname="a.example"), an=DNSRR(rrname="a.example", rdata="1.2.3.4"))
    return between(SERVER, CLIENT, seconds, UDP(sport=53, dport=port) / message, vlan)


def ping(seconds: float, seq: int = 1, data: bytes = b"x" * 8, target: str = SERVER) -> Timed:
    """An echo request of the client."""
    return between(CLIENT, target, seconds, ICMP(type=8, id=7, seq=seq) / data)


def pong(seconds: float, seq: int = 1, data: bytes = b"x" * 8, source: str = SERVER) -> Timed:
    """An echo reply."""
    return between(source, CLIENT, seconds, ICMP(type=0, id=7, seq=seq) / data)


class Connection:
    """A TCP connection, whose ends send `say(side, seconds, bytes)`: side 0 is the client."""

    def __init__(self, port: int = 4000, server_port: int = 80, first: int = 1000) -> None:
        self.ports = (port, server_port)
        self.next = [first, 5_000_000]

    def segment(self, side: int, seconds: float | None, data: bytes = b"", flags: str = "PA") -> Timed:
        """The next segment of a side, which acknowledges all that the other has sent."""
        made = self.at(side, seconds, self.next[side], data, flags)
        self.next[side] = (self.next[side] + len(data) + ("S" in flags or "F" in flags)) & 0xFFFFFFFF
        return made

    def at(self, side: int, seconds: float | None, seq: int, data: bytes, flags: str = "PA", ack: int | None = None) -> Timed:
        """A segment with this sequence number."""
        tcp = TCP(
            sport=self.ports[side],
            dport=self.ports[1 - side],
            flags=flags,
            seq=seq,
            ack=self.next[1 - side] if ack is None else ack,
        )
        source, destination = (CLIENT, SERVER) if side == 0 else (SERVER, CLIENT)
        return between(source, destination, seconds, tcp / data)


def record(kind: int, body: bytes) -> bytes:
    """A TLS record."""
    return struct.pack(">BHH", kind, 0x0303, len(body)) + body


def client_hello() -> bytes:
    """A record with a ClientHello of TLS 1.2."""
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\2\xc0\x2f" + b"\1\0"
    return record(22, b"\1" + len(body).to_bytes(3, "big") + body)


def server_hello() -> bytes:
    """A record with a ServerHello."""
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\xc0\x2f" + b"\0"
    return record(22, b"\2" + len(body).to_bytes(3, "big") + body)


CHANGE = record(20, b"\1")
FINISHED = record(22, b"\x8f" + bytes(39))
DATA = record(23, bytes(range(60)))


def batch(packets: Iterable[Timed]) -> PacketBatch:
    """All of them in one batch."""
    packets = list(packets)
    made = batch_of(*(one.packet for one in packets), times=[0] * len(packets))
    for k, one in enumerate(packets):
        if one.seconds is None:
            made.locator["time_ns"][k] = batch_of(b"").locator["time_ns"][0]
        else:
            made.locator["time_ns"][k] = round(one.seconds * 1e9)
    return made


def triples(found: Found) -> list[tuple[str, int, int]]:
    """(field, column, value), sorted."""
    names = [NAMES[field] for field in found.field.tolist()]
    return sorted(zip(names, found.column.tolist(), found.value.tolist(), strict=True))


def found(*packets: Timed) -> list[tuple[str, int, int]]:
    """What one state finds of the packets, the first of which is column 0, with the end of the capture."""
    state = applications.state(0, 1)
    said = triples(state.take(applications.records(batch(packets), 0))) + triples(state.end())
    assert state.waiting() is None
    return sorted(said)
