"""A small capture that picapweb makes itself, so that somebody without one at hand has something to ask: an office for a minute.

The same bytes each time. Addresses and names are those kept for documentation (RFC 5737, 3849, 2606). In it: names that are
looked up, one of which does not exist; web pages over HTTP; TLS with server names; a host that scans another's ports and is
refused; a server that does not answer; ARP; IPv6 with neighbour discovery; a telephone in a VLAN of its own; pings.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from capture.packets.scapy_dissector import quiet  # noqa: F401  # before the others

# isort: split
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapWriter

NAME = "sample.pcap"
BEGIN = 1_772_442_000  # 2026-03-02T09:00:00Z
ANN, BEN, SCANNER, PHONE = "10.0.0.11", "10.0.0.12", "10.0.0.66", "10.0.5.21"
GATEWAY, RESOLVER, PRINTER = "10.0.0.1", "10.0.0.53", "10.0.0.30"
WEB, SHOP, SILENT = "192.0.2.10", "192.0.2.20", "203.0.113.9"
ANN6, RESOLVER6, GATEWAY6 = "2001:db8::11", "2001:db8::53", "2001:db8::1"
VOICE_VLAN = 50


def sample() -> bytes:
    """The capture, as pcap."""
    packets = sorted(_packets(), key=lambda packet: packet.time)
    out = io.BytesIO()
    out.close = lambda: None  # type: ignore[method-assign]  # the writer closes what it writes to
    writer = PcapWriter(out, linktype=1)
    for packet in packets:
        writer.write(packet)
    writer.flush()
    return out.getvalue()


def _packets() -> Iterator[Packet]:
    for at, host in ((0.1, ANN), (0.4, BEN), (12.0, SCANNER)):
        yield from _arp(at, host, GATEWAY)
    yield from _lookup(1.0, ANN, RESOLVER, 40_001, "www.example.com", WEB)
    yield from _web(1.1, ANN, 41_001, "www.example.com", "/", "Mozilla/5.0 (X11; Linux x86_64)", b"200 OK", 900)
    yield from _web(1.6, ANN, 41_002, "www.example.com", "/missing", "Mozilla/5.0 (X11; Linux x86_64)", b"404 Not Found", 60)
    yield from _lookup(5.0, BEN, RESOLVER, 40_002, "shop.example.com", SHOP)
    yield from _tls(5.1, BEN, SHOP, 41_003, "shop.example.com", 6)
    yield from _lookup(7.0, ANN, RESOLVER, 40_003, "shop.example.com", SHOP)
    yield from _tls(7.1, ANN, SHOP, 41_004, "shop.example.com", 3)
    yield from _lookup(8.0, BEN, RESOLVER, 40_004, "nosuch.example.org", None)
    yield from _lookup(9.0, ANN6, RESOLVER6, 40_005, "ipv6.example.net", "192.0.2.66")
    yield from _web(20.0, BEN, 41_005, "www.example.com", "/stock", "inventory-agent/2.7", b"200 OK", 400)
    yield from _scan(13.0)
    for attempt in range(4):  # a server that does not answer, and the retransmissions
        at = 30 + 2**attempt
        yield _ip(at, BEN, SILENT, TCP(sport=41_006, dport=3389, flags="S", seq=7, window=64240))
    for number in range(5):
        for kind, delay, source, target in ((8, 0.0, ANN, GATEWAY), (0, 0.002, GATEWAY, ANN)):
            yield _ip(40 + number + delay, source, target, ICMP(type=kind, id=9, seq=number), Raw(bytes(range(32))))
    yield from _ipv6(45.0)
    yield from _telephone(47.0)


def _mac(address: str) -> str:
    last = address.replace(":", ".").split(".")[-1] or "1"
    return f"02:00:00:00:00:{int(last, 16 if ':' in address else 10) & 255:02x}"


def _at(packet: Packet, at: float) -> Packet:
    packet.time = round(BEGIN + at, 6)
    return packet


def _ip(at: float, source: str, target: str, *layers: Packet) -> Packet:
    packet = Ether(src=_mac(source), dst=_mac(target))
    packet /= IPv6(src=source, dst=target) if ":" in source else IP(src=source, dst=target, id=int(at * 1000) & 0xFFFF)
    for layer in layers:
        packet /= layer
    return _at(packet, at)


def _arp(at: float, asks: str, wanted: str) -> Iterator[Packet]:
    question = Ether(src=_mac(asks), dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=_mac(asks), psrc=asks, pdst=wanted)
    yield _at(question, at)
    yield _at(Ether(src=_mac(wanted), dst=_mac(asks)) / _is_at(wanted, asks), at + 0.001)


def _is_at(who: str, to: str) -> Packet:
    return ARP(op=2, hwsrc=_mac(who), psrc=who, hwdst=_mac(to), pdst=to)


def _lookup(at: float, client: str, resolver: str, port: int, name: str, address: str | None) -> Iterator[Packet]:
    question = DNSQR(qname=name)
    yield _ip(at, client, resolver, UDP(sport=port, dport=53), DNS(id=port, rd=1, qd=question))
    answer = DNS(id=port, qr=1, ra=1, rcode=3, qd=question)
    if address is not None:
        answer = DNS(id=port, qr=1, ra=1, qd=question, an=DNSRR(rrname=name, ttl=300, rdata=address))
    yield _ip(at + 0.012, resolver, client, UDP(sport=53, dport=port), answer)


def _web(at: float, client: str, port: int, host: str, path: str, agent: str, status: bytes, size: int) -> Iterator[Packet]:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n\r\n".encode()
    head = b"HTTP/1.1 " + status + b"\r\nServer: example\r\nContent-Type: text/html\r\n"
    answer = head + b"Content-Length: %d\r\n\r\n" % size + b"." * size
    yield from _connection(at, client, WEB, port, 80, [(True, request), (False, answer)])


def _tls(at: float, client: str, server: str, port: int, name: str, records: int) -> Iterator[Packet]:
    data = b"\x17\x03\x03" + struct.pack(">H", 700) + bytes(index * 37 & 255 for index in range(700))
    yield from _connection(at, client, server, port, 443, [(True, _client_hello(name)), *[(False, data)] * records])


def _connection(at: float, client: str, server: str, sport: int, dport: int, says: list[tuple[bool, bytes]]) -> Iterator[Packet]:
    """A whole TCP connection: opened, what each side says, acknowledged and closed."""
    steps: list[tuple[bool, str, bytes]] = [(True, "S", b""), (False, "SA", b""), (True, "A", b"")]
    for away, payload in says:
        steps += [(away, "PA", payload), (not away, "A", b"")]
    steps += [(True, "FA", b""), (False, "FA", b""), (True, "A", b"")]
    sent, got = 1000, 5000
    for away, flags, payload in steps:
        ends, ports = ((client, server), (sport, dport)) if away else ((server, client), (dport, sport))
        seq, ack = (sent, got) if away else (got, sent)
        options = [("MSS", 1460)] if "S" in flags else []
        header = TCP(sport=ports[0], dport=ports[1], flags=flags, seq=seq, ack=0 if flags == "S" else ack, options=options)
        yield _ip(at, *ends, header, *([Raw(payload)] if payload else []))
        grown = len(payload) + int("S" in flags or "F" in flags)
        sent, got = (sent + grown, got) if away else (sent, got + grown)
        at += 0.006


def _scan(at: float) -> Iterator[Packet]:
    """One host tries the printer's ports: refused at once, but for one that is open and one behind a filter."""
    ports = (21, 22, 23, 25, 53, 80, 110, 135, 139, 143, 443, 445, 515, 631, 993, 1433, 3306, 3389, 5900, 8080, 9100)
    for number, port in enumerate(ports):
        when = at + number * 0.05
        yield _ip(when, SCANNER, PRINTER, TCP(sport=50_000, dport=port, flags="S", seq=1, window=1024))
        if port == 9100:
            yield _ip(when + 0.001, PRINTER, SCANNER, TCP(sport=port, dport=50_000, flags="SA", seq=9, ack=2))
            yield _ip(when + 0.002, SCANNER, PRINTER, TCP(sport=50_000, dport=port, flags="R", seq=2))
        elif port != 445:
            yield _ip(when + 0.001, PRINTER, SCANNER, TCP(sport=port, dport=50_000, flags="RA", ack=2))
    quoted = _ip(at + 2, SCANNER, PRINTER, UDP(sport=50_001, dport=161), Raw(b"public"))
    yield quoted
    yield _ip(at + 2.001, PRINTER, SCANNER, ICMP(type=3, code=3), quoted[IP].copy())


def _ipv6(at: float) -> Iterator[Packet]:
    multicast = "ff02::1:ff00:1"
    question = Ether(src=_mac(ANN6), dst="33:33:ff:00:00:01") / IPv6(src=ANN6, dst=multicast, hlim=255)
    yield _at(question / ICMPv6ND_NS(tgt=GATEWAY6), at)
    answer = Ether(src=_mac(GATEWAY6), dst=_mac(ANN6)) / IPv6(src=GATEWAY6, dst=ANN6, hlim=255)
    yield _at(answer / ICMPv6ND_NA(tgt=GATEWAY6, R=1, S=1, O=1), at + 0.001)
    for number in range(3):
        yield _ip(at + 0.1 + number * 0.3, ANN6, GATEWAY6, ICMPv6EchoRequest(id=4, seq=number, data=b"picapweb"))
        yield _ip(at + 0.102 + number * 0.3, GATEWAY6, ANN6, ICMPv6EchoReply(id=4, seq=number, data=b"picapweb"))


def _telephone(at: float) -> Iterator[Packet]:
    """Voice in a VLAN of its own, 50 packets a second in each direction, for half a second."""
    for number in range(25):
        for source, target, ports in ((PHONE, "10.0.5.1", (16_384, 16_386)), ("10.0.5.1", PHONE, (16_386, 16_384))):
            rtp = struct.pack(">BBHII", 0x80, 0, number, number * 160, 0xCAFE) + bytes([0xFF]) * 160
            tag = Dot1Q(vlan=VOICE_VLAN, prio=5)
            packet = Ether(src=_mac(source), dst=_mac(target)) / tag / IP(src=source, dst=target, tos=0xB8, id=number)
            packet /= UDP(sport=ports[0], dport=ports[1])
            yield _at(packet / Raw(rtp), at + number * 0.02 + (0.001 if source != PHONE else 0.0))


def _client_hello(name: str) -> bytes:
    """A TLS 1.2 ClientHello (RFC 5246, 7.4.1.2) with a server name (RFC 6066, 3) and ALPN (RFC 7301)."""
    host = name.encode()
    server_name = struct.pack(">HBH", len(host) + 3, 0, len(host)) + host
    alpn = struct.pack(">HB", 3, 2) + b"h2"
    extensions = b"".join(struct.pack(">HH", kind, len(data)) + data for kind, data in ((0, server_name), (16, alpn)))
    ciphers = bytes.fromhex("c02bc02fc02cc030")
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + struct.pack(">H", len(ciphers)) + ciphers + b"\x01\0"
    body += struct.pack(">H", len(extensions)) + extensions
    handshake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake
