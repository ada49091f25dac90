"""ICMP (RFC 792) and ICMPv6 (RFC 4443): type and code. What an error quotes is another packet's, and has fields of its own."""

from __future__ import annotations

from capture.packets.scapy_dissector.network_fields import note_conversation
from capture.packets.scapy_dissector.quotes import note_quote
from capture.packets.scapy_dissector.walk import Step, Walk, handler

QUOTING = {3, 4, 5, 11, 12}  # unreachable, source quench, redirect, time exceeded, parameter problem
QUOTING_V6 = {1, 2, 3, 4}  # unreachable, too big, time exceeded, parameter problem


@handler("icmp")
def icmp(walk: Walk, at: int) -> Step:
    if _type_and_code(walk, at, 1, "icmp") in QUOTING:
        note_quote(walk, at + 8)
    return None


@handler("icmpv6")
def icmpv6(walk: Walk, at: int) -> Step:
    if _type_and_code(walk, at, 58, "icmpv6") in QUOTING_V6:
        note_quote(walk, at + 8)
    return None


def _type_and_code(walk: Walk, at: int, protocol: int, layer: str) -> int | None:
    walk.has(at, 4, layer)
    if at >= walk.end:
        return None
    kind = walk.data[at]
    walk.add(f"{layer}-type", kind)
    if at + 2 <= walk.end:
        code = walk.data[at + 1]
        walk.add(f"{layer}-code", code)
        note_conversation(walk, protocol, kind, code)
    return kind
