"""Two captures made for pages to show: an office on two days, with addresses and names kept for documentation (RFC 5737, 2606).

The same bytes each time. In them for tests to find: MOST_BYTES sends the most in the last minute of a day, ONE_ASKS is a name
that one host alone asks for, SHOP is spoken to over TLS in whole connections, NOBODY does not answer, AGENT sends one request a
day, and UPDATES is spoken to on the second day alone.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

CLIENTS = [f"10.0.0.{last}" for last in range(11, 19)]
RESOLVER, GATEWAY, NOBODY = "10.0.0.53", "10.0.0.1", "203.0.113.9"
SHOP, UPDATES, ONE_ASKS = "shop.example.com", "updates.example.net", "printer.example.org"
AGENT, MOST_BYTES = "inventory-agent/2.7", "10.0.0.14"
SITES = {"www.example.com": "192.0.2.10", SHOP: "192.0.2.20", "mail.example.org": "192.0.2.30", UPDATES: "198.51.100.7"}
FIRST_DAY, DAY, LASTS = 1_772_442_000, 86_400, 300  # 2026-03-02T09:00:00Z; seconds


def made(folder: Path) -> tuple[Path, Path]:
    """The captures of the first and the second day."""
    days = folder / "monday.pcap", folder / "tuesday.pcap"
    for number, path in enumerate(days):
        packets = sorted(_day(number, random.Random(number)), key=lambda packet: packet.time)
        wrpcap(str(path), packets)
    return days


def _mac(address: str) -> str:
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def _packet(at: float, source: str, target: str, *layers: Packet) -> Packet:
    packet = Ether(src=_mac(source), dst=_mac(target)) / IP(src=source, dst=target)
    for layer in layers:
        packet /= layer
    packet.time = round(at, 6)
    return packet


def _day(number: int, chance: random.Random) -> Iterator[Packet]:
    begin = FIRST_DAY + number * DAY
    names = [name for name in SITES if name != UPDATES or number == 1]
    port = 40_000 + 5_000 * number
    for at in range(0, LASTS - 20, 5):
        client, name, port = chance.choice(CLIENTS), chance.choice(names), port + 1
        when = begin + at + chance.random()
        yield from _lookup(when, client, name, port)
        says = _request(name) if name.startswith("www") else _client_hello(name, chance)
        yield from _connection(when + 0.03, client, SITES[name], port, 80 if name.startswith("www") else 443, says, chance)
    yield from _lookup(begin + 61.5, CLIENTS[2], ONE_ASKS, 39_001)
    for name in names:  # every other name is asked for by two at least
        for client in CLIENTS[:2]:
            yield from _lookup(begin + chance.uniform(1, 280), client, name, 39_100 + len(name))
    for attempt in range(4):
        yield _packet(begin + 120 + 2**attempt, CLIENTS[4], NOBODY, TCP(sport=39_200, dport=3389, flags="S", seq=7))
    yield from _connection(
        begin + 150.2, CLIENTS[5], SITES["www.example.com"], 39_300, 80, _request("www.example.com", AGENT, "/stock"), chance
    )
    for at in range(LASTS - 50, LASTS, 2):
        yield _packet(begin + at, MOST_BYTES, "192.0.2.30", UDP(sport=5004, dport=5004), Raw(chance.randbytes(1200)))
    for at in range(10, LASTS, 30):
        for kind, source, target in ((8, CLIENTS[0], GATEWAY), (0, GATEWAY, CLIENTS[0])):
            yield _packet(begin + at + 0.001 * (8 - kind), source, target, ICMP(type=kind, id=9, seq=at), Raw(bytes(56)))
        asked = Ether(src=_mac(CLIENTS[1]), dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, psrc=CLIENTS[1], pdst=GATEWAY)
        asked.time = float(begin + at)
        yield asked


def _lookup(at: float, client: str, name: str, port: int) -> Iterator[Packet]:
    question = DNSQR(qname=name)
    yield _packet(at, client, RESOLVER, UDP(sport=port, dport=53), DNS(id=port, rd=1, qd=question))
    found = DNSRR(rrname=name, ttl=300, rdata=SITES.get(name, "10.0.0.99"))
    yield _packet(at + 0.012, RESOLVER, client, UDP(sport=53, dport=port), DNS(id=port, qr=1, ra=1, qd=question, an=found))


def _connection(
    at: float, client: str, server: str, sport: int, dport: int, says: bytes, chance: random.Random
) -> Iterator[Packet]:
    """A whole TCP connection: opened, asked, answered in some segments, closed."""
    sent, got = 1000, 5000
    answer = (
        b"HTTP/1.1 200 OK\r\nServer: example\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n" + b"<p>Hello</p>" * 75
    )
    pieces = (
        [answer] if dport == 80 else [b"\x17\x03\x03" + struct.pack(">H", 900) + chance.randbytes(900)] * chance.randint(2, 6)
    )
    steps: list[tuple[bool, str, bytes]] = [(True, "S", b""), (False, "SA", b""), (True, "A", b""), (True, "PA", says)]
    for piece in pieces:
        steps += [(False, "PA", piece), (True, "A", b"")]
    steps += [(True, "FA", b""), (False, "FA", b""), (True, "A", b"")]
    for away, flags, payload in steps:
        at += chance.uniform(0.004, 0.02)
        ends = (client, server) if away else (server, client)
        ports = (sport, dport) if away else (dport, sport)
        seq, ack = (sent, got) if away else (got, sent)
        header = TCP(sport=ports[0], dport=ports[1], flags=flags, seq=seq, ack=0 if flags == "S" else ack)
        yield _packet(at, *ends, header, *([Raw(payload)] if payload else []))
        grown = len(payload) + (flags in ("S", "SA", "FA"))
        sent, got = (sent + grown, got) if away else (sent, got + grown)


def _request(host: str, agent: str = "Mozilla/5.0 (X11; Linux x86_64)", path: str = "/") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n\r\n".encode()


def _client_hello(name: str, chance: random.Random) -> bytes:
    """A TLS 1.2 ClientHello (RFC 5246, 7.4.1.2) with a server name (RFC 6066, 3) and ALPN (RFC 7301)."""
    host = name.encode()
    server_name = struct.pack(">HBH", len(host) + 3, 0, len(host)) + host
    alpn = struct.pack(">HB", 3, 2) + b"h2"
    extensions = b"".join(struct.pack(">HH", kind, len(data)) + data for kind, data in ((0, server_name), (16, alpn)))
    ciphers = bytes.fromhex("c02bc02fc02cc030")
    body = b"\x03\x03" + chance.randbytes(32) + b"\0" + struct.pack(">H", len(ciphers)) + ciphers + b"\x01\0"
    body += struct.pack(">H", len(extensions)) + extensions
    handshake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake
