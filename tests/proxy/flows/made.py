"""Captures made by hand: the same addresses and ports in several networks, and answers that are none."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"


def tcp(source: str, sport: int, destination: str, dport: int, flags: str) -> Any:
    return IP(src=source, dst=destination) / TCP(sport=sport, dport=dport, flags=flags)


def there(flags: str, port: int = 1000) -> Any:
    """From A to port 80 of B."""
    return tcp(A, port, B, 80, flags)


def back(flags: str, port: int = 1000) -> Any:
    """From port 80 of B to A."""
    return tcp(B, 80, A, port, flags)


def dns(number: int, response: bool, rcode: int = 0) -> Any:
    under = IP(src=B, dst=A) / UDP(sport=53, dport=4000) if response else IP(src=A, dst=B) / UDP(sport=4000, dport=53)
    return under / DNS(id=number, qr=int(response), rcode=rcode, qd=DNSQR(qname=f"n{number}.example"))


def one() -> list[Any]:
    """The frames of a capture."""
    untagged = [
        there("S"), back("SA"), there("A"),
        there("S", 1001), there("S", 1001), back("SA", 1001), there("A", 1001),  # answered when it was sent again
        there("S", 1002), there("SA", 1002),  # by the wrong side
        there("S", 1003), back("RA", 1003),  # refused
        there("S", 1004), back("R", 1004),  # a reset that answers nothing
        there("S", 1005), there("RA", 1005),  # its own reset
        there("S", 1006), back("SA", 1006), back("RA", 1006),  # answered, reset then
        back("SA", 1007),  # nobody asked
        tcp("127.0.0.1", 5000, "127.0.0.1", 5000, "S"), tcp("127.0.0.1", 5000, "127.0.0.1", 5000, "SA"),
        tcp("127.0.0.1", 5000, "127.0.0.1", 5001, "S"), tcp("127.0.0.1", 5000, "127.0.0.1", 5001, "SA"),
        dns(1, False), dns(1, True), dns(2, False), dns(3, True),
        IP(src=A, dst="224.0.0.251") / UDP(sport=5353, dport=5353) / DNS(id=0, qd=DNSQR(qname="x.local")),
        IP(src=A, dst=B) / ICMP(type=8), IP(src=B, dst=A) / ICMP(type=0),
        IP(src=A, dst=C) / ICMP(type=8), IP(src=A, dst=C) / ICMP(type=8),
        IP(src=C, dst=A) / ICMP(type=3, code=1) / there("S"),
        IPv6(src="2001:db8::1", dst="2001:db8::2") / ICMPv6EchoRequest(),
        IPv6(src="2001:db8::2", dst="2001:db8::1") / ICMPv6EchoReply(),
        IPv6(src="2001:db8::1", dst="2001:db8::3") / ICMPv6EchoRequest(),
        ARP(psrc=A, pdst=B),
        tcp(A, 1008, B, 80, "A"),
        IP(src=B, dst=A) / TCP(sport=80, dport=1008, flags="A", window=0),
        dns(4, True, 2), dns(5, True, 3),
    ]  # fmt: skip
    tagged = [
        Dot1Q(vlan=100) / there("S"),
        Dot1Q(vlan=200) / there("S"), Dot1Q(vlan=200) / back("SA"),
        Dot1Q(vlan=100) / Dot1Q(vlan=200) / there("S"),
        Dot1Q(vlan=200) / Dot1Q(vlan=100) / back("SA"),
        Dot1AD(vlan=100) / Dot1Q(vlan=200) / back("SA"),  # the same network as 100,200 above
        Dot1Q(vlan=100) / there("A"),
        Dot1Q(vlan=100) / ARP(psrc=A, pdst=B),
    ]  # fmt: skip
    return [Ether() / packet for packet in untagged + tagged]


def other() -> list[Any]:
    """Another capture of the same addresses and ports: here nobody answers."""
    return [Ether() / packet for packet in (there("S"), there("S"), back("R", 1003), Dot1Q(vlan=200) / back("SA"))]


def write(path: Path, frames: list[Any], begin: int = 1_700_000_000) -> Path:
    """A pcap of frames that are a millisecond apart, each longer on the wire by its number."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for i, frame in enumerate(frames):
        raw = bytes(frame)
        out.append(struct.pack("<IIII", begin + i // 7, i % 7 * 1000, len(raw), len(raw) + i) + raw)
    path.write_bytes(b"".join(out))
    return path
