"""Link layers in compiled loops: Ethernet, VLAN, PBB, LLC/SNAP, MPLS, PPP(oE), cooked, loopback, raw IP, ARP."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing, inlined
from capture.packets.fast.addresses import IPV4 as KIND_IPV4
from capture.packets.fast.addresses import MACS, add
from capture.packets.fast.headers import errors, slots, steps
from capture.packets.fast.headers.scratch import (
    ARP_OP,
    ARP_SENDER,
    ARP_TARGET,
    AT,
    CAPTURED_END,
    DIRECTION,
    END,
    ETHERNET,
    ETHERNETS,
    ETHERTYPE,
    LEAF,
    LEAF_CISCO,
    LEAF_ETHERTYPE,
    LEAF_LLC,
    LEAF_OSI,
    LEAF_PPP,
    NETWORKS,
    NOTHING,
    PACKET,
    VLAN_OUTER,
    WANT_MACS,
    WIRE_END,
    fail,
    has,
    limit,
    u16,
    u32,
    u64,
)
from capture.packets.fast.out import number

INBOUND, OUTBOUND = 0, 1  # positions in the choices of field `direction`


@inlined()
def behind_ethertype(w, ethertype, at):  # type: ignore[no-untyped-def]
    """The step behind an EtherType or IEEE 802.3 length field: up to 1500 it is the length of an LLC frame (802.3, 3.2.6)."""
    w[AT] = at
    if ethertype <= 1500:
        limit(w, at + ethertype)
        return steps.LLC if ethertype else steps.DONE
    step = steps.of_ethertype(ethertype)
    if step == steps.DONE:
        w[LEAF] = LEAF_ETHERTYPE << 16 | ethertype
    return step


@inlined()
def ethernet(data, w, at, table):  # type: ignore[no-untyped-def]
    first = not w[ETHERNETS]
    w[ETHERNETS] = 1
    if first and w[WANT_MACS] and at + 12 <= w[END]:
        w[ETHERNET] = add(table, u64(data, at), np.uint64(u32(data, at + 8)), np.uint8(MACS))
    if not has(w, at, 14, errors.ETHERNET):
        return steps.DONE
    ethertype = u16(data, at + 12)
    if first and ethertype > 1500:
        w[ETHERTYPE] = ethertype
    return behind_ethertype(w, ethertype, at + 14)


@borrowing()
def vlan(data, w, at, out, slot):  # type: ignore[no-untyped-def]
    """IEEE 802.1Q tag: priority, DEI, id; then the EtherType of what follows."""
    if not has(w, at, 4, errors.VLAN):
        return steps.DONE
    tag = u16(data, at)
    number(out, slot, w[PACKET], tag & 0xFFF)
    number(out, slots.VLAN_PRIO, w[PACKET], tag >> 13)
    if w[VLAN_OUTER] == NOTHING:
        w[VLAN_OUTER] = tag & 0xFFF
    if w[NETWORKS] == 0:
        number(out, slots.VLAN_STACK, w[PACKET], tag & 0xFFF)
    return behind_ethertype(w, u16(data, at + 2), at + 4)


@borrowing()
def pbb(data, w, at):  # type: ignore[no-untyped-def]
    """Provider backbone bridging, IEEE 802.1ah: the I-tag, then the customer's frame."""
    if not has(w, at, 4, errors.PBB):
        return steps.DONE
    w[AT] = at + 4
    return steps.ETHERNET


@borrowing()
def cisco_metadata(data, w, at, ethertype_at):  # type: ignore[no-untyped-def]
    """Cisco MetaData (TrustSec SGT). The EtherType stands at its end, in GRE at its beginning."""
    if not has(w, at, 8, errors.CISCO_METADATA):
        return steps.DONE
    return behind_ethertype(w, u16(data, at + ethertype_at), at + 8)


@borrowing()
def llc(data, w, at):  # type: ignore[no-untyped-def]
    """IEEE 802.2; what follows is told by the service access points."""
    if not has(w, at, 3, errors.LLC):
        return steps.DONE
    w[AT] = at + 3
    if data[at] == 0xAA and data[at + 1] == 0xAA and data[at + 2] == 3:
        return steps.SNAP
    if data[at] == 0x06 and data[at + 1] == 0x06 and data[at + 2] == 3:
        return steps.RAW_IP  # RFC 948
    information = data[at + 2] & 1 == 0  # an I frame: two bytes of control field
    if information or data[at + 2] & 0xEF == 0x03:
        w[LEAF] = LEAF_LLC << 16 | np.int64(data[at])
        network = at + (4 if information else 3)
        if data[at] == 0xFE and network < w[END]:
            w[LEAF] = LEAF_OSI << 16 | np.int64(data[network])
    return steps.DONE


@borrowing()
def snap(data, w, at):  # type: ignore[no-untyped-def]
    if not has(w, at, 5, errors.SNAP):
        return steps.DONE
    organisation = u32(data, at) >> 8
    code = u16(data, at + 3)
    w[AT] = at + 5
    if organisation == 0 or organisation == 0x0000F8:  # RFC 1042; IEEE 802.1H
        return behind_ethertype(w, code, at + 5) if code > 1500 else steps.DONE
    if organisation == 0x0080C2 and (code == 1 or code == 7):  # RFC 2684: bridged Ethernet, with and without FCS
        return steps.ETHERNET
    if organisation == 0x00000C:
        w[LEAF] = LEAF_CISCO << 16 | code
    return steps.DONE


@borrowing()
def mpls(data, w, at, out):  # type: ignore[no-untyped-def]
    """RFC 3032. What follows the stack is told by its first nibble: IP, or a pseudowire's control word (RFC 4385), Ethernet."""
    if not has(w, at, 4, errors.MPLS):
        return steps.DONE
    entry = u32(data, at)
    number(out, slots.MPLS_LABEL, w[PACKET], entry >> 12)
    at += 4
    w[AT] = at
    if not entry & 0x100:
        return steps.MPLS
    if not has(w, at, 1, errors.MPLS):
        return steps.DONE
    nibble = data[at] >> 4
    if nibble == 4:
        return steps.IPV4
    if nibble == 6:
        return steps.IPV6
    if nibble == 0 and at + 2 <= w[CAPTURED_END] and data[at] == 0 and data[at + 1] == 0:
        w[AT] = at + 4
        return steps.ETHERNET
    if nibble == 1:
        return steps.DONE  # associated channel header
    return steps.ETHERNET


@borrowing()
def pppoe(data, w, at):  # type: ignore[no-untyped-def]
    """RFC 2516, session stage."""
    if not has(w, at, 6, errors.PPPOE):
        return steps.DONE
    if data[at] != 0x11:
        fail(w, errors.PPPOE_VERSION)
        return steps.DONE
    if data[at + 1] != 0:
        return steps.DONE
    end = at + 6 + u16(data, at + 4)
    if end > w[WIRE_END]:
        fail(w, errors.PPPOE_LENGTH)
    else:
        limit(w, end)
    w[AT] = at + 6
    return steps.PPP


@borrowing()
def ppp(data, w, at):  # type: ignore[no-untyped-def]
    """RFC 1661, with or without HDLC address and control (RFC 1662), with or without protocol field compression."""
    if not has(w, at, 1, errors.PPP):
        return steps.DONE
    if data[at] == 0xFF:
        if not has(w, at, 2, errors.PPP):
            return steps.DONE
        at += 2
        if not has(w, at, 1, errors.PPP):
            return steps.DONE
    if data[at] & 1:
        protocol = np.int64(data[at])
        at += 1
    else:
        if not has(w, at, 2, errors.PPP):
            return steps.DONE
        protocol = u16(data, at)
        at += 2
    w[AT] = at
    step = steps.of_ppp(protocol)
    if step == steps.DONE:
        w[LEAF] = LEAF_PPP << 16 | protocol
    return step


@borrowing()
def ppp_hdlc(data, w, at):  # type: ignore[no-untyped-def]
    """LINKTYPE_PPP_HDLC: PPP in HDLC framing, or Cisco HDLC, told by the address."""
    if not has(w, at, 1, errors.PPP):
        return steps.DONE
    w[AT] = at
    return steps.CHDLC if data[at] == 0x0F or data[at] == 0x8F else steps.PPP


@borrowing()
def ppp_with_direction(data, w, at):  # type: ignore[no-untyped-def]
    """A byte of direction before the frame (LINKTYPE_PPP_WITH_DIR), or in place of the HDLC address (LINKTYPE_PPP_PPPD)."""
    if not has(w, at, 2, errors.PPP):
        return steps.DONE
    w[AT] = at + (2 if data[at + 1] == 0x03 else 1)
    return steps.PPP


@borrowing()
def chdlc(data, w, at):  # type: ignore[no-untyped-def]
    if not has(w, at, 4, errors.CHDLC):
        return steps.DONE
    protocol = u16(data, at + 2)
    slarp = protocol == 0x8035  # Cisco's keepalives, where Ethernet has RARP
    return behind_ethertype(w, protocol, at + 4) if protocol > 1500 and not slarp else steps.DONE


@borrowing()
def _cooked(w, packet_type, protocol, at):  # type: ignore[no-untyped-def]
    if packet_type <= 2:
        w[DIRECTION] = INBOUND
    elif packet_type == 4:
        w[DIRECTION] = OUTBOUND
    if protocol == 0x0004:  # LINUX_SLL_P_802_2
        w[AT] = at
        return steps.LLC
    return behind_ethertype(w, protocol, at) if protocol > 1500 else steps.DONE


@borrowing()
def linux_sll(data, w, at):  # type: ignore[no-untyped-def]
    if not has(w, at, 16, errors.SLL):
        return steps.DONE
    return _cooked(w, u16(data, at), u16(data, at + 14), at + 16)


@borrowing()
def linux_sll2(data, w, at):  # type: ignore[no-untyped-def]
    if not has(w, at, 20, errors.SLL2):
        return steps.DONE
    return _cooked(w, np.int64(data[at + 10]), u16(data, at), at + 20)


@borrowing()
def loopback(data, w, at):  # type: ignore[no-untyped-def]
    """BSD loopback: the address family in the byte order of the machine that captured, or (OpenBSD's) in network byte order."""
    if not has(w, at, 4, errors.NULL):
        return steps.DONE
    big = u32(data, at)
    little = np.int64(data[at]) | np.int64(data[at + 1]) << 8 | np.int64(data[at + 2]) << 16 | np.int64(data[at + 3]) << 24
    w[AT] = at + 4
    step = steps.of_family(little)
    if step == steps.DONE:
        step = steps.of_family(big)
    if step == steps.DONE:
        fail(w, errors.NULL_FAMILY)
    return step


@borrowing()
def raw_ip(data, w, at):  # type: ignore[no-untyped-def]
    if not has(w, at, 1, errors.RAW_IP):
        return steps.DONE
    w[AT] = at
    version = data[at] >> 4
    if version == 4:
        return steps.IPV4
    if version == 6:
        return steps.IPV6
    fail(w, errors.RAW_IP_VERSION)
    return steps.DONE


@borrowing()
def arp(data, w, at, table):  # type: ignore[no-untyped-def]
    """RFC 826."""
    if not has(w, at, 8, errors.ARP):
        return steps.DONE
    hardware, protocol = np.int64(data[at + 4]), np.int64(data[at + 5])
    if w[ARP_OP] == NOTHING:
        w[ARP_OP] = u16(data, at + 6)
        if protocol == 4 and u16(data, at + 2) == 0x0800:
            sender = at + 8 + hardware
            target = sender + 4 + hardware
            if sender + 4 <= w[END]:
                w[ARP_SENDER] = add(table, np.uint64(0), np.uint64(u32(data, sender)), np.uint8(KIND_IPV4))
            if target + 4 <= w[END]:
                w[ARP_TARGET] = add(table, np.uint64(0), np.uint64(u32(data, target)), np.uint8(KIND_IPV4))
    has(w, at + 8, 2 * (hardware + protocol), errors.ARP)
    return steps.DONE
