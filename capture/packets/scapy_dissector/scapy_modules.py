"""Imports scapy: quietly, and only the layers that are used. All other files of this package take scapy from here.

`scapy.all` is slow and reads its configuration; importing modules one by one is neither. scapy logs warnings on import on
machines without IPv6 or without a default route, and at run time on odd packets: both go nowhere, a packet's oddities are
what our `error` field is for.
"""

from __future__ import annotations

import logging

logging.getLogger("scapy").setLevel(logging.CRITICAL)

from scapy.config import conf  # noqa: E402

conf.logLevel = logging.CRITICAL

from scapy.contrib.chdlc import CHDLC  # noqa: E402
from scapy.contrib.geneve import GENEVE  # noqa: E402
from scapy.contrib.gtp import GTP_U_Header  # noqa: E402 (for the layer tree, which finds it by its port)
from scapy.contrib.mpls import MPLS  # noqa: E402
from scapy.layers.dot11 import Dot11, RadioTap  # noqa: E402
from scapy.layers.inet import IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment  # noqa: E402
from scapy.layers.l2 import (  # noqa: E402
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
from scapy.layers.ppp import PPP, PPPoE  # noqa: E402
from scapy.layers.sctp import SCTP  # noqa: E402
from scapy.layers.vxlan import VXLAN  # noqa: E402

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
