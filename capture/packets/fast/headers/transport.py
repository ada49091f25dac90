"""TCP (RFC 9293), UDP (RFC 768), UDP-Lite (RFC 3828), SCTP (RFC 9260) in compiled loops."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing, inlined
from capture.packets.fast import out as transports
from capture.packets.fast.headers import errors, slots, steps
from capture.packets.fast.headers.network import note_flow
from capture.packets.fast.headers.scratch import (
    AT,
    DESTINATION,
    DIRECT,
    END,
    NETWORKS,
    OPTIONS,
    PACKET,
    PAYLOAD_AT,
    PAYLOAD_END,
    SCTP_SEEN,
    SOURCE,
    STRICT,
    TCP_FLAGS,
    TCP_MSS,
    TCP_PAYLOAD,
    TCP_WINDOW,
    TCP_WSCALE,
    TRANSDST,
    TRANSPORT,
    TRANSPROTO,
    TRANSSRC,
    WANT_OPTIONS,
    WIRE_END,
    fail,
    has,
    limit,
    u16,
)
from capture.packets.fast.out import number

_PROTOCOL = np.array([0, 6, 17, 136, 132], np.int64)  # IP protocol of a transport


@inlined()
def _ports(data, w, at, transport, flows, out):  # type: ignore[no-untyped-def]
    source, destination = u16(data, at), u16(data, at + 2)
    w[TRANSPORT], w[SOURCE], w[DESTINATION] = transport, source, destination
    if not w[DIRECT]:
        return
    if w[NETWORKS] == 1:
        w[TRANSPROTO], w[TRANSSRC], w[TRANSDST] = transport, source, destination
        if len(flows.slots) > 1:
            note_flow(w, flows, _PROTOCOL[transport], source, destination, 1)
    elif w[NETWORKS] > 1:
        number(out, slots.INNER_TRANSPROTO, w[PACKET], transport)
        number(out, slots.INNER_TRANSSRC, w[PACKET], source)
        number(out, slots.INNER_TRANSDST, w[PACKET], destination)


@inlined()
def tcp(data, w, at, flows, out):  # type: ignore[no-untyped-def]
    if not has(w, at, 4, errors.TCP):
        return steps.DONE
    _ports(data, w, at, transports.TCP, flows, out)
    first = w[DIRECT] and w[NETWORKS] == 1
    if w[END] >= at + 14 and w[DIRECT]:
        flags = u16(data, at + 12) & 0x1FF
        if first:
            w[TCP_FLAGS] = flags
        elif w[NETWORKS] > 1:
            for bit in range(9):
                if flags >> bit & 1:
                    number(out, slots.INNER_TCP, w[PACKET], bit)
    if not has(w, at, 20, errors.TCP):
        return steps.DONE
    if first:
        w[TCP_WINDOW] = u16(data, at + 14)
    size = np.int64(data[at + 12] >> 4) * 4
    if size < 20:
        fail(w, errors.TCP_OFFSET)
        return steps.DONE
    if first and size > 20 and w[WANT_OPTIONS]:
        _options(data, w, at + 20, min(at + size, w[END]), out)
    if first and at + size <= w[WIRE_END]:  # whether or not the snaplen kept all options
        w[TCP_PAYLOAD] = w[WIRE_END] - at - size
    if not has(w, at, size, errors.TCP_OPTIONS):
        return steps.DONE
    return _payload(w, at + size)


@borrowing()
def _options(data, w, at, end, out):  # type: ignore[no-untyped-def]
    """RFC 9293, 3.2. Padding (0, 1) is left out; a broken length ends the list."""
    while at < end:
        kind = np.int64(data[at])
        if kind == 0:
            return
        if kind == 1:
            at += 1
            continue
        if at + 2 > end:
            return
        length = np.int64(data[at + 1])
        if length < 2 or at + length > end:
            return
        if kind < 64:
            w[OPTIONS] |= np.int64(np.uint64(1) << np.uint64(kind))
        else:
            number(out, slots.TCP_OPTION, w[PACKET], kind)
        if kind == 2 and length == 4:
            w[TCP_MSS] = u16(data, at + 2)
        elif kind == 3 and length == 3:
            w[TCP_WSCALE] = data[at + 2]
        at += length


@inlined()
def udp(data, w, at, flows, out):  # type: ignore[no-untyped-def]
    if not has(w, at, 4, errors.UDP):
        return steps.DONE
    _ports(data, w, at, transports.UDP, flows, out)
    if not has(w, at, 8, errors.UDP):
        return steps.DONE
    length = u16(data, at + 4)
    if 0 < length < 8:
        fail(w, errors.UDP_LENGTH)
        return steps.DONE
    if length:  # 0: a jumbogram (RFC 2675) or segmentation offload
        limit(w, at + length)
    at += 8
    if at < w[WIRE_END]:
        tunnel = _tunnel_of(w[DESTINATION])
        if tunnel == steps.DONE:
            tunnel = _tunnel_of(w[SOURCE])
        if tunnel != steps.DONE:
            w[STRICT] = w[DIRECT] = 0
            w[AT] = at
            return tunnel
    return _payload(w, at)


@inlined()
def _tunnel_of(port):  # type: ignore[no-untyped-def]
    """IANA; 8472 is Linux's VXLAN, 3544 Teredo (RFC 4380), 1701 L2TP (RFC 2661), 6635 MPLS (RFC 7510)."""
    if port < 1701 or port > 8472:
        return steps.DONE
    if port == 4789 or port == 8472:
        return steps.VXLAN
    if port == 6081:
        return steps.GENEVE
    if port == 2152:
        return steps.GTPU
    if port == 3544:
        return steps.TEREDO
    if port == 6635:
        return steps.MPLS_IN_UDP
    if port == 1701:
        return steps.L2TP
    return steps.DONE


@borrowing()
def udplite(data, w, at, flows, out):  # type: ignore[no-untyped-def]
    if not has(w, at, 4, errors.UDPLITE):
        return steps.DONE
    _ports(data, w, at, transports.UDPLITE, flows, out)
    if not has(w, at, 8, errors.UDPLITE):
        return steps.DONE
    coverage = u16(data, at + 4)
    if 0 < coverage < 8 or coverage > w[WIRE_END] - at:
        fail(w, errors.UDPLITE_COVERAGE)
        return steps.DONE
    return _payload(w, at + 8)


@borrowing()
def sctp(data, w, at, flows, out):  # type: ignore[no-untyped-def]
    """The payload is the user data of the first DATA chunk that has any. All chunks' types are noted."""
    if not has(w, at, 4, errors.SCTP):
        return steps.DONE
    _ports(data, w, at, transports.SCTP, flows, out)
    if not has(w, at, 12, errors.SCTP):
        return steps.DONE
    w[STRICT] = 0
    first = not w[SCTP_SEEN]
    w[SCTP_SEEN] = 1
    at += 12
    user_data = user_end = np.int64(-1)
    while at + 4 <= w[END]:
        kind, length = np.int64(data[at]), u16(data, at + 2)
        if first:
            number(out, slots.SCTP_CHUNK, w[PACKET], kind)
        if length < 4:
            break
        if kind == 0 and length > 16 and user_data < 0:
            user_data, user_end = at + 16, at + length
        if user_data >= 0 and not first:
            break
        at += (length + 3) & ~3
    if user_data < 0:
        return steps.DONE
    limit(w, user_end)
    return _payload(w, user_data)


@inlined()
def _payload(w, at):  # type: ignore[no-untyped-def]
    """What the transport carries: an application's bytes, as far as they were captured."""
    w[STRICT] = w[DIRECT] = 0
    if at < w[WIRE_END]:
        w[PAYLOAD_AT] = at
        w[PAYLOAD_END] = max(at, w[END])
    return steps.DONE
