"""Link layers and their wrappers that scapy has classes for: Ethernet, VLAN, PBB, LLC/SNAP, MPLS, PPP(oE), cooked, loopback."""

from __future__ import annotations

from capture.packets.labels.leaves import CISCO_LEAVES, LLC_LEAVES, OSI_LEAVES, PPP_LEAVES
from capture.packets.scapy_dissector.ethertypes import PPP_PROTOCOLS, behind_ethertype, note_leaf
from capture.packets.scapy_dissector.link_fields import note_addresses, note_ethertype
from capture.packets.scapy_dissector.scapy_modules import (
    CHDLC,
    LLC,
    MPLS,
    SNAP,
    CookedLinux,
    CookedLinuxV2,
    Dot1AH,
    Dot1Q,
    Ether,
    PPPoE,
)
from capture.packets.scapy_dissector.walk import Step, Walk, handler

OSI = 0xFE  # DSAP
SLARP = 0x8035  # in Cisco HDLC: Cisco's keepalives, where EtherTypes have RARP
# Linux's packet type -> row of `direction`: to us, broadcast, multicast are inbound, ours is outbound; between others it is none
DIRECTIONS = {0: 0, 1: 0, 2: 0, 4: 1}
ADDRESS_FAMILIES = {2: "ipv4", 10: "ipv6", 24: "ipv6", 28: "ipv6", 30: "ipv6"}  # of Linux and the BSDs, Darwin


@handler("ethernet")
def ethernet(walk: Walk, at: int) -> Step:
    first = note_addresses(walk, at)
    if not walk.has(at, 14, "ethernet"):
        return None
    if first:
        note_ethertype(walk, at + 12)
    header = Ether(walk.data[at : at + 14], _internal=1)  # scapy makes it a Dot3 where the field is a length
    return behind_ethertype(walk, header.type if isinstance(header, Ether) else header.len, at + 14)


@handler("vlan")
def vlan(walk: Walk, at: int) -> Step:
    return _tag(walk, at, "vlan")


@handler("vlan svc")
def vlan_svc(walk: Walk, at: int) -> Step:
    """IEEE 802.1ad's service tag: another EtherType before it, else the same."""
    return _tag(walk, at, "vlan-svc")


def _tag(walk: Walk, at: int, field: str) -> Step:
    if not walk.has(at, 4, "vlan"):
        return None
    header = Dot1Q(walk.data[at : at + 4], _internal=1)
    walk.add(field, header.vlan)
    walk.add("vlan-prio", header.prio)
    if not walk.tagged:
        walk.tagged = True
        walk.add("vlan-outer", header.vlan)
    if not walk.networks:
        stack = walk.found.of("vlan-stack")
        walk.replace("vlan-stack", b",".join([*(one for one in stack if isinstance(one, bytes)), b"%d" % header.vlan]))
    return behind_ethertype(walk, header.type, at + 4)


@handler("pbb")
def pbb(walk: Walk, at: int) -> Step:
    """Provider backbone bridging, IEEE 802.1ah: the I-tag, then the customer's frame."""
    if not walk.has(at, 4, "pbb"):
        return None
    Dot1AH(walk.data[at : at + 4], _internal=1)
    return "ethernet", at + 4


@handler("cisco metadata")
def cisco_metadata(walk: Walk, at: int) -> Step:
    """Cisco MetaData (TrustSec SGT): version, length in units of 4 bytes of options, options, EtherType."""
    if not walk.has(at, 8, "cisco metadata"):
        return None
    return behind_ethertype(walk, int.from_bytes(walk.data[at + 6 : at + 8], "big"), at + 8)


@handler("cisco metadata of gre")
def cisco_metadata_of_gre(walk: Walk, at: int) -> Step:
    """In GRE the EtherType stands before the other parts."""
    if not walk.has(at, 8, "cisco metadata"):
        return None
    return behind_ethertype(walk, walk.number(at, 2), at + 8)


@handler("llc")
def llc(walk: Walk, at: int) -> Step:
    if not walk.has(at, 3, "llc"):
        return None
    header = LLC(walk.data[at : at + 3], _internal=1)
    if header.dsap == 0xAA and header.ssap == 0xAA and header.ctrl == 3:
        return "snap", at + 3
    if header.dsap == 0x06 and header.ssap == 0x06 and header.ctrl == 3:
        return "raw ip", at + 3  # RFC 948
    if header.ctrl & 1 == 0 or header.ctrl & 0xEF == 3:  # an I frame, or UI: it carries information
        note_leaf(walk, LLC_LEAVES, header.dsap)
        if header.dsap == OSI:
            following = at + (3 if header.ctrl & 1 else 4)
            if following < walk.end:
                note_leaf(walk, OSI_LEAVES, walk.data[following])
    return None


@handler("snap")
def snap(walk: Walk, at: int) -> Step:
    if not walk.has(at, 5, "snap"):
        return None
    header = SNAP(walk.data[at : at + 5], _internal=1)
    if header.OUI in (0x000000, 0x0000F8):  # RFC 1042; IEEE 802.1H
        return behind_ethertype(walk, header.code, at + 5) if header.code > 1500 else None
    if header.OUI == 0x00000C:
        note_leaf(walk, CISCO_LEAVES, header.code)
        return None
    if header.OUI == 0x0080C2 and header.code in (0x0001, 0x0007):  # RFC 2684: bridged Ethernet, with and without FCS
        return "ethernet", at + 5
    return None


@handler("mpls")
def mpls(walk: Walk, at: int) -> Step:
    """RFC 3032. What follows the stack is told by its first nibble: IP, or a pseudowire's control word (RFC 4385), Ethernet."""
    if not walk.has(at, 4, "mpls"):
        return None
    header = MPLS(walk.data[at : at + 4], _internal=1)
    walk.add("mpls-label", header.label)
    at += 4
    if not header.s:
        return "mpls", at
    if not walk.has(at, 1, "mpls", "truncated header"):
        return None
    nibble = walk.data[at] >> 4
    if nibble == 4:
        return "ipv4", at
    if nibble == 6:
        return "ipv6", at
    if nibble == 0 and walk.data[at : at + 4] != b"" and walk.data[at : at + 2] == b"\0\0":
        return "ethernet", at + 4
    if nibble == 1:
        return None  # associated channel header
    return "ethernet", at


@handler("pppoe")
def pppoe(walk: Walk, at: int) -> Step:
    """RFC 2516, session stage."""
    if not walk.has(at, 6, "pppoe"):
        return None
    header = PPPoE(walk.data[at : at + 6], _internal=1)
    if header.version != 1 or header.type != 1:
        walk.fail("pppoe: bad version")
        return None
    if header.code != 0:
        return None
    if at + 6 + header.len > walk.wire_end:
        walk.fail("pppoe: length beyond packet")
    else:
        walk.limit(at + 6 + header.len)
    return "ppp", at + 6


@handler("ppp")
def ppp(walk: Walk, at: int) -> Step:
    """RFC 1661, with or without HDLC address and control (RFC 1662), with or without protocol field compression."""
    if not walk.has(at, 1, "ppp"):
        return None
    if walk.data[at] == 0xFF:
        if not walk.has(at, 2, "ppp"):
            return None
        at += 2
        if not walk.has(at, 1, "ppp"):
            return None
    size = 1 if walk.data[at] & 1 else 2
    if not walk.has(at, size, "ppp"):
        return None
    protocol = walk.number(at, size)
    name = PPP_PROTOCOLS.get(protocol)
    if name is None:
        note_leaf(walk, PPP_LEAVES, protocol)
        return None
    return name, at + size


@handler("ppp hdlc")
def ppp_hdlc(walk: Walk, at: int) -> Step:
    """LINKTYPE_PPP_HDLC: PPP in HDLC framing, or Cisco HDLC, told by the address."""
    if not walk.has(at, 1, "ppp"):
        return None
    return ("chdlc" if walk.data[at] in (0x0F, 0x8F) else "ppp"), at


@handler("ppp with direction")
def ppp_with_direction(walk: Walk, at: int) -> Step:
    """A byte of direction before the frame (LINKTYPE_PPP_WITH_DIR), or in place of the HDLC address (LINKTYPE_PPP_PPPD)."""
    if not walk.has(at, 2, "ppp"):
        return None
    return "ppp", at + (2 if walk.data[at + 1] == 0x03 else 1)


@handler("chdlc")
def chdlc(walk: Walk, at: int) -> Step:
    if not walk.has(at, 4, "chdlc"):
        return None
    protocol = CHDLC(walk.data[at : at + 4], _internal=1).proto
    return behind_ethertype(walk, protocol, at + 4) if protocol > 1500 and protocol != SLARP else None


@handler("linux sll")
def linux_sll(walk: Walk, at: int) -> Step:
    if not walk.has(at, 16, "linux sll"):
        return None
    header = CookedLinux(walk.data[at : at + 16], _internal=1)
    return _cooked(walk, header.pkttype, header.proto, at + 16)


@handler("linux sll2")
def linux_sll2(walk: Walk, at: int) -> Step:
    if not walk.has(at, 20, "linux sll2"):
        return None
    header = CookedLinuxV2(walk.data[at : at + 20], _internal=1)
    return _cooked(walk, header.pkttype, header.proto, at + 20)


def _cooked(walk: Walk, kind: int, protocol: int, at: int) -> Step:
    if kind in DIRECTIONS:
        walk.add("direction", DIRECTIONS[kind])
    if protocol == 0x0004:  # LINUX_SLL_P_802_2
        return "llc", at
    return behind_ethertype(walk, protocol, at) if protocol > 1500 else None


@handler("null")
def null(walk: Walk, at: int) -> Step:
    """BSD loopback: the address family in the byte order of the machine that captured."""
    if not walk.has(at, 4, "null"):
        return None
    return _family(walk, at)


@handler("loop")
def loop(walk: Walk, at: int) -> Step:
    """OpenBSD loopback: the address family in network byte order."""
    if not walk.has(at, 4, "null"):
        return None
    return _family(walk, at)


def _family(walk: Walk, at: int) -> Step:
    """In either order (scapy's classes look at one byte only)."""
    raw = walk.data[at : at + 4]
    for number in (int.from_bytes(raw, "little"), int.from_bytes(raw, "big")):
        if number in ADDRESS_FAMILIES:
            return ADDRESS_FAMILIES[number], at + 4
    walk.fail("null: unknown address family")
    return None
