"""IP protocol numbers, DSCP names, ICMP types (IANA), and the closed list of tunnels."""

from __future__ import annotations

IP_PROTOCOLS: dict[int, str] = {
    0: "Hop-by-hop options", 1: "ICMP", 2: "IGMP", 3: "GGP", 4: "IPv4", 5: "ST", 6: "TCP", 7: "CBT", 8: "EGP", 9: "IGP",
    12: "PUP", 17: "UDP", 20: "HMP", 22: "XNS-IDP", 27: "RDP", 29: "ISO-TP4", 33: "DCCP", 36: "XTP", 37: "DDP", 41: "IPv6",
    43: "Routing", 44: "Fragment", 45: "IDRP", 46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH", 54: "NARP", 55: "Minimal IP",
    57: "SKIP", 58: "ICMPv6", 59: "No next header", 60: "Destination options", 73: "RSPF", 80: "ISO-IP", 81: "VMTP",
    88: "EIGRP", 89: "OSPF", 92: "MTP", 93: "AX.25", 94: "IPIP", 97: "EtherIP", 98: "ENCAP", 103: "PIM", 108: "IPComp",
    112: "VRRP", 113: "PGM", 115: "L2TP", 124: "IS-IS", 132: "SCTP", 133: "FC", 135: "Mobility", 136: "UDPLite",
    137: "MPLS", 138: "MANET", 139: "HIP", 140: "Shim6", 141: "WESP", 142: "ROHC", 143: "Ethernet", 144: "AGGFRAG",
    145: "NSH", 253: "Experiment 1", 254: "Experiment 2", 255: "Reserved",
}  # fmt: skip

IPV6_EXTENSIONS: dict[int, str] = {
    0: "Hop-by-hop options", 43: "Routing", 44: "Fragment", 51: "AH", 60: "Destination options", 135: "Mobility", 139: "HIP",
    140: "Shim6",
}  # fmt: skip

DSCP: dict[int, str] = {
    0: "CS0", 1: "LE", 8: "CS1", 10: "AF11", 12: "AF12", 14: "AF13", 16: "CS2", 18: "AF21", 20: "AF22", 22: "AF23", 24: "CS3",
    26: "AF31", 28: "AF32", 30: "AF33", 32: "CS4", 34: "AF41", 36: "AF42", 38: "AF43", 40: "CS5", 44: "VOICE-ADMIT",
    45: "NQB", 46: "EF", 48: "CS6", 56: "CS7",
}  # fmt: skip

ICMP_TYPES: dict[int, str] = {
    0: "Echo reply", 3: "Destination unreachable", 4: "Source quench", 5: "Redirect", 6: "Alternate host address",
    8: "Echo request", 9: "Router advertisement", 10: "Router solicitation", 11: "Time exceeded", 12: "Parameter problem",
    13: "Timestamp", 14: "Timestamp reply", 15: "Information request", 16: "Information reply", 17: "Address mask request",
    18: "Address mask reply", 30: "Traceroute", 31: "Datagram conversion error", 32: "Mobile host redirect",
    37: "Domain name request", 38: "Domain name reply", 40: "Photuris", 42: "Extended echo request", 43: "Extended echo reply",
}  # fmt: skip

ICMPV6_TYPES: dict[int, str] = {
    1: "Destination Unreachable", 2: "Packet Too Big", 3: "Time Exceeded", 4: "Parameter Problem", 128: "Echo Request",
    129: "Echo Reply", 130: "Multicast Listener Query", 131: "Multicast Listener Report", 132: "Multicast Listener Done",
    133: "Router Solicitation", 134: "Router Advertisement", 135: "Neighbor Solicitation", 136: "Neighbor Advertisement",
    137: "Redirect", 138: "Router Renumbering", 139: "Node Information Query", 140: "Node Information Response",
    141: "Inverse Neighbor Solicitation", 142: "Inverse Neighbor Advertisement", 143: "Multicast Listener Report v2",
    144: "Home Agent Address Discovery Request", 145: "Home Agent Address Discovery Reply", 146: "Mobile Prefix Solicitation",
    147: "Mobile Prefix Advertisement", 148: "Certification Path Solicitation", 149: "Certification Path Advertisement",
    151: "Multicast Router Advertisement", 152: "Multicast Router Solicitation", 153: "Multicast Router Termination",
    154: "FMIPv6", 155: "RPL Control", 157: "Duplicate Address Request", 158: "Duplicate Address Confirmation",
    160: "Extended Echo Request", 161: "Extended Echo Reply",
}  # fmt: skip

# The position is the row id, for ever: append only. Dissectors set those that they follow today.
TUNNELS: tuple[str, ...] = (
    "ipip", "6in4", "4in6", "6in6", "gre", "erspan", "vxlan", "geneve", "gtp-u", "teredo", "l2tp", "mpls-in-udp", "mpls-in-ip",
    "etherip", "vxlan-gpe", "nvgre", "pptp", "esp", "esp-in-udp", "wireguard", "openvpn", "capwap", "lwapp", "ayiya", "lisp",
    "nsh", "gue", "fou", "l2tpv3", "amt", "pim-register", "tzsp", "cisco-erspan-udp", "sstp", "nflog", "dtls-vpn",
)  # fmt: skip
