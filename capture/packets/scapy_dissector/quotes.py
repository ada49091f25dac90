"""The IP header that an ICMP error quotes, with the ports behind it: as far as the quote reaches, and never an error."""

from __future__ import annotations

from capture.packets.scapy_dissector.addresses import ipv4_text, ipv6_text
from capture.packets.scapy_dissector.network import EXTENSION_HEADERS, TRANSPORTS
from capture.packets.scapy_dissector.walk import Walk

FRAGMENT, AUTHENTICATION = 44, 51
MOST_EXTENSIONS = 16


def note_quote(walk: Walk, at: int) -> None:
    """The IP header at `at`, of either version, if its fixed part is there."""
    if at + 20 <= walk.end and walk.data[at] >> 4 == 4 and walk.data[at] & 15 >= 5:
        walk.add("quoted-netsrc", ipv4_text(walk.data[at + 12 : at + 16]))
        walk.add("quoted-netdst", ipv4_text(walk.data[at + 16 : at + 20]))
        if not walk.number(at + 6, 2) & 0x1FFF:  # no later fragment
            _ports(walk, walk.data[at + 9], at + 4 * (walk.data[at] & 15))
    elif at + 40 <= walk.end and walk.data[at] >> 4 == 6:
        walk.add("quoted-netsrc", ipv6_text(walk.data[at + 8 : at + 24]))
        walk.add("quoted-netdst", ipv6_text(walk.data[at + 24 : at + 40]))
        _behind_ipv6(walk, walk.data[at + 6], at + 40)


def _behind_ipv6(walk: Walk, protocol: int, at: int) -> None:
    """The ports behind extension headers."""
    for _ in range(MOST_EXTENSIONS):
        if at + 8 > walk.end:
            break
        if protocol == FRAGMENT:
            if walk.number(at + 2, 2) >> 3:  # a later fragment
                return
            size = 8
        elif protocol == AUTHENTICATION:
            size = 4 * (walk.data[at + 1] + 2)
        elif protocol in EXTENSION_HEADERS:
            size = 8 * (walk.data[at + 1] + 1)
        else:
            break
        protocol, at = walk.data[at], at + size
    _ports(walk, protocol, at)


def _ports(walk: Walk, protocol: int, at: int) -> None:
    if protocol in TRANSPORTS and at + 4 <= walk.end:
        walk.add("quoted-transsrc", walk.number(at, 2))
        walk.add("quoted-transdst", walk.number(at + 2, 2))
