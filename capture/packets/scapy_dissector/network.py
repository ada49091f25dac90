"""IPv4 (RFC 791), IPv6 (RFC 8200) with its extension headers, AH (RFC 4302), GRE (RFC 2784, 2890, 2637), ICMP."""

from __future__ import annotations

from capture.packets.scapy_dissector.ethertypes import ETHERTYPES
from capture.packets.scapy_dissector.scapy_modules import GRE, IP, IPv6, IPv6ExtHdrFragment
from capture.packets.scapy_dissector.walk import Step, Walk, handler

EXTENSION_HEADERS = {0, 43, 60, 135, 139, 140}  # hop-by-hop, routing, destination, mobility, HIP, shim6
TRANSPORTS = {6: "tcp", 17: "udp", 132: "sctp", 136: "udplite"}
TUNNELS = {4: "ipv4", 41: "ipv6", 47: "gre", 97: "etherip", 137: "mpls"}


def behind_ip(walk: Walk, protocol: int, at: int, ipv6: bool) -> Step:
    """The step behind an IP header or extension header that names `protocol` as the next."""
    if protocol in TRANSPORTS:
        return TRANSPORTS[protocol], at
    if protocol == 51:
        return ("ah of ipv6" if ipv6 else "ah of ipv4"), at
    if protocol in TUNNELS:
        walk.first = False  # whatever transport comes is behind another header
        return TUNNELS[protocol], at
    if protocol in (1, 58):
        return ("icmp" if protocol == 1 else "icmpv6"), at
    return None


def _note_network(walk: Walk, protocol: bytes, source: str, destination: str) -> None:
    walk.networks += 1
    if walk.networks == 1:
        walk.found.netproto = protocol
        walk.found.netsrc = source.encode()
        walk.found.netdst = destination.encode()
    else:
        walk.first = False


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
    _note_network(walk, b"IPv4", fields["src"], fields["dst"])
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
    _note_network(walk, b"IPv6", fields["src"], fields["dst"])
    if fields["plen"]:  # 0: a jumbogram (RFC 2675) or segmentation offload
        walk.limit(at + 40 + fields["plen"])
    return _behind_ipv6(walk, fields["nh"], at + 40)


def _behind_ipv6(walk: Walk, protocol: int, at: int) -> Step:
    if protocol in EXTENSION_HEADERS:
        return f"ipv6 extension {protocol}", at
    if protocol == 44:
        return "ipv6 fragment", at
    return behind_ip(walk, protocol, at, ipv6=True)


def ipv6_extension(walk: Walk, at: int) -> Step:
    """The common form: next header, length in units of 8 bytes without the first 8."""
    if not walk.has(at, 8, "ipv6", "truncated extension header"):
        return None
    size = 8 * (walk.data[at + 1] + 1)
    if not walk.has(at, size, "ipv6", "extension header beyond payload length"):
        return None
    return _behind_ipv6(walk, walk.data[at], at + size)


for _number in EXTENSION_HEADERS:
    handler(f"ipv6 extension {_number}")(ipv6_extension)


@handler("ipv6 fragment")
def ipv6_fragment(walk: Walk, at: int) -> Step:
    if not walk.has(at, 8, "ipv6", "truncated fragment header"):
        return None
    fields = IPv6ExtHdrFragment(walk.data[at : at + 8], _internal=1).fields
    return None if fields["offset"] else _behind_ipv6(walk, fields["nh"], at + 8)


def _ah(walk: Walk, at: int, ipv6: bool) -> Step:
    if not walk.has(at, 12, "ah"):
        return None
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


@handler("icmp")
def icmp(walk: Walk, at: int) -> Step:
    """RFC 792. The packet that an error quotes is not looked into: its addresses and ports are not this packet's."""
    walk.has(at, 4, "icmp")
    return None


@handler("icmpv6")
def icmpv6(walk: Walk, at: int) -> Step:
    walk.has(at, 4, "icmpv6")
    return None


@handler("gre")
def gre(walk: Walk, at: int) -> Step:
    if not walk.has(at, 4, "gre"):
        return None
    flags, version = walk.data[at], walk.data[at + 1] & 7
    if version > 1:
        walk.fail("gre: bad version")
        return None
    size = 4
    size += 4 if flags & 0xC0 else 0  # checksum or routing present: checksum and offset
    size += 4 if flags & 0x20 else 0  # key
    size += 4 if flags & 0x10 else 0  # sequence number
    size += 4 if version == 1 and walk.data[at + 1] & 0x80 else 0  # acknowledgement, RFC 2637
    if not walk.has(at, size, "gre"):
        return None
    protocol = GRE(walk.data[at : at + size], _internal=1).proto
    at += size
    if flags & 0x40:  # source routes, RFC 1701: address family, offset, length; a zero length ends them
        while True:
            if not walk.has(at, 4, "gre"):
                return None
            length = walk.data[at + 3]
            at += 4 + length
            if not length:
                break
    if protocol in (0x88BE, 0x22EB):
        if protocol == 0x88BE and not flags & 0x10:
            return "ethernet", at  # ERSPAN type I has no header
        return f"erspan {'III' if protocol == 0x22EB else 'II'}", at
    if protocol == 0x880B and at >= walk.wire_end:
        return None  # PPTP acknowledgement without payload
    name = ETHERTYPES.get(protocol)
    return (name, at) if name else None


@handler("erspan II")
def erspan_ii(walk: Walk, at: int) -> Step:
    return ("ethernet", at + 8) if walk.has(at, 8, "erspan") else None


@handler("erspan III")
def erspan_iii(walk: Walk, at: int) -> Step:
    if not walk.has(at, 12, "erspan"):
        return None
    size = 20 if walk.data[at + 11] & 1 else 12
    return ("ethernet", at + size) if walk.has(at, size, "erspan") else None


@handler("etherip")
def etherip(walk: Walk, at: int) -> Step:
    """RFC 3378: two bytes of version, then Ethernet."""
    return ("ethernet", at + 2) if walk.has(at, 2, "ethernet") else None
