"""From the places of a batch's messages to rows: one compiled loop over its packets, by application."""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.batch import NO_TIME
from capture.packets.compiling import borrowing, compiled
from capture.packets.conversations import requests_rows as row
from capture.packets.conversations.requests_headers import PLACES
from capture.packets.conversations.requests_rows import ROWS, asker, ends, narrowed, put, with_room
from capture.packets.conversations.tls import records_of
from capture.packets.fast.applications.http import METHOD, STATUS, message
from capture.packets.fast.headers.scratch import u16, u32
from capture.packets.fast.out import DATA, OUT, PAYLOADS, TCP, room
from capture.packets.fast.recognise.kinds import kind
from capture.packets.fast.recognise.ports import port

_DNS, _HTTP, _TLS = kind("DNS", "dns"), kind("HTTP"), kind("TLS")
_DNS_PORT = port("DNS")
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_DNS_HEADER = 12
_OF_DNS, _OF_ECHO, _OF_TCP = 1, 2, 3  # what a key is of: those of different applications never meet
_MOST_TIME = 2**62  # sums of times do not overflow

_I64, _U8 = types.int64[::1], types.uint8[::1]


@borrowing()
def _echo(data, at, network_at, vlans, column, time_ns, clock, rows):  # type: ignore[no-untyped-def]
    """An echo request or reply: identifier and sequence number tell exchanges apart. Replies to a request to a group or to all
    come from other addresses than it went to: it takes no part."""
    first = data[network_at + 16] if data[network_at] >> 4 == 4 else data[network_at + 24]
    if (first == 0xFF) if data[network_at] >> 4 == 6 else (first & 0xF0 == 0xE0 or u32(data, network_at + 16) == 0xFFFFFFFF):
        return
    key, key2, side, alike = ends(data, network_at, 0, 0, vlans, _OF_ECHO)
    reply = data[at] == 0 or data[at] == 129
    key, key2 = narrowed(key, key2, u32(data, at + 4) << 1 | asker(side, alike, reply))
    put(rows, column, time_ns, clock, key, key2, np.uint64(0), row.ECHO_REPLY if reply else row.ECHO_REQUEST, side, 0)


@borrowing()
def _dns(data, at, tcp, seq, key, key2, side, alike, column, time_ns, clock, rows):  # type: ignore[no-untyped-def]
    """A DNS message: its id tells exchanges apart. By `key` it belongs to its conversation: what one packet over TCP holds is of
    one partition, which says once what it says of the packet."""
    response = data[at + 2] >> 7
    _, key2 = narrowed(key, key2, u16(data, at) << 1 | asker(side, alike, response))
    place = np.uint64(seq) << np.uint64(32)
    put(rows, column, time_ns, clock, key, key2, place, row.DNS_RESPONSE if response else row.DNS_QUERY, side, tcp)


@borrowing()
def _is_bare(data, at, end):  # type: ignore[no-untyped-def]
    """A response that is nothing but a header (of a server that read no further: RFC 1035 4.1.1, FORMERR and others). That is too
    little to recognise DNS by, but it answers."""
    if end - at != _DNS_HEADER or not data[at + 2] & 0x80:
        return False
    counts = u32(data, at + 4) | u32(data, at + 8)
    return counts == 0


@compiled(types.Tuple((ROWS, OUT, types.int64))(DATA, _I64, PAYLOADS, PLACES, _U8, _U8, types.int64, ROWS, OUT))
def read(data, time_ns, payloads, places, kinds, ports, first_column, rows, scratch):  # type: ignore[no-untyped-def]
    """The rows of all packets in order, and the latest time of them. kinds, ports: see `classified`. Packets without a time take
    no part: whether an answer came in time cannot be told."""
    clock = np.int64(-_MOST_TIME)
    for i in range(len(time_ns)):
        if time_ns[i] == NO_TIME:
            continue
        time = min(max(time_ns[i], -_MOST_TIME), _MOST_TIME)
        clock = max(clock, time)
        network_at, tcp_at, column = places.network[i], places.tcp[i], first_column + i
        if network_at < 0:
            continue
        if places.echo[i] >= 0:
            rows = with_room(rows, 1)
            _echo(data, places.echo[i], network_at, places.vlans[i], column, time, clock, rows)
            continue
        at, end, application = payloads.at[i], payloads.end[i], kinds[i]
        flags = np.int64(0)
        if tcp_at >= 0:
            flags = np.int64(data[tcp_at + 13])
            flags &= _FIN | _RST | (0 if flags & _ACK else _SYN)
        elif application != _DNS and not (ports[i] == _DNS_PORT and _is_bare(data, at, end)):
            continue
        else:
            application = np.uint8(_DNS)
        if application != _DNS and application != _HTTP and application != _TLS and flags == 0:
            continue
        if tcp_at < 0:
            key, key2, side, alike = ends(data, network_at, payloads.source[i], payloads.destination[i], places.vlans[i], _OF_DNS)
            if at + _DNS_HEADER <= end:
                rows = with_room(rows, 1)
                _dns(data, at, 0, 0, key, key2, side, alike, column, time, clock, rows)
            continue
        source, destination = u16(data, tcp_at), u16(data, tcp_at + 2)
        key, key2, side, alike = ends(data, network_at, source, destination, places.vlans[i], _OF_TCP)
        seq, ack = u32(data, tcp_at + 4), u32(data, tcp_at + 8)
        if flags & _SYN:
            seq += 1  # data on a SYN stand behind it
            rows = with_room(rows, 1)
            put(rows, column, time, clock, key, key2, np.uint64(0), row.OPENED, side, 0)
        if application == _TLS:
            bits = records_of(data, at, end)
            if bits:
                rows = with_room(rows, 1)
                put(rows, column, time, clock, key, key2, np.uint64(seq) << np.uint64(32), row.TLS_RECORDS, side, bits)
        elif application == _HTTP:
            begun = at
            scratch = room(scratch, (end - at) // 3 + 4, end - at)
            while at < end:
                scratch.used[:] = 0
                following = message(data, at, end, 0, scratch)
                slot = np.int64(scratch.events[0, 0] >> np.uint64(32)) if scratch.used[0] else -1
                place = np.uint64((seq + at - begun) & 0xFFFFFFFF) << np.uint64(32) | np.uint64(ack)
                rows = with_room(rows, 1)
                if slot == METHOD:
                    put(rows, column, time, clock, key, key2, place, row.HTTP_REQUEST, side, 0)
                elif slot == STATUS:
                    put(rows, column, time, clock, key, key2, place, row.HTTP_RESPONSE, side, scratch.events[0, 1])
                at = following
        elif application == _DNS and payloads.transport[i] == TCP:
            begun = at
            while at + 2 + _DNS_HEADER <= end:
                size = u16(data, at)
                if size < _DNS_HEADER:
                    break
                rows = with_room(rows, 1)
                place = (seq + at - begun) & 0xFFFFFFFF
                _dns(data, at + 2, 1, place, key, key2, side, alike, column, time, clock, rows)
                at += 2 + size
        if flags & (_FIN | _RST):
            rows = with_room(rows, 1)
            put(rows, column, time, clock, key, key2, np.uint64(0), row.ENDED, side, 0)
    return rows, scratch, clock
