"""ARP (RFC 826) and RARP (RFC 903)."""

from __future__ import annotations

from capture.packets.scapy_dissector.addresses import ipv4_text
from capture.packets.scapy_dissector.walk import Step, Walk, handler

IPV4 = 0x0800


@handler("arp")
def arp(walk: Walk, at: int) -> Step:
    """Behind 8 bytes the sender's addresses of hardware and protocol, then the target's."""
    if not walk.has(at, 8, "arp"):
        return None
    walk.add("arp-op", walk.number(at + 6, 2))
    hardware, protocol = walk.data[at + 4], walk.data[at + 5]
    if walk.number(at + 2, 2) == IPV4 and protocol == 4:
        sender = at + 8 + hardware
        for name, address in (("arp-sender", sender), ("arp-target", sender + 4 + hardware)):
            if address + 4 <= walk.end:
                walk.add(name, ipv4_text(walk.data[address : address + 4]))
    walk.has(at + 8, 2 * (hardware + protocol), "arp")
    return None
