"""IPv4, IPv6 with its extension headers, AH, ICMP and what its errors quote, in compiled loops."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing, inlined
from capture.packets.fast.addresses import FLOW as KIND_FLOW
from capture.packets.fast.addresses import IPV4, IPV6, add
from capture.packets.fast.headers import bits, errors, slots, steps
from capture.packets.fast.headers.scratch import (
    AT,
    DIRECT,
    DSCP,
    END,
    FLOW,
    FRAGMENT,
    ICMP_CODE,
    ICMP_TYPE,
    ICMPV6_CODE,
    ICMPV6_TYPE,
    IP_FLAGS,
    IP_PROTO,
    IP_VERSION,
    LEAF,
    LEAF_IP,
    NETDST,
    NETSRC,
    NETWORKS,
    NOTHING,
    PACKET,
    TTL,
    fail,
    has,
    layer,
    limit,
    u16,
    u32,
    u64,
)
from capture.packets.fast.out import number
from capture.packets.labels.network import TUNNELS

IPIP, SIX_IN_4, FOUR_IN_6, SIX_IN_6, MPLS_IN_IP, ETHERIP = (
    TUNNELS.index(name) for name in ("ipip", "6in4", "4in6", "6in6", "mpls-in-ip", "etherip")
)
WHOLE, FIRST, MIDDLE, LAST, ATOMIC = -1, 0, 1, 2, 3  # positions in the choices of field `fragment`


@inlined()
def note_flow(w, flows, protocol, source, destination, has_ports):  # type: ignore[no-untyped-def]
    """The conversation of the first IP header. Both directions are one flow, save for ICMP's, whose types differ."""
    here, there = w[NETSRC], w[NETDST]
    if here > there and protocol != 1 and protocol != 58:
        here, there, source, destination = there, here, destination, source
    first = np.uint64(here) << np.uint64(32) | np.uint64(there)
    second = np.uint64(has_ports << 40 | protocol << 32 | source << 16 | destination)
    w[FLOW] = add(flows, first, second, np.uint8(KIND_FLOW))


@inlined()
def behind_ip(w, protocol, at, ipv6, out, flows):  # type: ignore[no-untyped-def]
    """The step behind an IP header or extension header that names `protocol` as the next."""
    w[AT] = at
    if protocol == 6:
        return steps.TCP
    if protocol == 17:
        return steps.UDP
    if protocol == 1:
        return steps.ICMP
    if protocol == 58:
        return steps.ICMPV6
    if protocol == 132:
        return steps.SCTP
    if protocol == 136:
        return steps.UDPLITE
    if protocol == 51:
        return steps.AH_IPV6 if ipv6 else steps.AH
    if w[NETWORKS] == 1 and len(flows.slots) > 1:
        note_flow(w, flows, protocol, 0, 0, 0)
    step = steps.DONE
    tunnel = -1
    if protocol == 4:
        step, tunnel = steps.IPV4, FOUR_IN_6 if ipv6 else IPIP
    elif protocol == 41:
        step, tunnel = steps.IPV6, SIX_IN_6 if ipv6 else SIX_IN_4
    elif protocol == 47:
        step = steps.GRE
    elif protocol == 97:
        step, tunnel = steps.ETHERIP, ETHERIP
    elif protocol == 137:
        step, tunnel = steps.MPLS, MPLS_IN_IP
    if step == steps.DONE:
        w[LEAF] = LEAF_IP << 16 | protocol
    else:
        w[DIRECT] = 0
    if tunnel >= 0:
        number(out, slots.TUNNEL, w[PACKET], tunnel)
    return step


@inlined()
def _note_network(w, version, source, destination, ttl, out):  # type: ignore[no-untyped-def]
    w[NETWORKS] += 1
    w[DIRECT] = 1
    if w[NETWORKS] == 1:
        w[IP_VERSION] = version
        w[NETSRC] = source
        w[NETDST] = destination
        w[TTL] = ttl
        return True
    number(out, slots.INNER_NETSRC, w[PACKET], source)
    number(out, slots.INNER_NETDST, w[PACKET], destination)
    number(out, slots.INNER_TTL, w[PACKET], ttl)
    return False


@inlined()
def ipv4(data, w, at, table, flows, out):  # type: ignore[no-untyped-def]
    """RFC 791."""
    if has(w, at, 1, errors.IPV4) and data[at] >> 4 != 4:
        fail(w, errors.IPV4_VERSION)
        return steps.DONE
    if not has(w, at, 20, errors.IPV4):
        return steps.DONE
    size = np.int64(data[at] & 15) * 4
    if size < 20:
        fail(w, errors.IPV4_HEADER_LENGTH)
        return steps.DONE
    source = add(table, np.uint64(0), np.uint64(u32(data, at + 12)), np.uint8(IPV4))
    destination = add(table, np.uint64(0), np.uint64(u32(data, at + 16)), np.uint8(IPV4))
    fragment = u16(data, at + 6)
    protocol = np.int64(data[at + 9])
    if _note_network(w, 4, source, destination, np.int64(data[at + 8]), out):
        w[IP_PROTO] = protocol
        w[DSCP] = data[at + 1] >> 2
        if fragment & 0xE000:
            w[IP_FLAGS] = (fragment >> 14 & 1) | (fragment >> 12 & 2) | (fragment >> 13 & 4)
        if fragment & 0x3FFF:
            more, offset = fragment & 0x2000, fragment & 0x1FFF
            w[FRAGMENT] = FIRST if not offset else MIDDLE if more else LAST
    total = u16(data, at + 2)
    if 0 < total < size:
        fail(w, errors.IPV4_TOTAL_LENGTH)
        return steps.DONE
    if total:  # 0: left to the network card (TCP segmentation offload), the packet's length counts
        limit(w, at + total)
    if not has(w, at, size, errors.IPV4):
        return steps.DONE
    if fragment & 0x1FFF:
        return steps.DONE  # a later fragment: what follows is no header
    return behind_ip(w, protocol, at + size, False, out, flows)


@borrowing()
def ipv6(data, w, at, table, flows, out):  # type: ignore[no-untyped-def]
    """RFC 8200."""
    if has(w, at, 1, errors.IPV6) and data[at] >> 4 != 6:
        fail(w, errors.IPV6_VERSION)
        return steps.DONE
    if not has(w, at, 40, errors.IPV6):
        return steps.DONE
    source = add(table, u64(data, at + 8), u64(data, at + 16), np.uint8(IPV6))
    destination = add(table, u64(data, at + 24), u64(data, at + 32), np.uint8(IPV6))
    protocol = np.int64(data[at + 6])
    if _note_network(w, 6, source, destination, np.int64(data[at + 7]), out):
        w[IP_PROTO] = protocol
        w[DSCP] = u16(data, at) >> 6 & 0x3F
    length = u16(data, at + 4)
    if length:  # 0: a jumbogram (RFC 2675) or segmentation offload
        limit(w, at + 40 + length)
    return _behind_ipv6(w, protocol, at + 40, out, flows)


@borrowing()
def _behind_ipv6(w, protocol, at, out, flows):  # type: ignore[no-untyped-def]
    if bits.OF_EXTENSION[protocol] != 255:
        layer(w, bits.OF_EXTENSION[protocol])
        w[AT] = at
        w[LEAF] = protocol  # which extension header it is, for its handler
        return steps.IPV6_EXTENSION
    if protocol == 44:
        w[AT] = at
        return steps.IPV6_FRAGMENT
    return behind_ip(w, protocol, at, True, out, flows)


@borrowing()
def ipv6_extension(data, w, at, flows, out):  # type: ignore[no-untyped-def]
    """The common form: next header, length in units of 8 bytes without the first 8."""
    kind = w[LEAF]
    w[LEAF] = NOTHING
    if not has(w, at, 8, errors.IPV6_EXTENSION):
        return steps.DONE
    if w[NETWORKS] == 1:
        number(out, slots.IPV6_EXTENSION, w[PACKET], kind)
    size = 8 * (np.int64(data[at + 1]) + 1)
    if not has(w, at, size, errors.IPV6_EXTENSION_LENGTH):
        return steps.DONE
    return _behind_ipv6(w, np.int64(data[at]), at + size, out, flows)


@borrowing()
def ipv6_fragment(data, w, at, flows, out):  # type: ignore[no-untyped-def]
    if not has(w, at, 8, errors.IPV6_FRAGMENT):
        return steps.DONE
    word = u16(data, at + 2)
    if w[NETWORKS] == 1:
        number(out, slots.IPV6_EXTENSION, w[PACKET], 44)
        more, offset = word & 1, word >> 3
        if offset:
            w[FRAGMENT] = MIDDLE if more else LAST
        else:
            w[FRAGMENT] = FIRST if more else ATOMIC
    if word >> 3:
        return steps.DONE
    return _behind_ipv6(w, np.int64(data[at]), at + 8, out, flows)


@borrowing()
def ah(data, w, at, ipv6, flows, out):  # type: ignore[no-untyped-def]
    """RFC 4302."""
    if not has(w, at, 12, errors.AH):
        return steps.DONE
    if ipv6 and w[NETWORKS] == 1:
        number(out, slots.IPV6_EXTENSION, w[PACKET], 51)
    size = 4 * (np.int64(data[at + 1]) + 2)
    if size < 12:
        fail(w, errors.AH_LENGTH)
        return steps.DONE
    if not has(w, at, size, errors.AH):
        return steps.DONE
    if ipv6:
        return _behind_ipv6(w, np.int64(data[at]), at + size, out, flows)
    return behind_ip(w, np.int64(data[at]), at + size, False, out, flows)


@borrowing()
def icmp(data, w, at, table, flows, out):  # type: ignore[no-untyped-def]
    """RFC 792. What an error quotes has fields of its own."""
    if at < w[END] and w[ICMP_TYPE] == NOTHING:
        w[ICMP_TYPE] = data[at]
        if at + 2 <= w[END]:
            w[ICMP_CODE] = data[at + 1]
    if w[NETWORKS] == 1 and at + 2 <= w[END] and len(flows.slots) > 1:
        note_flow(w, flows, 1, np.int64(data[at]), np.int64(data[at + 1]), 1)
    if has(w, at, 4, errors.ICMP):
        kind = data[at]
        if kind == 3 or kind == 4 or kind == 5 or kind == 11 or kind == 12:
            _quote(data, w, at + 8, table, out)
    return steps.DONE


@borrowing()
def icmpv6(data, w, at, table, flows, out):  # type: ignore[no-untyped-def]
    """RFC 4443."""
    if at < w[END] and w[ICMPV6_TYPE] == NOTHING:
        w[ICMPV6_TYPE] = data[at]
        if at + 2 <= w[END]:
            w[ICMPV6_CODE] = data[at + 1]
    if w[NETWORKS] == 1 and at + 2 <= w[END] and len(flows.slots) > 1:
        note_flow(w, flows, 58, np.int64(data[at]), np.int64(data[at + 1]), 1)
    if has(w, at, 4, errors.ICMPV6) and 1 <= data[at] <= 4:
        _quote(data, w, at + 8, table, out)
    return steps.DONE


@borrowing()
def _quote(data, w, at, table, out):  # type: ignore[no-untyped-def]
    """Addresses and ports of the packet that an ICMP error quotes. Nothing wrong in it is an error."""
    end = w[END]
    if at + 20 <= end and data[at] >> 4 == 4 and data[at] & 15 >= 5:
        source = add(table, np.uint64(0), np.uint64(u32(data, at + 12)), np.uint8(IPV4))
        destination = add(table, np.uint64(0), np.uint64(u32(data, at + 16)), np.uint8(IPV4))
        protocol = np.int64(data[at + 9])
        later = u16(data, at + 6) & 0x1FFF
        at += np.int64(data[at] & 15) * 4
    elif at + 40 <= end and data[at] >> 4 == 6:
        source = add(table, u64(data, at + 8), u64(data, at + 16), np.uint8(IPV6))
        destination = add(table, u64(data, at + 24), u64(data, at + 32), np.uint8(IPV6))
        protocol = np.int64(data[at + 6])
        later = np.int64(0)
        at += 40
        for _ in range(16):
            if at + 8 > end:
                break
            if protocol == 44:
                later = u16(data, at + 2) >> 3
                protocol = np.int64(data[at])
                at += 8
            elif protocol == 51:
                protocol, at = np.int64(data[at]), at + 4 * (np.int64(data[at + 1]) + 2)
            elif bits.OF_EXTENSION[protocol] != 255:
                protocol, at = np.int64(data[at]), at + 8 * (np.int64(data[at + 1]) + 1)
            else:
                break
            if later:
                break
    else:
        return
    number(out, slots.QUOTED_NETSRC, w[PACKET], source)
    number(out, slots.QUOTED_NETDST, w[PACKET], destination)
    if not later and at + 4 <= end and (protocol == 6 or protocol == 17 or protocol == 132 or protocol == 136):
        number(out, slots.QUOTED_TRANSSRC, w[PACKET], u16(data, at))
        number(out, slots.QUOTED_TRANSDST, w[PACKET], u16(data, at + 2))
