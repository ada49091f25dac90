"""The names that field `protocols` gives: Wireshark's short names of the layers met in a packet, and when each is met.

A header's name counts as soon as the walk is led to it: by the link type, by the number in the header before, by a UDP port where
the table says so. It needs no byte of it, for what was cut or broken off is still known to have been there. A header with which
the walk ends in an error counts, too. Quoted packets (in ICMP errors) and what later fragments carry count for nothing.

    eth              an Ethernet header, also inside VXLAN, GRE (0x6558), ERSPAN, EtherIP, a pseudowire, 802.1ah, DSA and EDSA
    vlan             a tag of EtherType 0x8100, 0x9100, 0x9200, 0x9300
    ieee8021ad       a tag of EtherType 0x88a8
    ieee8021ah       the I-tag of EtherType 0x88e7
    cmd              Cisco MetaData, EtherType 0x8909 (in GRE laid out otherwise: the EtherType of what follows comes first)
    mpls             any MPLS label, also in UDP (where that is recognised) and behind IP protocol 137
    llc              an LLC header, with SNAP or without
    pppoes, ppp      PPPoE session; PPP behind it, behind GRE, L2TP, as link type
    sll              Linux cooked, version 1 and 2
    null             BSD and OpenBSD loopback
    raw              link types 12, 14 and 101 (raw IP; not 228 and 229, which say the version)
    wlan, radiotap   802.11 (every frame, also encrypted and management), radiotap before it
    arp              ARP and RARP (EtherTypes 0x0806, 0x8035; both are read as ARP)
    ip, ipv6         every IPv4 and IPv6 header, at any level
    ipv6.hopopts, ipv6.routing, ipv6.fraghdr, ipv6.dstopts, mipv6, hip, shim6
                     IPv6 extension headers 0, 43, 44, 60, 135, 139, 140
    ah               an authentication header behind IPv4 or IPv6
    icmp, icmpv6, gre, etherip, tcp, udp, udplite, sctp
                     IP protocols 1, 58, 47, 97, 6, 17, 136, 132
    erspan           GRE protocol 0x88be (types I, without a header of its own, and II) and 0x22eb (III)
    vxlan, geneve, gtp, teredo, l2tp
                     where the walk recognises the header behind UDP: as `appproto` names it, and `tunnel`
    leaves           capture.packets.labels.leaves: what a number names and nobody here reads further
    data             a payload (of a transport) with bytes on the wire that nobody recognised: `appproto` is `Payload`
    the others       short names of applications, where recognised: capture.packets.recognise.names

The position of a name in LAYERS is its bit in the masks of compiled loops; it is stored nowhere.
"""

from __future__ import annotations

MOST = 128  # bits of a mask

_HEADERS = (
    "eth", "vlan", "ieee8021ad", "ieee8021ah", "cmd", "mpls", "llc", "pppoes", "ppp", "chdlc", "fr", "sll", "null", "raw",
    "wlan", "radiotap", "arp", "ip", "ipv6", "ipv6.hopopts", "ipv6.routing", "ipv6.fraghdr", "ipv6.dstopts", "mipv6", "hip",
    "shim6", "ah", "icmp", "icmpv6", "gre", "erspan", "etherip", "tcp", "udp", "udplite", "sctp", "vxlan", "geneve", "gtp",
    "teredo", "l2tp",
)  # fmt: skip
_LEAVES = (
    "stp", "cdp", "vtp", "dtp", "udld", "pagp", "wlccp", "lldp", "eapol", "pppoed", "slow", "loop", "ipx", "macc", "macsec",
    "ptp", "pn_rt", "homeplug", "homeplug-av", "goose", "cfm", "ecatf", "igmp", "esp", "ospf", "eigrp", "pim", "vrrp", "rsvp",
    "ipcomp", "dccp", "pgm", "osi", "isis", "netbios", "lcp", "ipcp", "ipv6cp", "ccp", "pap", "chap",
)  # fmt: skip
_APPLICATIONS = (
    "tls", "http2", "sip", "rtsp", "http", "nbss", "smb", "bgp", "bittorrent", "stun", "dnp3", "ssdp", "dtls", "quic", "dhcp",
    "snmp", "smtp", "ftp", "pop", "imap", "irc", "ldap", "mqtt", "mbtcp", "modbus", "radius", "tftp", "telnet", "kerberos",
    "tpkt", "rdp", "ntp", "dhcpv6", "nbns", "ssh", "dns", "mdns", "llmnr", "smb2",
)  # fmt: skip

LAYERS: tuple[str, ...] = (*_HEADERS, *_LEAVES, "data", *_APPLICATIONS)

# Names of link types that only the scapy dissector reads.
RARE_LAYERS: tuple[str, ...] = (
    "fddi", "tr", "arcnet", "ipfc", "ipoib", "ipnet", "enc", "pflog", "nflog", "pktap", "ppi", "prism", "wlancap",
    "netanalyzer", "fpp",
)  # fmt: skip
