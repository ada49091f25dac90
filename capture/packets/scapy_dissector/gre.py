"""GRE (RFC 2784, 2890; PPTP's RFC 2637), ERSPAN in it, and EtherIP."""

from __future__ import annotations

from capture.packets.labels.leaves import ETHERTYPE_LEAVES
from capture.packets.scapy_dissector.ethertypes import ETHERTYPES, note_leaf
from capture.packets.scapy_dissector.network import note_tunnel
from capture.packets.scapy_dissector.walk import Step, Walk, handler

ERSPAN, ERSPAN_III = 0x88BE, 0x22EB


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
    protocol = walk.number(at + 2, 2)  # scapy has a class of its own for version 1, which wants more bytes than there are
    at += size
    if flags & 0x40:  # source routes, RFC 1701: address family, offset, length; a zero length ends them
        while True:
            if not walk.has(at, 4, "gre"):
                return None
            length = walk.data[at + 3]
            at += 4 + length
            if not length:
                break
    note_tunnel(walk, "gre")
    if protocol in (ERSPAN, ERSPAN_III):
        note_tunnel(walk, "erspan")
        if protocol == ERSPAN and not flags & 0x10:
            walk.add("protocols", b"erspan")
            return "ethernet", at  # type I has no header
        return f"erspan {'III' if protocol == ERSPAN_III else 'II'}", at
    if protocol == 0x880B and at >= walk.wire_end:
        return None  # PPTP acknowledgement without payload
    name = ETHERTYPES.get(protocol)
    if name == "cisco metadata":
        return "cisco metadata of gre", at
    if name is None:
        note_leaf(walk, ETHERTYPE_LEAVES, protocol)
        return None
    return name, at


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
