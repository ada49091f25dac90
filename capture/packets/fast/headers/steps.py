"""Numbers of the headers that the fast dissector reads; what follows an EtherType, a PPP protocol, a link type."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing, inlined

(
    DONE,
    ETHERNET,
    IPV4,
    IPV6,
    TCP,
    UDP,
    VLAN,
    VLAN_SVC,
    ARP,
    IPV6_EXTENSION,
    IPV6_FRAGMENT,
    AH,
    AH_IPV6,
    ICMP,
    ICMPV6,
    GRE,
    ERSPAN_I,
    ERSPAN_II,
    ERSPAN_III,
    ETHERIP,
    SCTP,
    UDPLITE,
    MPLS,
    PPPOE,
    PPP,
    PPP_HDLC,
    PPP_DIRECTION,
    CHDLC,
    PBB,
    CISCO_METADATA,
    CISCO_METADATA_OF_GRE,
    LLC,
    SNAP,
    SLL,
    SLL2,
    NULL,
    LOOP,
    RAW_IP,
    RADIOTAP,
    WLAN,
    WLAN_PADDED,
    VXLAN,
    GENEVE,
    GTPU,
    TEREDO,
    MPLS_IN_UDP,
    L2TP,
    PAYLOAD,
) = range(48)

# What is not here goes to scapy. LINKTYPE number -> first header
FIRST_HEADERS: dict[int, int] = {
    0: NULL,
    1: ETHERNET,
    9: PPP,
    12: RAW_IP,
    14: RAW_IP,
    50: PPP_HDLC,
    51: PPPOE,
    101: RAW_IP,
    104: CHDLC,
    105: WLAN,
    108: LOOP,
    113: SLL,
    127: RADIOTAP,
    166: PPP_DIRECTION,
    204: PPP_DIRECTION,
    219: MPLS,
    228: IPV4,
    229: IPV6,
    276: SLL2,
}


def first_headers() -> np.ndarray:
    """uint8 (65536,): the first header of each link type, DONE for those that fast cannot take."""
    table = np.zeros(65536, np.uint8)
    for linktype, step in FIRST_HEADERS.items():
        table[linktype] = step
    return table


@inlined()
def of_ethertype(ethertype):  # type: ignore[no-untyped-def]
    """The header behind an EtherType (above 1500)."""
    if ethertype == 0x0800:
        return IPV4
    if ethertype == 0x86DD:
        return IPV6
    if ethertype == 0x0806 or ethertype == 0x8035:
        return ARP
    if ethertype == 0x8100 or ethertype == 0x9100 or ethertype == 0x9200 or ethertype == 0x9300:
        return VLAN
    if ethertype == 0x88A8:
        return VLAN_SVC
    if ethertype == 0x8847 or ethertype == 0x8848:
        return MPLS
    if ethertype == 0x8864:
        return PPPOE
    if ethertype == 0x880B:
        return PPP
    if ethertype == 0x88E7:
        return PBB
    if ethertype == 0x8909:
        return CISCO_METADATA
    if ethertype == 0x6558:
        return ETHERNET
    return DONE


@borrowing()
def of_ppp(protocol):  # type: ignore[no-untyped-def]
    """The header behind a PPP protocol number."""
    if protocol == 0x0021:
        return IPV4
    if protocol == 0x0057:
        return IPV6
    if protocol == 0x0281 or protocol == 0x0283:
        return MPLS
    return DONE


@borrowing()
def of_family(family):  # type: ignore[no-untyped-def]
    """The header behind an address family of Linux, the BSDs or Darwin."""
    if family == 2:
        return IPV4
    if family == 10 or family == 24 or family == 28 or family == 30:
        return IPV6
    return DONE
