"""EtherTypes (IEEE 802 numbers) and ARP operation codes (IANA)."""

from __future__ import annotations

ETHERTYPES: dict[int, str] = {
    0x0800: "IPv4", 0x0806: "ARP", 0x0842: "Wake-on-LAN", 0x22EA: "SRP", 0x22F0: "AVTP", 0x22F3: "TRILL", 0x6002: "MOP-RC",
    0x6003: "DECnet", 0x6004: "LAT", 0x6558: "TEB", 0x8035: "RARP", 0x809B: "AppleTalk", 0x80F3: "AARP", 0x8100: "802.1Q",
    0x8102: "SLPP", 0x8137: "IPX", 0x8204: "QNX", 0x86DD: "IPv6", 0x8808: "Flow control", 0x8809: "Slow protocols",
    0x880B: "PPP", 0x8847: "MPLS", 0x8848: "MPLS multicast", 0x8863: "PPPoE discovery", 0x8864: "PPPoE session",
    0x886D: "Intel ANS", 0x8870: "Jumbo frames", 0x887B: "HomePlug 1.0", 0x888E: "EAPOL", 0x8892: "PROFINET",
    0x889A: "HyperSCSI", 0x88A2: "ATA over Ethernet", 0x88A4: "EtherCAT", 0x88A8: "802.1ad", 0x88AB: "Powerlink",
    0x88B8: "GOOSE", 0x88B9: "GSE", 0x88BA: "Sampled values", 0x88BE: "ERSPAN", 0x88C7: "802.11 pre-authentication",
    0x88CC: "LLDP", 0x88CD: "SERCOS III", 0x88E1: "HomePlug AV", 0x88E3: "MRP", 0x88E5: "MACsec", 0x88E7: "802.1ah",
    0x88F5: "MVRP", 0x88F6: "MMRP", 0x88F7: "PTP", 0x88F8: "NC-SI", 0x88FB: "PRP", 0x8902: "CFM", 0x8906: "FCoE",
    0x8909: "Cisco MetaData", 0x8914: "FIP", 0x8915: "RoCE", 0x891D: "TTE", 0x892F: "HSR", 0x893F: "802.1BR E-TAG",
    0x894F: "NSH", 0x9000: "Loopback", 0x9100: "802.1Q (9100)", 0x9200: "802.1Q (9200)", 0x9300: "802.1Q (9300)",
    0xCAFE: "VNTag (old)", 0x8926: "VNTag",
}  # fmt: skip

ARP_OPERATIONS: dict[int, str] = {
    1: "request", 2: "reply", 3: "RARP request", 4: "RARP reply", 5: "DRARP request", 6: "DRARP reply", 7: "DRARP error",
    8: "InARP request", 9: "InARP reply", 10: "ARP NAK",
}  # fmt: skip
