"""The scratch of one packet: where its walk stands, and what was found so far (cells). One int64 array `w`, reset per packet.

Cells hold one number a packet, NOTHING where the packet has none. Offsets are absolute, in the batch's data.
"""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import inlined

NOTHING = -1

# cells that most packets have; ETHERNET is the number of a pair of addresses
(
    NETSRC,
    NETDST,
    IP_VERSION,
    IP_PROTO,
    TTL,
    DSCP,
    IP_FLAGS,
    TRANSPROTO,
    TRANSSRC,
    TRANSDST,
    TCP_FLAGS,
    TCP_WINDOW,
    TCP_PAYLOAD,
    FLOW,
    ETHERNET,
    ETHERTYPE,
) = range(16)
FIRST_RARE = 16

# cells that few packets have: written as events, of slot RARE + the cell's number - FIRST_RARE
(
    APP,
    APP_PORT,
    ERROR,
    VLAN_OUTER,
    ARP_OP,
    ARP_SENDER,
    ARP_TARGET,
    FRAGMENT,
    ICMP_TYPE,
    ICMP_CODE,
    ICMPV6_TYPE,
    ICMPV6_CODE,
    TCP_MSS,
    TCP_WSCALE,
    DIRECTION,
    LEAF,  # what stands behind the last header, where nobody reads it: LEAF_... << 16 | its number
) = range(FIRST_RARE, 32)
CELLS = 32

# bits: sets of small numbers, as bits of a word
LAYERS_LOW, LAYERS_HIGH, OPTIONS = 32, 33, 34

LEAF_ETHERTYPE, LEAF_IP, LEAF_LLC, LEAF_OSI, LEAF_CISCO, LEAF_PPP = 1, 2, 3, 4, 5, 6

# where the walk stands
(
    AT,  # offset of the next header
    END,  # behind the last byte that may be read; length fields shrink it
    WIRE_END,  # the same as it was on the wire: bytes between the two were cut by the snaplen
    CAPTURED_END,  # behind the last captured byte, whatever length fields say
    NETWORKS,  # IP headers so far
    DIRECT,  # 1: what follows is directly behind the last IP header
    STRICT,  # 1: up to the first transport header: what is wrong is the packet's error
    SCTP_SEEN,
    PAYLOAD_AT,
    PAYLOAD_END,
    TRANSPORT,
    SOURCE,
    DESTINATION,
    PACKET,  # its number in the batch
    ETHERNETS,  # 1: an Ethernet header was there before
    WANT_MACS,  # 1: Ethernet addresses are wanted (not reset)
    WANT_OPTIONS,  # 1: TCP options are wanted (not reset)
    LENGTH_OF_W,
) = range(35, 53)


@inlined()
def fail(w, error):  # type: ignore[no-untyped-def]
    """Notes why decoding ends here (a position in DECODE_ERRORS). The first reason stays; behind the transport there is none."""
    if w[STRICT] and w[ERROR] == NOTHING:
        w[ERROR] = error


@inlined()
def has(w, at, size, error):  # type: ignore[no-untyped-def]
    """True if `size` bytes from `at` can be read. If not even the wire had them, that is an error."""
    if at + size <= w[END]:
        return True
    if at + size > w[WIRE_END]:
        fail(w, error)
    return False


@inlined()
def limit(w, end):  # type: ignore[no-untyped-def]
    """What follows ends at offset `end` at the latest (a length field said so; behind it is padding)."""
    if end < w[WIRE_END]:
        w[WIRE_END] = end
        w[END] = min(w[END], end)


@inlined()
def layer(w, bit):  # type: ignore[no-untyped-def]
    """The packet has the layer of this position in LAYERS."""
    if bit < 64:
        w[LAYERS_LOW] |= np.int64(np.uint64(1) << np.uint64(bit))
    else:
        w[LAYERS_HIGH] |= np.int64(np.uint64(1) << np.uint64(bit - 64))


@inlined()
def u16(data, at):  # type: ignore[no-untyped-def]
    """Two bytes, big-endian."""
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])


@inlined()
def u32(data, at):  # type: ignore[no-untyped-def]
    """Four bytes, big-endian."""
    return np.int64(data[at]) << 24 | np.int64(data[at + 1]) << 16 | np.int64(data[at + 2]) << 8 | np.int64(data[at + 3])


@inlined()
def u64(data, at):  # type: ignore[no-untyped-def]
    """Eight bytes, big-endian, as uint64."""
    return np.uint64(u32(data, at)) << np.uint64(32) | np.uint64(u32(data, at + 4))
