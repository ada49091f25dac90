"""Positions of layers in the masks of the compiled walk."""

from __future__ import annotations

import numpy as np

from capture.packets.fast.headers import steps
from capture.packets.labels.layers import LAYERS

NAMES = LAYERS
BIT = {name: position for position, name in enumerate(LAYERS)}

RAW, VXLAN, GENEVE, GTP, TEREDO, L2TP, DATA = (BIT[name] for name in ("raw", "vxlan", "geneve", "gtp", "teredo", "l2tp", "data"))
FIRST_EXTENSION = {0: "ipv6.hopopts", 43: "ipv6.routing", 60: "ipv6.dstopts", 135: "mipv6", 139: "hip", 140: "shim6"}

_OF_STEP = {
    "eth": (steps.ETHERNET,),
    "vlan": (steps.VLAN,),
    "ieee8021ad": (steps.VLAN_SVC,),
    "ieee8021ah": (steps.PBB,),
    "cmd": (steps.CISCO_METADATA, steps.CISCO_METADATA_OF_GRE),
    "mpls": (steps.MPLS,),
    "llc": (steps.LLC,),
    "pppoes": (steps.PPPOE,),
    "ppp": (steps.PPP,),
    "chdlc": (steps.CHDLC,),
    "sll": (steps.SLL, steps.SLL2),
    "null": (steps.NULL, steps.LOOP),
    "wlan": (steps.WLAN, steps.WLAN_PADDED),
    "radiotap": (steps.RADIOTAP,),
    "arp": (steps.ARP,),
    "ip": (steps.IPV4,),
    "ipv6": (steps.IPV6,),
    "ipv6.fraghdr": (steps.IPV6_FRAGMENT,),
    "ah": (steps.AH, steps.AH_IPV6),
    "icmp": (steps.ICMP,),
    "icmpv6": (steps.ICMPV6,),
    "gre": (steps.GRE,),
    "etherip": (steps.ETHERIP,),
    "erspan": (steps.ERSPAN_I, steps.ERSPAN_II, steps.ERSPAN_III),
    "tcp": (steps.TCP,),
    "udp": (steps.UDP,),
    "udplite": (steps.UDPLITE,),
    "sctp": (steps.SCTP,),
}


def _of_step() -> np.ndarray:
    table = np.full(64, 255, np.uint8)
    for name, numbers in _OF_STEP.items():
        for step in numbers:
            table[step] = BIT[name]
    return table


# step -> bit of the layer that counts once the walk is led to it; 255: none, or the handler says
OF_STEP = _of_step()


def _of_extension() -> np.ndarray:
    table = np.full(256, 255, np.uint8)
    for number, name in FIRST_EXTENSION.items():
        table[number] = BIT[name]
    return table


# number of an IPv6 extension header -> bit
OF_EXTENSION = _of_extension()


def members(word: int) -> list[int]:
    """The bits that are set."""
    return [bit for bit in range(word.bit_length()) if word >> bit & 1]
