"""Where the messages of a batch lie: headers walked as `fast` does, with the places that conversations need.

A packet gives the innermost headers: of a tunnel those inside. What ICMP errors quote and later fragments are none.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.addresses import PER_PACKET, TABLE
from capture.packets.fast.headers import link, network, slots, steps, transport
from capture.packets.fast.headers.scratch import (
    AT,
    CAPTURED_END,
    CELLS,
    DESTINATION,
    DIRECT,
    END,
    ETHERNETS,
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
    WIRE_END,
    u16,
)
from capture.packets.fast.headers.walk import AHEAD, MOST_HEADERS, seldom
from capture.packets.fast.interning import NONE, mixed
from capture.packets.fast.out import DATA, OUT, PAYLOADS, room
from capture.packets.fast.prefetch import prefetch

_I64, _U8 = types.int64[::1], types.uint8[::1]


class Places(NamedTuple):
    """By packet, offsets in the batch's data. network: of the innermost IP header. tcp: of a whole TCP header, -1 for none.
    echo: of the ICMP or ICMPv6 header of an echo request or reply, -1 for none. vlans: uint64, a hash of the tags before
    the first IP header (0: none)."""

    network: NDArray[np.int64]
    tcp: NDArray[np.int64]
    echo: NDArray[np.int64]
    vlans: NDArray[np.uint64]


def make_places(n: int) -> Places:
    """Places of n packets."""
    return Places(np.full(n, -1, np.int64), np.full(n, -1, np.int64), np.full(n, -1, np.int64), np.zeros(n, np.uint64))


PLACES = numba.typeof(make_places(1))


@borrowing()
def _is_echo(data, w, at, step):  # type: ignore[no-untyped-def]
    """RFC 792, RFC 4443 4.1: with identifier and sequence number."""
    if at + 8 > w[END]:
        return False
    kind = data[at]
    return (kind == 8 or kind == 0) if step == steps.ICMP else (kind == 128 or kind == 129)


@compiled(types.Tuple((TABLE, OUT))(DATA, _I64, _I64, _I64, _I64, _U8, PAYLOADS, PLACES, TABLE, TABLE, OUT))
def place(  # type: ignore[no-untyped-def]
    data, start, captured, wire, linktype, first_header, payloads, places, table, flows, out
):
    """Fills payloads (as the walk of `fast`) and places. table, flows, out: room for what nobody asks for here."""
    w = np.zeros(LENGTH_OF_W, np.int64)
    for i in range(len(start)):
        if i + AHEAD < len(start):
            prefetch(data, start[i + AHEAD])
        need = slots.PER_PACKET + captured[i] // 4
        if need > len(out.events):
            out = room(out, need, 0)
        out.used[0] = 0
        if table.used[0] + PER_PACKET > len(table.keys):
            table.slots[:] = NONE
            table.used[0] = 0
        for k in range(CELLS):
            w[k] = NOTHING
        w[LAYERS_LOW] = w[LAYERS_HIGH] = w[OPTIONS] = 0
        at = start[i]
        w[CAPTURED_END] = w[END] = at + captured[i]
        w[WIRE_END] = at + max(wire[i], captured[i])
        w[NETWORKS] = w[DIRECT] = w[SCTP_SEEN] = w[ETHERNETS] = w[PACKET] = 0
        w[STRICT] = 1
        w[PAYLOAD_AT] = -1
        step = np.int64(first_header[linktype[i]])
        network_at, tcp_at, vlans = np.int64(-1), np.int64(-1), np.uint64(0)
        for _ in range(MOST_HEADERS):
            if step == steps.DONE:
                break
            if step == steps.ETHERNET:
                step = link.ethernet(data, w, at, table)
            elif step == steps.IPV4:
                network_at = at
                step = network.ipv4(data, w, at, table, flows, out)
            elif step == steps.TCP:
                tcp_at = at
                step = transport.tcp(data, w, at, flows, out)
            elif step == steps.UDP:
                step = transport.udp(data, w, at, flows, out)
            elif step == steps.IPV6:
                network_at = at
                step = network.ipv6(data, w, at, table, flows, out)
            elif step == steps.VLAN or step == steps.VLAN_SVC:
                if w[NETWORKS] == 0 and at + 4 <= w[END]:
                    vlans = mixed(vlans ^ np.uint64(1 + (u16(data, at) & 0xFFF)))
                step = link.vlan(data, w, at, out, slots.VLAN_ID)
            elif step == steps.ICMP or step == steps.ICMPV6:
                if _is_echo(data, w, at, step):
                    places.echo[i] = at
                break
            else:
                step = seldom(step, data, w, at, table, flows, out)
            at = w[AT]
        places.network[i] = network_at
        places.vlans[i] = vlans
        if tcp_at >= 0 and tcp_at + 20 <= w[END]:
            places.tcp[i] = tcp_at
        if w[PAYLOAD_AT] >= 0 and network_at >= 0:
            payloads.at[i] = w[PAYLOAD_AT]
            payloads.end[i] = w[PAYLOAD_END]
            payloads.source[i] = w[SOURCE]
            payloads.destination[i] = w[DESTINATION]
            payloads.transport[i] = w[TRANSPORT]
    return table, out
