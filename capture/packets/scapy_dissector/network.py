"""IPv4 (RFC 791), IPv6 (RFC 8200) with its extension headers, AH (RFC 4302)."""

from __future__ import annotations

from capture.packets.labels.leaves import IP_PROTOCOL_LEAVES
from capture.packets.labels.network import TUNNELS as TUNNEL_ROWS
from capture.packets.scapy_dissector.ethertypes import note_leaf
from capture.packets.scapy_dissector.network_fields import (
    note_conversation,
    note_extension,
    note_first,
    note_ipv4_fragment,
    note_ipv6_fragment,
    note_network,
)
from capture.packets.scapy_dissector.scapy_modules import IP, IPv6, IPv6ExtHdrFragment
from capture.packets.scapy_dissector.walk import Step, Walk, handler

EXTENSION_HEADERS = {0, 43, 60, 135, 139, 140}  # hop-by-hop, routing, destination, mobility, HIP, shim6
TRANSPORTS = {6: "tcp", 17: "udp", 132: "sctp", 136: "udplite"}
TUNNELS = {4: "ipv4", 41: "ipv6", 47: "gre", 97: "etherip", 137: "mpls"}
# (protocol, whether IPv6 names it) -> the tunnel that has begun; GRE's header must be right first
_TUNNEL_NAMES = {
    (4, False): "ipip",
    (41, False): "6in4",
    (4, True): "4in6",
    (41, True): "6in6",
    (97, False): "etherip",
    (97, True): "etherip",
    (137, False): "mpls-in-ip",
    (137, True): "mpls-in-ip",
}


def note_tunnel(walk: Walk, name: str) -> None:
    walk.add("tunnel", TUNNEL_ROWS.index(name))


def behind_ip(walk: Walk, protocol: int, at: int, ipv6: bool) -> Step:
    """The step behind an IP header or extension header that names `protocol` as the next."""
    if protocol in TRANSPORTS:
        return TRANSPORTS[protocol], at
    if protocol == 51:
        return ("ah of ipv6" if ipv6 else "ah of ipv4"), at
    if protocol in (1, 58):
        return ("icmp" if protocol == 1 else "icmpv6"), at
    note_conversation(walk, protocol)  # of all others it needs no more than the number
    if protocol in TUNNELS:
        walk.first = False  # whatever transport comes is behind another header
        tunnel = _TUNNEL_NAMES.get((protocol, ipv6))
        if tunnel:
            note_tunnel(walk, tunnel)
        return TUNNELS[protocol], at
    note_leaf(walk, IP_PROTOCOL_LEAVES, protocol)
    return None


@handler("ipv4")
def ipv4(walk: Walk, at: int) -> Step:
    if walk.has(at, 1, "ipv4") and walk.data[at] >> 4 != 4:
        walk.fail("ipv4: bad version")
        return None
    if not walk.has(at, 20, "ipv4"):
        return None
    header = IP(walk.data[at : at + 20], _internal=1)
    if header.ihl < 5:
        walk.fail("ipv4: bad header length")
        return None
    fields = header.fields
    raw = walk.data[at + 12 : at + 16], walk.data[at + 16 : at + 20]
    if note_network(walk, b"IPv4", fields["src"].encode(), fields["dst"].encode(), raw, fields["ttl"]):
        note_first(walk, 4, fields["tos"], fields["proto"])
        note_ipv4_fragment(walk, walk.number(at + 6, 2))
    size = header.ihl * 4
    total = fields["len"]
    if 0 < total < size:
        walk.fail("ipv4: total length below header")
        return None
    if total:  # 0: left to the network card (TCP segmentation offload), the packet's length counts
        walk.limit(at + total)
    if not walk.has(at, size, "ipv4"):
        return None
    if fields["frag"]:
        return None  # a later fragment: what follows is no header
    return behind_ip(walk, fields["proto"], at + size, ipv6=False)


@handler("ipv6")
def ipv6(walk: Walk, at: int) -> Step:
    if walk.has(at, 1, "ipv6") and walk.data[at] >> 4 != 6:
        walk.fail("ipv6: bad version")
        return None
    if not walk.has(at, 40, "ipv6"):
        return None
    fields = IPv6(walk.data[at : at + 40], _internal=1).fields
    raw = walk.data[at + 8 : at + 24], walk.data[at + 24 : at + 40]
    if note_network(walk, b"IPv6", fields["src"].encode(), fields["dst"].encode(), raw, fields["hlim"]):
        note_first(walk, 6, fields["tc"], fields["nh"])
    if fields["plen"]:  # 0: a jumbogram (RFC 2675) or segmentation offload
        walk.limit(at + 40 + fields["plen"])
    return _behind_ipv6(walk, fields["nh"], at + 40)


def _behind_ipv6(walk: Walk, protocol: int, at: int) -> Step:
    if protocol in EXTENSION_HEADERS:
        return f"ipv6 extension {protocol}", at
    if protocol == 44:
        return "ipv6 fragment", at
    return behind_ip(walk, protocol, at, ipv6=True)


def _extension(walk: Walk, at: int, number: int) -> Step:
    """The common form: next header, length in units of 8 bytes without the first 8."""
    if not walk.has(at, 8, "ipv6", "truncated extension header"):
        return None
    note_extension(walk, number)
    size = 8 * (walk.data[at + 1] + 1)
    if not walk.has(at, size, "ipv6", "extension header beyond payload length"):
        return None
    return _behind_ipv6(walk, walk.data[at], at + size)


def _declare(number: int) -> None:
    @handler(f"ipv6 extension {number}")
    def extension(walk: Walk, at: int) -> Step:
        return _extension(walk, at, number)


for _number in EXTENSION_HEADERS:
    _declare(_number)


@handler("ipv6 fragment")
def ipv6_fragment(walk: Walk, at: int) -> Step:
    if not walk.has(at, 8, "ipv6", "truncated fragment header"):
        return None
    note_extension(walk, 44)
    note_ipv6_fragment(walk, walk.number(at + 2, 2))
    fields = IPv6ExtHdrFragment(walk.data[at : at + 8], _internal=1).fields
    return None if fields["offset"] else _behind_ipv6(walk, fields["nh"], at + 8)


def _ah(walk: Walk, at: int, ipv6: bool) -> Step:
    if not walk.has(at, 12, "ah"):
        return None
    if ipv6:
        note_extension(walk, 51)
    size = 4 * (walk.data[at + 1] + 2)
    if size < 12:
        walk.fail("ah: bad header length")
        return None
    if not walk.has(at, size, "ah"):
        return None
    return _behind_ipv6(walk, walk.data[at], at + size) if ipv6 else behind_ip(walk, walk.data[at], at + size, ipv6)


@handler("ah of ipv4")
def ah_of_ipv4(walk: Walk, at: int) -> Step:
    return _ah(walk, at, ipv6=False)


@handler("ah of ipv6")
def ah_of_ipv6(walk: Walk, at: int) -> Step:
    return _ah(walk, at, ipv6=True)
