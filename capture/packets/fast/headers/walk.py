"""The loop over a batch: each packet's headers walked from its link type to its payload."""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.addresses import PER_PACKET, TABLE, grown
from capture.packets.fast.headers import bits, errors, link, network, slots, steps, transport, tunnels, wireless
from capture.packets.fast.headers.scratch import (
    AT,
    CAPTURED_END,
    CELLS,
    DESTINATION,
    DIRECT,
    END,
    ERROR,
    ETHERNET,
    ETHERNETS,
    FIRST_RARE,
    LAYERS_HIGH,
    LAYERS_LOW,
    LENGTH_OF_W,
    NETWORKS,
    NOTHING,
    OPTIONS,
    PACKET,
    PAYLOAD_AT,
    PAYLOAD_END,
    SCTP_SEEN,
    SOURCE,
    STRICT,
    TRANSPORT,
    WANT_MACS,
    WANT_OPTIONS,
    WIRE_END,
    layer,
)
from capture.packets.fast.out import DATA, OUT, PAYLOADS, number, room
from capture.packets.fast.prefetch import prefetch

AHEAD = 8  # packets between the hint that one will be read, and its turn
MOST_HEADERS = 64  # a bound for hostile packets; every step also moves on in the packet

_U8, _U32, _I64 = types.uint8[::1], types.uint32[::1], types.int64[::1]
_SIGNATURE = types.Tuple((OUT, TABLE, TABLE))(
    DATA,  # bytes of the batch
    _I64,  # start of each packet
    _I64,  # captured length
    _I64,  # wire length
    _I64,  # link type
    _U8,  # first header of each link type
    _I64,  # cells wanted, of those before FIRST_RARE
    types.boolean,  # TCP options are wanted
    types.uint32[:, ::1],  # out: (cells wanted, n)
    types.uint64[:, ::1],  # out: (3, n) bits: layers low, layers high, TCP options; (3, 0) where not wanted
    PAYLOADS,
    TABLE,  # addresses
    TABLE,  # flows; with one slot: not wanted
    OUT,
)


@borrowing()
def _link(step, data, w, at, out):  # type: ignore[no-untyped-def]
    if step == steps.VLAN_SVC:
        return link.vlan(data, w, at, out, slots.VLAN_SVC_ID)
    if step == steps.MPLS:
        return link.mpls(data, w, at, out)
    if step == steps.PPPOE:
        return link.pppoe(data, w, at)
    if step == steps.PPP:
        return link.ppp(data, w, at)
    if step == steps.LLC:
        return link.llc(data, w, at)
    if step == steps.SNAP:
        return link.snap(data, w, at)
    if step == steps.SLL:
        return link.linux_sll(data, w, at)
    if step == steps.SLL2:
        return link.linux_sll2(data, w, at)
    if step == steps.NULL or step == steps.LOOP:
        return link.loopback(data, w, at)
    if step == steps.RAW_IP:
        return link.raw_ip(data, w, at)
    if step == steps.RADIOTAP:
        return wireless.radiotap(data, w, at)
    if step == steps.WLAN:
        return wireless.frame(data, w, at, False)
    if step == steps.WLAN_PADDED:
        return wireless.frame(data, w, at, True)
    if step == steps.PPP_HDLC:
        return link.ppp_hdlc(data, w, at)
    if step == steps.PPP_DIRECTION:
        return link.ppp_with_direction(data, w, at)
    if step == steps.CHDLC:
        return link.chdlc(data, w, at)
    if step == steps.PBB:
        return link.pbb(data, w, at)
    if step == steps.CISCO_METADATA:
        return link.cisco_metadata(data, w, at, 6)
    if step == steps.CISCO_METADATA_OF_GRE:
        return link.cisco_metadata(data, w, at, 0)
    return steps.DONE


@borrowing()
def seldom(step, data, w, at, table, flows, out):  # type: ignore[no-untyped-def]
    """The headers that most packets do not have."""
    if step == steps.IPV6_EXTENSION:
        return network.ipv6_extension(data, w, at, flows, out)
    if step == steps.IPV6_FRAGMENT:
        return network.ipv6_fragment(data, w, at, flows, out)
    if step == steps.ICMP:
        return network.icmp(data, w, at, table, flows, out)
    if step == steps.ICMPV6:
        return network.icmpv6(data, w, at, table, flows, out)
    if step == steps.ARP:
        return link.arp(data, w, at, table)
    if step == steps.AH:
        return network.ah(data, w, at, False, flows, out)
    if step == steps.AH_IPV6:
        return network.ah(data, w, at, True, flows, out)
    if step == steps.SCTP:
        return transport.sctp(data, w, at, flows, out)
    if step == steps.UDPLITE:
        return transport.udplite(data, w, at, flows, out)
    if step == steps.GRE:
        return tunnels.gre(data, w, at, out)
    if step == steps.ERSPAN_I:
        return steps.ETHERNET
    if step == steps.ERSPAN_II:
        return tunnels.erspan_ii(data, w, at)
    if step == steps.ERSPAN_III:
        return tunnels.erspan_iii(data, w, at)
    if step == steps.ETHERIP:
        return tunnels.etherip(data, w, at)
    if step == steps.VXLAN:
        return tunnels.vxlan(data, w, at, out)
    if step == steps.GENEVE:
        return tunnels.geneve(data, w, at, out)
    if step == steps.GTPU:
        return tunnels.gtpu(data, w, at, out)
    if step == steps.TEREDO:
        return tunnels.teredo(data, w, at, out)
    if step == steps.MPLS_IN_UDP:
        return tunnels.mpls_in_udp(data, w, at, out)
    if step == steps.L2TP:
        return tunnels.l2tp(data, w, at, out)
    return _link(step, data, w, at, out)


@compiled(_SIGNATURE)
def walk(  # type: ignore[no-untyped-def]
    data, start, captured, wire, linktype, first_header, wanted, options, cells, words, payloads, table, flows, out
):
    """Walks all packets. Answers the events, and the tables of addresses and flows that cells and events refer to."""
    w = np.zeros(LENGTH_OF_W, np.int64)
    keep_words = words.shape[1] > 0
    follow_flows = len(flows.slots) > 1
    w[WANT_OPTIONS] = options
    for k in range(len(wanted)):
        if wanted[k] == ETHERNET:
            w[WANT_MACS] = 1
    for i in range(len(start)):
        if i + AHEAD < len(start):
            prefetch(data, start[i + AHEAD])
            prefetch(data, start[i + AHEAD] + 64)
        # asked here, not in the calls: a call would count references of a dozen arrays for each packet
        need = slots.PER_PACKET + captured[i] // 4
        if out.used[0] + need > len(out.events):
            out = room(out, need, 0)
        if table.used[0] + PER_PACKET > len(table.keys):
            table = grown(table)
        if follow_flows and flows.used[0] + PER_PACKET > len(flows.keys):
            flows = grown(flows)
        for k in range(CELLS):
            w[k] = NOTHING
        w[LAYERS_LOW] = w[LAYERS_HIGH] = w[OPTIONS] = 0
        at = start[i]
        w[CAPTURED_END] = w[END] = at + captured[i]
        # some tools write an original length below the captured one: the bytes that are there count
        w[WIRE_END] = at + max(wire[i], captured[i])
        w[NETWORKS] = w[DIRECT] = w[SCTP_SEEN] = w[ETHERNETS] = 0
        w[STRICT] = 1
        w[PAYLOAD_AT] = -1
        w[PACKET] = i
        step = np.int64(first_header[linktype[i]])
        if step == steps.RAW_IP:
            layer(w, bits.RAW)
        for _ in range(MOST_HEADERS):
            if step == steps.DONE:
                break
            bit = bits.OF_STEP[step]
            if bit != 255:
                layer(w, bit)
            if step == steps.ETHERNET:
                step = link.ethernet(data, w, at, table)
            elif step == steps.IPV4:
                step = network.ipv4(data, w, at, table, flows, out)
            elif step == steps.TCP:
                step = transport.tcp(data, w, at, flows, out)
            elif step == steps.UDP:
                step = transport.udp(data, w, at, flows, out)
            elif step == steps.IPV6:
                step = network.ipv6(data, w, at, table, flows, out)
            elif step == steps.VLAN:
                step = link.vlan(data, w, at, out, slots.VLAN_ID)
            else:
                step = seldom(step, data, w, at, table, flows, out)
            at = w[AT]
        if step != steps.DONE and w[STRICT] and w[ERROR] == NOTHING:
            w[ERROR] = errors.TOO_MANY_HEADERS
        for k in range(len(wanted)):
            cells[k, i] = np.uint32(w[wanted[k]])
        rare = np.int64(NOTHING)
        for k in range(FIRST_RARE, CELLS):
            rare &= w[k]
        if rare != NOTHING:
            for k in range(FIRST_RARE, CELLS):
                if w[k] != NOTHING:
                    number(out, slots.RARE + k - FIRST_RARE, i, w[k])
        if keep_words:
            words[0, i] = np.uint64(w[LAYERS_LOW])
            words[1, i] = np.uint64(w[LAYERS_HIGH])
            words[2, i] = np.uint64(w[OPTIONS])
        if w[PAYLOAD_AT] >= 0:
            payloads.at[i] = w[PAYLOAD_AT]
            payloads.end[i] = w[PAYLOAD_END]
            payloads.source[i] = w[SOURCE]
            payloads.destination[i] = w[DESTINATION]
            payloads.transport[i] = w[TRANSPORT]
    return out, table, flows
