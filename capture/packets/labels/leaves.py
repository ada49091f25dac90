"""Protocols that a header names by number and that nobody here reads further: number -> Wireshark's short name.

Field `protocols` counts them where the number led to them, whether or not any byte of them is there. What is read further is not
here (ETHERTYPES, IP and PPP protocols of the dissectors). Every name stands in capture.packets.labels.layers.LAYERS, too.
"""

from __future__ import annotations

# Behind an EtherType (Ethernet, VLAN tag, cooked, SNAP of OUI 0 and 0000f8, GRE, Cisco HDLC ...). IEEE 802 numbers.
ETHERTYPE_LEAVES: dict[int, str] = {
    0x2000: "cdp", 0x22F4: "isis", 0x8137: "ipx", 0x8808: "macc", 0x8809: "slow", 0x8863: "pppoed", 0x872D: "wlccp",
    0x887B: "homeplug", 0x888E: "eapol", 0x8892: "pn_rt", 0x88A4: "ecatf", 0x88B8: "goose", 0x88C7: "eapol", 0x88CC: "lldp",
    0x88E1: "homeplug-av", 0x88E5: "macsec", 0x88F7: "ptp", 0x8902: "cfm", 0x8942: "lldp", 0x9000: "loop",
}  # fmt: skip

# The protocol of an IPv4 header, the next header of IPv6 and its extension headers. IANA protocol numbers.
IP_PROTOCOL_LEAVES: dict[int, str] = {
    2: "igmp", 33: "dccp", 46: "rsvp", 50: "esp", 88: "eigrp", 89: "ospf", 103: "pim", 108: "ipcomp", 112: "vrrp", 113: "pgm",
    115: "l2tp",
}  # fmt: skip

# DSAP of an LLC frame that carries information: control field UI (0x03 or 0x13), or an I frame (lowest bit 0). IEEE 802.2.
LLC_LEAVES: dict[int, str] = {0x10: "ipx", 0x42: "stp", 0xE0: "ipx", 0xF0: "netbios", 0xFE: "osi"}

# Of DSAP 0xfe: the network layer protocol id behind the LLC header (3 bytes with a U frame, 4 with an I frame), if it is there:
# counted beside `osi`. ISO/IEC TR 9577.
OSI_LEAVES: dict[int, str] = {0x83: "isis"}

# Protocol id of a SNAP header of Cisco's OUI 0x00000c.
CISCO_LEAVES: dict[int, str] = {
    0x0104: "pagp", 0x0108: "stp", 0x0109: "stp", 0x010B: "stp", 0x010C: "stp", 0x0111: "udld", 0x2000: "cdp", 0x2003: "vtp",
    0x2004: "dtp",
}  # fmt: skip

# Protocol field of PPP. IANA PPP numbers.
PPP_LEAVES: dict[int, str] = {
    0x002B: "ipx", 0x8021: "ipcp", 0x8057: "ipv6cp", 0x80FD: "ccp", 0xC021: "lcp", 0xC023: "pap", 0xC223: "chap", 0x0207: "cdp",
}  # fmt: skip
