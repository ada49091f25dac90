"""Quantity `protocols`: in how many packets each protocol is, for the short names that we use as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.accuracy.claim import Candidates, anywhere
from benchmarks.accuracy.column import constant
from benchmarks.accuracy.found import Found
from benchmarks.accuracy.quantity import Quantity
from capture.packets.labels.layers import LAYERS, RARE_LAYERS
from capture.packets.recognise.names import KINDS

# `data` is what nobody recognised: tshark knows many protocols more.
NAMES = {*LAYERS, *RARE_LAYERS} - {"data"}
# What can stand in a quoted IP packet: no header of the link layer.
_INTERNET = (
    "ip",
    "ipv6",
    "ipv6.hopopts",
    "ipv6.routing",
    "ipv6.fraghdr",
    "ipv6.dstopts",
    "ah",
    "esp",
    "tcp",
    "udp",
    "udplite",
    "sctp",
)
QUOTABLE = {*_INTERNET, "icmp", "icmpv6", "gre", *(name for _, names in KINDS for name in names)}


def protocols(told: dict[str, Any], found: Found) -> Iterator[Quantity]:
    """One quantity a protocol. tshark's stack goes on into what an ICMP error quotes; ours does not."""
    quotes = found.has("quoted-netsrc")
    for name in sorted(NAMES & {*told["protocols"], *found.column("protocols").values}):
        of_name = found.is_("protocols", name)
        claim = anywhere(len(found), constant(of_name, name))
        beyond = int((quotes & ~of_name).sum())
        if beyond and name in QUOTABLE:
            claim.open[Candidates(frozenset({name}), True)] += beyond
        yield Quantity(f"protocols.{name}", +Counter({name: told["protocols"].get(name, 0)}), claim)
