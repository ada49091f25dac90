"""The TCP segments of a batch as records: what the second pass needs of each, found in one compiled walk.

A packet gives the segment that is really there, in tunnels the innermost; what ICMP errors quote and later IP fragments are none.
Where a tunnel's packet is a first fragment, the inner IP header says how long the segment is.
"""

from __future__ import annotations

import numpy as np
from numba import from_dtype, types

from capture.packets.batch import NO_TIME
from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.addresses import PER_PACKET, TABLE
from capture.packets.fast.headers import link, network, slots, steps, transport
from capture.packets.fast.headers.scratch import (
    AT,
    CAPTURED_END,
    CELLS,
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
    SCTP_SEEN,
    STRICT,
    WIRE_END,
    u16,
    u32,
    u64,
)
from capture.packets.fast.headers.walk import AHEAD, MOST_HEADERS, seldom
from capture.packets.fast.interning import NONE, mixed
from capture.packets.fast.out import DATA, OUT, room
from capture.packets.fast.prefetch import prefetch

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

# SEGMENT["marks"]
BACKWARD = 1  # the source is the second end of the key
BOGUS = 2  # a data offset below 5
SHORT = 4  # a header longer than the segment: it has no length
FRAGMENT = 8  # in the first fragment of an IP packet: there is more of it than `length`
SACK = 16  # a SYN that permits it

NO_SHIFT = 255

# The key of a conversation is whole, not a hash of it: no two are mixed. Ends are in order of address and port; IPv4 addresses
# lie in the low halves. `ports`: 6 << 32 for IPv6 | the first end's port << 16 | the second's. `vlans`: how many tags stand
# before the first IP header (4 bits), above them their ids, 12 bits each; more than five (15 in the low bits) are folded.
SEGMENT = np.dtype(
    [
        ("column", "<u8"),
        ("time_ns", "<i8"),  # NO_TIME is 0, as tshark takes a packet without time
        ("first_high", "<u8"),
        ("first_low", "<u8"),
        ("second_high", "<u8"),
        ("second_low", "<u8"),
        ("ports", "<u8"),
        ("vlans", "<u8"),
        ("hash", "<u4"),  # of the key, the same everywhere: what partitions are told by
        ("seq", "<u4"),
        ("ack", "<u4"),  # as it stands there, also without ACK
        ("length", "<u4"),  # of the payload on the wire
        ("flags", "<u2"),  # FIN is bit 0
        ("window", "<u2"),  # as sent
        ("mss", "<u2"),  # of a SYN; 0: not there
        ("shift", "u1"),  # window scale of a SYN, at most 14 (RFC 7323, 2.3); NO_SHIFT: not there
        ("marks", "u1"),
    ]
)
SEGMENTS = types.Array(from_dtype(SEGMENT), 1, "C")
_MOST_TIME = 2**62  # differences of times do not overflow
_FEW_TAGS, _MANY = 5, 15
WHOLE, OUTER, INNER = 0, 1, 2
_U8, _I64 = types.uint8[::1], types.int64[::1]


@borrowing()
def _tagged(vlans, tag):  # type: ignore[no-untyped-def]
    """The word of a stack with one tag more."""
    count = vlans & np.uint64(15)
    above = vlans >> np.uint64(4)
    if count < np.uint64(_FEW_TAGS):
        return (above << np.uint64(12) | np.uint64(tag)) << np.uint64(4) | (count + np.uint64(1))
    return mixed(above << np.uint64(12) ^ np.uint64(tag)) << np.uint64(4) | np.uint64(_MANY)


@borrowing()
def _read_options(segment, data, at, end):  # type: ignore[no-untyped-def]
    """RFC 9293, 3.2: maximum segment size, window scale, SACK permitted. A broken length ends the list."""
    while at < end:
        kind = data[at]
        if kind == 0:
            return
        if kind == 1:
            at += 1
            continue
        if at + 2 > end:
            return
        size = np.int64(data[at + 1])
        if size < 2 or at + size > end:
            return
        if kind == 2 and size == 4:
            segment.mss = np.uint16(u16(data, at + 2))
        elif kind == 3 and size == 3:
            segment.shift = min(data[at + 2], np.uint8(14))
        elif kind == 4:
            segment.marks |= np.uint8(SACK)
        at += size


@borrowing()
def put(segment, column, time_ns, data, network_at, at, end, wire_end, vlans):  # type: ignore[no-untyped-def]
    """Reads the TCP header at `at` and the addresses of the IP header at `network_at`; False if it was not captured whole."""
    if at + 20 > end:
        return False
    if data[network_at] >> 4 == 4:
        source_high = destination_high = np.uint64(0)
        source_low, destination_low = np.uint64(u32(data, network_at + 12)), np.uint64(u32(data, network_at + 16))
        family = np.uint64(0)
    else:
        source_high, source_low = u64(data, network_at + 8), u64(data, network_at + 16)
        destination_high, destination_low = u64(data, network_at + 24), u64(data, network_at + 32)
        family = np.uint64(6) << np.uint64(32)
    sport, dport = np.uint64(u16(data, at)), np.uint64(u16(data, at + 2))
    swapped = source_high > destination_high
    if source_high == destination_high:
        swapped = source_low > destination_low or (source_low == destination_low and sport > dport)
    marks = 0
    if swapped:
        marks = BACKWARD
        source_high, destination_high = destination_high, source_high
        source_low, destination_low = destination_low, source_low
        sport, dport = dport, sport
    ports = family | sport << np.uint64(16) | dport
    segment.column = np.uint64(column)
    segment.time_ns = 0 if time_ns == NO_TIME else max(min(time_ns, _MOST_TIME), -_MOST_TIME)
    segment.first_high, segment.first_low = source_high, source_low
    segment.second_high, segment.second_low = destination_high, destination_low
    segment.ports, segment.vlans = ports, vlans
    word = mixed(source_low * np.uint64(0x9E3779B97F4A7C15) ^ destination_low ^ (ports << np.uint64(23)) ^ vlans)
    if family:
        word = mixed(word ^ source_high * np.uint64(0x9E3779B97F4A7C15) ^ destination_high)
    segment.hash = np.uint32(word >> np.uint64(32))
    segment.seq, segment.ack = np.uint32(u32(data, at + 4)), np.uint32(u32(data, at + 8))
    flags = u16(data, at + 12) & 0xFFF
    size = np.int64(data[at + 12] >> 4) * 4
    length = wire_end - at - size
    if size < 20:
        marks |= BOGUS
    if length < 0:
        marks |= SHORT
        length = np.int64(0)
    segment.length = np.uint32(length)
    segment.flags, segment.window = np.uint16(flags), np.uint16(u16(data, at + 14))
    segment.mss, segment.shift, segment.marks = np.uint16(0), np.uint8(NO_SHIFT), np.uint8(marks)
    if flags & SYN and size > 20:
        _read_options(segment, data, at + 20, min(at + size, end))
    return True


@borrowing()
def _plain(data, at, end):  # type: ignore[no-untyped-def]
    """Of an Ethernet frame with nothing but VLAN tags, IPv4 or IPv6 and TCP: (offset of the IP header, of the TCP header, tags'
    word); the first is -1 for what needs the walk, -2 for what surely has no TCP."""
    vlans = np.uint64(0)
    ethertype = u16(data, at + 12)
    at += 14
    while ethertype == 0x8100 or ethertype == 0x88A8:
        if at + 4 > end:
            return np.int64(-2), np.int64(0), vlans
        vlans = _tagged(vlans, u16(data, at) & 0xFFF)
        ethertype = u16(data, at + 2)
        at += 4
    if ethertype == 0x0800 and at + 20 <= end:
        size = np.int64(data[at] & 15) * 4
        if data[at] >> 4 == 4 and size >= 20 and not u16(data, at + 6) & 0x3FFF:
            if data[at + 9] == 6:
                return at, at + size, vlans
            if data[at + 9] == 1 or data[at + 9] == 2:
                return np.int64(-2), np.int64(0), vlans
    elif ethertype == 0x86DD and at + 40 <= end and data[at] >> 4 == 6 and data[at + 6] == 6:
        return at, at + 40, vlans
    elif ethertype == 0x0806:
        return np.int64(-2), np.int64(0), vlans
    return np.int64(-1), np.int64(0), vlans


@borrowing()
def _walked(data, w, at, step, table, flows, out):  # type: ignore[no-untyped-def]
    """The whole walk, as that of `fast`: (offset of the last IP header, of the TCP header or -1, tags' word, which IP packet is a
    first fragment: none (WHOLE), an OUTER one, the last (INNER))."""
    vlans = np.uint64(0)
    network_at = np.int64(-1)
    outer = inner = False
    for k in range(CELLS):
        w[k] = NOTHING
    w[LAYERS_LOW] = w[LAYERS_HIGH] = w[OPTIONS] = 0
    w[NETWORKS] = w[DIRECT] = w[SCTP_SEEN] = w[ETHERNETS] = w[PACKET] = 0
    w[STRICT] = 1
    w[PAYLOAD_AT] = -1
    for _ in range(MOST_HEADERS):
        if step == steps.DONE or step == steps.ICMP or step == steps.ICMPV6 or step == steps.ARP:
            break
        if step == steps.TCP:
            return network_at, at, vlans, OUTER if outer else INNER if inner else WHOLE
        if step == steps.ETHERNET:
            step = link.ethernet(data, w, at, table)
        elif step == steps.IPV4:
            outer = outer or inner
            inner = at + 20 <= w[END] and data[at + 6] & 0x20 != 0
            network_at = at
            step = network.ipv4(data, w, at, table, flows, out)
        elif step == steps.IPV6:
            outer = outer or inner
            inner = False
            network_at = at
            step = network.ipv6(data, w, at, table, flows, out)
        elif step == steps.UDP:
            step = transport.udp(data, w, at, flows, out)
        elif step == steps.VLAN or step == steps.VLAN_SVC:
            if not w[NETWORKS] and at + 4 <= w[END]:
                vlans = _tagged(vlans, u16(data, at) & 0xFFF)
            step = link.vlan(data, w, at, out, slots.VLAN_ID)
        else:
            if step == steps.IPV6_FRAGMENT and at + 8 <= w[END]:
                inner = data[at + 3] & 1 != 0
            step = seldom(step, data, w, at, table, flows, out)
        at = w[AT]
    return network_at, np.int64(-1), vlans, WHOLE


@borrowing()
def _total(data, at):  # type: ignore[no-untyped-def]
    """Length of the IP packet whose header stands at `at`; 0: it does not say."""
    if data[at] >> 4 == 4:
        return u16(data, at + 2)
    length = u16(data, at + 4)
    return length + 40 if length else length


@compiled(
    types.Tuple((types.int64, TABLE, OUT))(
        DATA, _I64, _I64, _I64, _I64, _I64, _U8, types.int64, SEGMENTS, TABLE, TABLE, OUT, types.boolean
    )
)
def segments_of(  # type: ignore[no-untyped-def]
    data, start, captured, wire, linktype, time_ns, first_header, first_column, segments, table, flows, out, short_cut
):
    """Fills `segments` (as many as packets at most) from the front; how many there are. Link types of `first_header` only.

    short_cut: Ethernet frames that hold plain TCP/IP are read without the general walk (False: for a test that both agree)."""
    w = np.zeros(LENGTH_OF_W, np.int64)
    k = 0
    for i in range(len(start)):
        if i + AHEAD < len(start):
            prefetch(data, start[i + AHEAD])
        at = start[i]
        end, wire_end = at + captured[i], at + max(wire[i], captured[i])
        step = np.int64(first_header[linktype[i]])
        network_at, tcp_at, vlans, part = np.int64(-1), np.int64(-1), np.uint64(0), WHOLE
        if short_cut and step == steps.ETHERNET and captured[i] >= 54:
            network_at, tcp_at, vlans = _plain(data, at, end)
        if network_at >= 0:
            total = _total(data, network_at)
            if 0 < total < tcp_at - network_at:
                continue
            if total and network_at + total < wire_end:
                wire_end = network_at + total
                end = min(end, wire_end)
        elif network_at == -2 or step == steps.DONE:
            continue
        else:
            need = slots.PER_PACKET + captured[i] // 4
            if need > len(out.events):
                out = room(out, need, 0)
            out.used[0] = 0
            if table.used[0] + PER_PACKET > len(table.keys):  # nobody asks for the numbers of addresses
                table.slots[:] = NONE
                table.used[0] = 0
            w[CAPTURED_END] = w[END] = end
            w[WIRE_END] = wire_end
            network_at, tcp_at, vlans, part = _walked(data, w, at, step, table, flows, out)
            if tcp_at < 0:
                continue
            end, wire_end = w[END], w[WIRE_END]
            if part == OUTER:
                wire_end = max(wire_end, network_at + _total(data, network_at))
        if put(segments[k], first_column + i, time_ns[i], data, network_at, tcp_at, end, wire_end, vlans):
            if part == INNER:
                segments[k].marks |= np.uint8(FRAGMENT)
            k += 1
    return np.int64(k), table, out


@compiled(types.uint64(types.uint64, types.int64))
def tagged_one(vlans, tag):  # type: ignore[no-untyped-def]
    """`vlans` of a key, with one tag more."""
    return _tagged(vlans, tag)


@compiled(types.boolean(SEGMENTS, types.int64, types.int64, types.int64, DATA, _I64, types.uint64))
def put_one(segments, k, column, time_ns, data, offsets, vlans):  # type: ignore[no-untyped-def]
    """One segment whose headers were found elsewhere; offsets: IP header, TCP header, end, end on the wire."""
    return put(segments[k], column, time_ns, data, offsets[0], offsets[1], offsets[2], offsets[3], vlans)
