"""Tunnels in compiled loops: GRE, ERSPAN, EtherIP; over UDP: VXLAN, GENEVE, GTP-U, Teredo, MPLS, L2TP.

Those over UDP are recognised by port and content together; a payload that does not look like it is `Payload`, named by its port.
"""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing
from capture.packets.fast.headers import bits, errors, slots, steps
from capture.packets.fast.headers.scratch import (
    APP,
    APP_PORT,
    AT,
    CAPTURED_END,
    END,
    LEAF,
    LEAF_ETHERTYPE,
    NOTHING,
    PACKET,
    WIRE_END,
    fail,
    has,
    layer,
    u16,
)
from capture.packets.fast.out import number
from capture.packets.labels.network import TUNNELS

T_GRE, T_ERSPAN, T_VXLAN, T_GENEVE, T_GTPU, T_TEREDO, T_L2TP, T_MPLS = (
    TUNNELS.index(name) for name in ("gre", "erspan", "vxlan", "geneve", "gtp-u", "teredo", "l2tp", "mpls-in-udp")
)

# Codes of cell APP beyond the kinds of capture.packets.recognise.names.KINDS: TUNNEL_APP + position here
TUNNEL_APP = 200
TUNNEL_NAMES = ("VXLAN", "Geneve", "GTPv1U", "Teredo", "MPLS", "L2TP")
A_VXLAN, A_GENEVE, A_GTPU, A_TEREDO, A_MPLS, A_L2TP = range(TUNNEL_APP, TUNNEL_APP + 6)


@borrowing()
def _recognised(w, app, tunnel, out):  # type: ignore[no-untyped-def]
    w[APP] = app
    w[APP_PORT] = NOTHING
    number(out, slots.TUNNEL, w[PACKET], tunnel)


@borrowing()
def _not_recognised(w, app):  # type: ignore[no-untyped-def]
    """A payload of the tunnel's port that does not look like it."""
    w[APP] = 0
    w[APP_PORT] = app
    layer(w, bits.DATA)
    return steps.DONE


@borrowing()
def gre(data, w, at, out):  # type: ignore[no-untyped-def]
    """RFC 2784, 2890; version 1: RFC 2637."""
    if not has(w, at, 4, errors.GRE):
        return steps.DONE
    flags, version = data[at], data[at + 1] & 7
    if version > 1:
        fail(w, errors.GRE_VERSION)
        return steps.DONE
    size = np.int64(4)
    if flags & 0xC0:
        size += 4  # checksum or routing present: checksum and offset
    if flags & 0x20:
        size += 4  # key
    if flags & 0x10:
        size += 4  # sequence number
    if version == 1 and data[at + 1] & 0x80:
        size += 4  # acknowledgement, RFC 2637
    if not has(w, at, size, errors.GRE):
        return steps.DONE
    protocol = u16(data, at + 2)
    at += size
    if flags & 0x40:  # source routes, RFC 1701: address family, offset, length; a zero length ends them
        while True:
            if not has(w, at, 4, errors.GRE):
                return steps.DONE
            length = np.int64(data[at + 3])
            at += 4 + length
            if not length:
                break
    number(out, slots.TUNNEL, w[PACKET], T_GRE)
    w[AT] = at
    if protocol == 0x88BE:  # type I has no header of its own
        number(out, slots.TUNNEL, w[PACKET], T_ERSPAN)
        return steps.ERSPAN_II if flags & 0x10 else steps.ERSPAN_I
    if protocol == 0x22EB:
        number(out, slots.TUNNEL, w[PACKET], T_ERSPAN)
        return steps.ERSPAN_III
    if protocol == 0x880B and at >= w[WIRE_END]:
        return steps.DONE  # PPTP acknowledgement without payload
    step = steps.of_ethertype(protocol)
    if step == steps.CISCO_METADATA:
        return steps.CISCO_METADATA_OF_GRE
    if step == steps.DONE:
        w[LEAF] = LEAF_ETHERTYPE << 16 | protocol
    return step


@borrowing()
def erspan_ii(data, w, at):  # type: ignore[no-untyped-def]
    w[AT] = at + 8
    return steps.ETHERNET if has(w, at, 8, errors.ERSPAN) else steps.DONE


@borrowing()
def erspan_iii(data, w, at):  # type: ignore[no-untyped-def]
    if not has(w, at, 12, errors.ERSPAN):
        return steps.DONE
    size = 20 if data[at + 11] & 1 else 12
    w[AT] = at + size
    return steps.ETHERNET if has(w, at, size, errors.ERSPAN) else steps.DONE


@borrowing()
def etherip(data, w, at):  # type: ignore[no-untyped-def]
    """RFC 3378: two bytes of version, then Ethernet."""
    w[AT] = at + 2
    return steps.ETHERNET if has(w, at, 2, errors.ETHERNET) else steps.DONE


@borrowing()
def vxlan(data, w, at, out):  # type: ignore[no-untyped-def]
    """RFC 7348."""
    if w[END] - at < 8 or not data[at] & 0x08 or data[at + 7]:
        return _not_recognised(w, A_VXLAN)
    _recognised(w, A_VXLAN, T_VXLAN, out)
    layer(w, bits.VXLAN)
    w[AT] = at + 8
    return steps.ETHERNET


@borrowing()
def geneve(data, w, at, out):  # type: ignore[no-untyped-def]
    """RFC 8926."""
    if w[END] - at < 8:
        return _not_recognised(w, A_GENEVE)
    size = 8 + 4 * (np.int64(data[at]) & 0x3F)
    step = steps.of_ethertype(u16(data, at + 2))
    if data[at] >> 6 or step == steps.DONE or at + size > w[WIRE_END]:
        return _not_recognised(w, A_GENEVE)
    _recognised(w, A_GENEVE, T_GENEVE, out)
    layer(w, bits.GENEVE)
    w[AT] = at + size
    return step


@borrowing()
def gtpu(data, w, at, out):  # type: ignore[no-untyped-def]
    """3GPP TS 29.281. G-PDUs (type 255) hold an IP packet behind the header, its optional part and extension headers."""
    if w[END] - at < 8 or data[at] >> 4 != 3:  # version 1, protocol type GTP
        return _not_recognised(w, A_GTPU)
    _recognised(w, A_GTPU, T_GTPU, out)
    layer(w, bits.GTP)
    end = w[CAPTURED_END]
    size = np.int64(8)
    if data[at] & 7:
        size = np.int64(12)
        following = at + 11 < end and data[at + 11] != 0
        while data[at] & 4 and following:
            if at + size >= end or data[at + size] == 0:
                return steps.DONE
            size += 4 * np.int64(data[at + size])
            following = at + size - 1 < end and data[at + size - 1] != 0
    if data[at + 1] != 255 or at + size >= end:
        return steps.DONE
    w[AT] = at + size
    version = data[at + size] >> 4
    return steps.IPV4 if version == 4 else steps.IPV6 if version == 6 else steps.DONE


@borrowing()
def teredo(data, w, at, out):  # type: ignore[no-untyped-def]
    """RFC 4380: IPv6 in UDP, perhaps behind an authentication header and an origin indication."""
    start, captured = at, w[CAPTURED_END]
    if w[END] - at >= 13 and data[at] == 0 and data[at + 1] == 1:
        at += 13 + np.int64(data[at + 2]) + np.int64(data[at + 3])
    if at + 2 <= captured and data[at] == 0 and data[at + 1] == 0:
        at += 8
    if at >= w[END] or data[at] >> 4 != 6:
        return _not_recognised(w, A_TEREDO)
    if w[END] - at >= 40 and u16(data, at + 4) + 40 > w[WIRE_END] - start:
        return _not_recognised(w, A_TEREDO)
    _recognised(w, A_TEREDO, T_TEREDO, out)
    layer(w, bits.TEREDO)
    w[AT] = at
    return steps.IPV6


@borrowing()
def mpls_in_udp(data, w, at, out):  # type: ignore[no-untyped-def]
    """RFC 7510."""
    if w[END] - at < 5:
        return _not_recognised(w, A_MPLS)
    _recognised(w, A_MPLS, T_MPLS, out)
    w[AT] = at
    return steps.MPLS


@borrowing()
def l2tp(data, w, at, out):  # type: ignore[no-untyped-def]
    """RFC 2661, version 2. Data messages hold PPP, behind optional length, sequence numbers and offset."""
    if w[END] - at < 6 or data[at + 1] & 0x0F != 2:
        return _not_recognised(w, A_L2TP)
    _recognised(w, A_L2TP, T_L2TP, out)
    layer(w, bits.L2TP)
    flags = data[at]
    if flags & 0x80:  # control message
        return steps.DONE
    size = np.int64(6)
    if flags & 0x40:
        size += 2
    if flags & 0x08:
        size += 4
    if flags & 0x02:
        if at + size + 2 <= w[CAPTURED_END]:
            size += 2 + u16(data, at + size)
        elif at + size + 1 <= w[CAPTURED_END]:
            size += 2 + np.int64(data[at + size])
        else:
            size += 2
    w[AT] = at + size
    return steps.PPP
