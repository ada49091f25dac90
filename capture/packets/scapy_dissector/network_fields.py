"""Fields of IP headers: of the first, of those behind it, and the conversation that the first one's packet belongs to."""

from __future__ import annotations

from capture.packets.community_id import community_id
from capture.packets.scapy_dissector.walk import Walk

FIRST, MIDDLE, LAST, ATOMIC = range(4)  # rows of `fragment`
_FLAGS = ((0x4000, 0), (0x2000, 1), (0x8000, 2))  # bit of IPv4's flags word, row of `ip-flags`: DF, MF, RB


def note_network(walk: Walk, protocol: bytes, source: bytes, destination: bytes, raw: tuple[bytes, bytes], ttl: int) -> bool:
    """Addresses and time to live of an IP header that is there. raw: the addresses' bytes. True if it is the packet's first."""
    walk.networks += 1
    if walk.networks > 1:
        walk.first = False
        walk.add("inner-netsrc", source)
        walk.add("inner-netdst", destination)
        walk.add("inner-ttl", ttl)
        return False
    found = walk.found
    found.netproto, found.netsrc, found.netdst = protocol, source, destination
    walk.source, walk.destination = raw
    walk.add("netaddr", source)
    walk.add("netaddr", destination)
    walk.add("ttl", ttl)
    return True


def note_first(walk: Walk, version: int, traffic_class: int, protocol: int) -> None:
    """What else there is of the first IP header, in both versions."""
    walk.add("ip-version", version)
    walk.add("dscp", traffic_class >> 2)
    walk.add("ip-proto", protocol)


def note_ipv4_fragment(walk: Walk, word: int) -> None:
    """Flags and fragment of the first IP header's flags-and-offset word."""
    for bit, row in _FLAGS:
        if word & bit:
            walk.add("ip-flags", row)
    more, offset = word & 0x2000, word & 0x1FFF
    if offset or more:
        walk.add("fragment", FIRST if not offset else MIDDLE if more else LAST)


def note_ipv6_fragment(walk: Walk, word: int) -> None:
    """Offset (13 bits), reserved (2), M of a fragment header, if it is behind the first IP header; of several the last."""
    if walk.networks == 1:
        more, offset = word & 1, word >> 3
        walk.replace("fragment", (FIRST if more else ATOMIC) if not offset else MIDDLE if more else LAST)


def note_extension(walk: Walk, number: int) -> None:
    """An IPv6 extension header, if it is behind the first IP header."""
    if walk.networks == 1:
        walk.add("ipv6-extension", number)


def note_conversation(walk: Walk, protocol: int, source: int | None = None, destination: int | None = None) -> None:
    """The Community ID, if `protocol` (the last of the chain) is behind the first IP header. With ports, ICMP's type and code."""
    if walk.networks == 1:
        walk.add("community-id", community_id(walk.source, walk.destination, protocol, source, destination))
