"""Which field is which cell, bits or events of the walk through headers."""

from __future__ import annotations

from capture.packets.fast.headers import scratch, slots

NETPROTO = {4: b"IPv4", 6: b"IPv6"}
TRANSPROTO = {1: b"TCP", 2: b"UDP", 3: b"UDPLite", 4: b"SCTP"}

# fields whose row id is a cell's number
NUMBERS: dict[str, int] = {
    "transsrc": scratch.TRANSSRC,
    "transdst": scratch.TRANSDST,
    "ethertype": scratch.ETHERTYPE,
    "ip-version": scratch.IP_VERSION,
    "ip-proto": scratch.IP_PROTO,
    "ttl": scratch.TTL,
    "dscp": scratch.DSCP,
    "tcp-window": scratch.TCP_WINDOW,
}
ADDRESSES: dict[str, int] = {
    "netsrc": scratch.NETSRC,
    "netdst": scratch.NETDST,
}
# all cells that a field needs
NEEDED: dict[str, tuple[int, ...]] = {
    **{name: (cell,) for name, cell in (NUMBERS | ADDRESSES).items()},
    "netproto": (scratch.IP_VERSION,),
    "transproto": (scratch.TRANSPROTO,),
    "netaddr": (scratch.NETSRC, scratch.NETDST),
    "port": (scratch.TRANSSRC, scratch.TRANSDST),
    "tcp": (scratch.TCP_FLAGS,),
    "tcp-flagset": (scratch.TCP_FLAGS,),
    "tcp-payload-length": (scratch.TCP_PAYLOAD,),
    "ip-flags": (scratch.IP_FLAGS,),
    "community-id": (scratch.FLOW,),
    "eth-src": (scratch.ETHERNET,),
    "eth-dst": (scratch.ETHERNET,),
}


def _rare(cell: int) -> int:
    return slots.RARE + cell - scratch.FIRST_RARE


APP, APP_PORT, LEAF, ERROR = (_rare(cell) for cell in (scratch.APP, scratch.APP_PORT, scratch.LEAF, scratch.ERROR))

# fields whose row ids are the numbers of a slot's events
EVENT_NUMBERS: dict[str, int] = {
    "vlan": slots.VLAN_ID,
    "vlan-svc": slots.VLAN_SVC_ID,
    "vlan-prio": slots.VLAN_PRIO,
    "mpls-label": slots.MPLS_LABEL,
    "ipv6-extension": slots.IPV6_EXTENSION,
    "tunnel": slots.TUNNEL,
    "inner-ttl": slots.INNER_TTL,
    "inner-transsrc": slots.INNER_TRANSSRC,
    "inner-transdst": slots.INNER_TRANSDST,
    "inner-tcp": slots.INNER_TCP,
    "quoted-transsrc": slots.QUOTED_TRANSSRC,
    "quoted-transdst": slots.QUOTED_TRANSDST,
    "tcp-option": slots.TCP_OPTION,
    "sctp-chunk": slots.SCTP_CHUNK,
    "error": _rare(scratch.ERROR),
    "vlan-outer": _rare(scratch.VLAN_OUTER),
    "arp-op": _rare(scratch.ARP_OP),
    "fragment": _rare(scratch.FRAGMENT),
    "icmp-type": _rare(scratch.ICMP_TYPE),
    "icmp-code": _rare(scratch.ICMP_CODE),
    "icmpv6-type": _rare(scratch.ICMPV6_TYPE),
    "icmpv6-code": _rare(scratch.ICMPV6_CODE),
    "tcp-mss": _rare(scratch.TCP_MSS),
    "tcp-wscale": _rare(scratch.TCP_WSCALE),
    "direction": _rare(scratch.DIRECTION),
}
EVENT_ADDRESSES: dict[str, int] = {
    "inner-netsrc": slots.INNER_NETSRC,
    "inner-netdst": slots.INNER_NETDST,
    "quoted-netsrc": slots.QUOTED_NETSRC,
    "quoted-netdst": slots.QUOTED_NETDST,
    "arp-sender": _rare(scratch.ARP_SENDER),
    "arp-target": _rare(scratch.ARP_TARGET),
}
# fields of which two cells are values
EITHER: dict[str, tuple[int, int]] = {
    "netaddr": (scratch.NETSRC, scratch.NETDST),
    "port": (scratch.TRANSSRC, scratch.TRANSDST),
}
# fields for which TCP's options must be read
OF_OPTIONS = frozenset({"tcp-option", "tcp-mss", "tcp-wscale"})
# fields that need the words of bits
OF_WORDS = frozenset({"protocols", "tcp-option"})
