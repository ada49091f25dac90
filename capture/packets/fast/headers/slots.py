"""Events of the walk through headers: fields of which a packet may have several values."""

from __future__ import annotations

from capture.packets.fast.headers.scratch import CELLS, FIRST_RARE

(
    VLAN_ID,
    VLAN_SVC_ID,
    VLAN_PRIO,
    MPLS_LABEL,
    IPV6_EXTENSION,
    TUNNEL,
    INNER_NETSRC,
    INNER_NETDST,
    INNER_TTL,
    INNER_TRANSPROTO,
    INNER_TRANSSRC,
    INNER_TRANSDST,
    INNER_TCP,
    QUOTED_NETSRC,
    QUOTED_NETDST,
    QUOTED_TRANSSRC,
    QUOTED_TRANSDST,
    TCP_OPTION,
    SCTP_CHUNK,
    VLAN_STACK,
) = range(20)

# rare cells follow: see scratch.FIRST_RARE
RARE = 20
SLOTS = RARE + CELLS - FIRST_RARE

# Events of one packet at most: 64 headers of some events each, TCP options, and (on top: one per 4 bytes) SCTP chunks.
PER_PACKET = 1024
