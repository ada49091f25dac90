"""Quantity `protocols`: in how many packets each protocol is, for the short names that we use as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.accuracy.claim import Candidates, anywhere
from benchmarks.accuracy.column import constant
from benchmarks.accuracy.found import Found
from benchmarks.accuracy.quantity import Quantity
from capture.packets.recognise.names import KINDS

APPLICATIONS = frozenset(short for _, names in KINDS for short in names)
# Short names of headers in our `protocols` that tshark has as well.
_HEADERS = (
    "eth vlan ieee8021ad llc mpls pppoes pppoed ppp sll null wlan radiotap arp ip ipv6 ipv6.hopopts ipv6.routing ipv6.fraghdr "
    "ipv6.dstopts ah esp gre vxlan geneve gtp erspan l2tp teredo icmp icmpv6 igmp tcp udp udplite sctp dccp chdlc fr ppi"
)
HEADERS = frozenset(_HEADERS.split())


def protocols(told: dict[str, Any], found: Found) -> Iterator[Quantity]:
    """One quantity a protocol. tshark's stack goes on into what an ICMP error quotes; ours does not."""
    column = found.column("protocols")
    quotes = found.has("quoted-netsrc")
    for name in sorted((APPLICATIONS | HEADERS) & {*told["protocols"], *column.values}):
        claim = anywhere(len(found), constant(found.is_("protocols", name), name))
        beyond = int((quotes & ~found.is_("protocols", name)).sum())
        if beyond:
            claim.open[Candidates(frozenset({name}), True)] += beyond
        yield Quantity(f"protocols.{name}", +Counter({name: told["protocols"].get(name, 0)}), claim)
