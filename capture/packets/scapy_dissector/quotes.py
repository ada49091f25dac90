"""The IP header that an ICMP error quotes, with the ports behind it: as far as the quote reaches, and never an error."""

from __future__ import annotations

from capture.packets.scapy_dissector.addresses import ipv4_text, ipv6_text
from capture.packets.scapy_dissector.network import EXTENSION_HEADERS, TRANSPORTS
from capture.packets.scapy_dissector.walk import Walk

FRAGMENT, AUTHENTICATION = 44, 51


def quote_ipv4(walk: Walk, at: int) -> None:
    if at + 20 > walk.end or walk.data[at] >> 4 != 4 or walk.data[at] & 15 < 5:
        return
    walk.add("quoted-netsrc", ipv4_text(walk.data[at + 12 : at + 16]))
    walk.add("quoted-netdst", ipv4_text(walk.data[at + 16 : at + 20]))
    if not walk.number(at + 6, 2) & 0x1FFF:  # no later fragment
        _ports(walk, walk.data[at + 9], at + 4 * (walk.data[at] & 15))


def quote_ipv6(walk: Walk, at: int) -> None:
    if at + 40 > walk.end or walk.data[at] >> 4 != 6:
        return
    walk.add("quoted-netsrc", ipv6_text(walk.data[at + 8 : at + 24]))
    walk.add("quoted-netdst", ipv6_text(walk.data[at + 24 : at + 40]))
    protocol, at = walk.data[at + 6], at + 40
    while protocol in EXTENSION_HEADERS or protocol in (FRAGMENT, AUTHENTICATION):
        if at + 8 > walk.end:
            return
        if protocol == FRAGMENT:
            if walk.number(at + 2, 2) >> 3:
                return
            size = 8
        elif protocol == AUTHENTICATION:
            size = 4 * (walk.data[at + 1] + 2)
        else:
            size = 8 * (walk.data[at + 1] + 1)
        protocol, at = walk.data[at], at + size
    _ports(walk, protocol, at)


def _ports(walk: Walk, protocol: int, at: int) -> None:
    if protocol in TRANSPORTS and at + 4 <= walk.end:
        walk.add("quoted-transsrc", walk.number(at, 2))
        walk.add("quoted-transdst", walk.number(at + 2, 2))
