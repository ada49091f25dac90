"""Imports scapy: quietly, and only the layers that are used. All other files of this package take scapy from here.

`scapy.all` is slow and reads its configuration; importing modules one by one is neither. scapy logs warnings on import on
machines without IPv6 or without a default route (quiet.py), and at run time on odd packets: both go nowhere, a packet's oddities
are what our `error` field is for.
"""

from __future__ import annotations

from capture.packets.scapy_dissector.quiet import conf  # before the others

# isort: split
from scapy.contrib.chdlc import CHDLC
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header  # (for the layer tree, which finds it by its port)
from scapy.contrib.mpls import MPLS
from scapy.layers.dot11 import Dot11, RadioTap
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import (
    ARP,
    LLC,
    SNAP,
    CookedLinux,
    CookedLinuxV2,
    Dot1AD,
    Dot1AH,
    Dot1Q,
    Dot3,
    Ether,
    Loopback,
    LoopbackOpenBSD,
)
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.sctp import SCTP
from scapy.layers.vxlan import VXLAN

__all__ = [
    "ARP",
    "CHDLC",
    "GENEVE",
    "IP",
    "LLC",
    "MPLS",
    "PPP",
    "SCTP",
    "SNAP",
    "TCP",
    "UDP",
    "VXLAN",
    "CookedLinux",
    "CookedLinuxV2",
    "Dot1AD",
    "Dot1AH",
    "Dot1Q",
    "Dot3",
    "Dot11",
    "Ether",
    "GTP_U_Header",
    "IPv6",
    "IPv6ExtHdrFragment",
    "Loopback",
    "LoopbackOpenBSD",
    "PPPoE",
    "RadioTap",
    "conf",
]
