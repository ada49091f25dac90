"""EtherTypes and PPP protocol numbers -> the header that follows. IEEE 802 numbers, IANA PPP numbers."""

from __future__ import annotations

from capture.packets.labels.leaves import ETHERTYPE_LEAVES
from capture.packets.scapy_dissector.walk import Step, Walk

ETHERTYPES = {
    0x0800: "ipv4",
    0x0806: "arp",
    0x8035: "arp",  # RARP, RFC 903: the same layout
    0x86DD: "ipv6",
    0x8100: "vlan",
    0x88A8: "vlan svc",
    0x9100: "vlan",
    0x9200: "vlan",
    0x9300: "vlan",
    0x8847: "mpls",
    0x8848: "mpls",
    0x8864: "pppoe",
    0x880B: "ppp",
    0x88E7: "pbb",
    0x8909: "cisco metadata",
    0x6558: "ethernet",  # transparent Ethernet bridging, RFC 1701
}

PPP_PROTOCOLS = {0x0021: "ipv4", 0x0057: "ipv6", 0x0281: "mpls", 0x0283: "mpls"}


def behind_ethertype(walk: Walk, ethertype: int, at: int) -> Step:
    """The step behind an EtherType or IEEE 802.3 length field: up to 1500 it is the length of an LLC frame (802.3, 3.2.6)."""
    if ethertype <= 1500:
        walk.limit(at + ethertype)
        return ("llc", at) if ethertype else None
    name = ETHERTYPES.get(ethertype)
    if name is None:
        note_leaf(walk, ETHERTYPE_LEAVES, ethertype)
        return None
    return name, at


def note_leaf(walk: Walk, leaves: dict[int, str], number: int) -> None:
    """A layer that is named by its number and not read."""
    leaf = leaves.get(number)
    if leaf:
        walk.add("protocols", leaf.encode())
