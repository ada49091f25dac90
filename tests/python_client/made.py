"""A small capture made by scapy: what is in it is known without asking anyone."""

from __future__ import annotations

from pathlib import Path

from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from scapy.utils import PcapWriter

FIRST_NS = 1_767_323_045_000_000_123  # 2026-01-02T03:04:05.000000123Z
STEP_NS = 250_000_001
SERVER = "10.0.0.100"


def packets_made(count: int = 40) -> list[Packet]:
    """Every fourth is a DNS question over UDP, the others are TCP SYNs, of ten clients in turn."""
    made = []
    for i in range(count):
        ip = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=f"10.0.0.{i % 10 + 1}", dst=SERVER)
        if i % 4 == 0:
            made.append(ip / UDP(sport=40000 + i, dport=53) / DNS(id=i, qd=DNSQR(qname=f"host{i % 3}.example")))
        else:
            made.append(ip / TCP(sport=40000 + i, dport=443, flags="S", seq=i))
    return made


def written(packets: list[Packet], path: Path) -> Path:
    """The packets as a pcap with nanoseconds, STEP_NS apart."""
    with PcapWriter(str(path), nano=True, linktype=1) as writer:
        writer.write_header(packets[0])
        for i, packet in enumerate(packets):
            seconds, rest = divmod(FIRST_NS + i * STEP_NS, 1_000_000_000)
            data = bytes(packet)
            writer.write_packet(data, sec=seconds, usec=rest, caplen=len(data), wirelen=len(data))
    return path
