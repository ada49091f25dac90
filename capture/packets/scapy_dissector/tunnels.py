"""Tunnels over UDP: VXLAN (RFC 7348), GENEVE (RFC 8926), GTP-U (3GPP TS 29.281), Teredo (RFC 4380), MPLS in UDP (RFC 7510),
L2TP (RFC 2661).

Each is recognised by port and content together; a payload that does not look like it is `Payload`, named by its port only.
What they carry has no part in `net*` and `trans*`; its application counts.
"""

from __future__ import annotations

from capture.packets.scapy_dissector.ethertypes import ETHERTYPES
from capture.packets.scapy_dissector.network import note_tunnel
from capture.packets.scapy_dissector.scapy_modules import GENEVE
from capture.packets.scapy_dissector.transport import note_payload
from capture.packets.scapy_dissector.walk import Step, Walk, handler


def _recognised(walk: Walk, name: str, tunnel: str, layer: str) -> None:
    """The walk goes on in a tunnel: its names as application, in `tunnel`, and in `protocols` (if no handler gives that)."""
    walk.found.appproto = name.encode()
    walk.found.appproto_port = None
    note_tunnel(walk, tunnel)
    if layer:
        walk.add("protocols", layer.encode())


@handler("vxlan")
def vxlan(walk: Walk, at: int) -> Step:
    if walk.end - at < 8:
        note_payload(walk, "VXLAN")
        return None
    if not walk.data[at] & 0x08 or walk.data[at + 7]:  # scapy fails where both extensions are there (G and P)
        note_payload(walk, "VXLAN")
        return None
    _recognised(walk, "VXLAN", "vxlan", "vxlan")
    return "ethernet", at + 8


@handler("geneve")
def geneve(walk: Walk, at: int) -> Step:
    if walk.end - at < 8:
        note_payload(walk, "Geneve")
        return None
    header = GENEVE(walk.data[at : at + 8], _internal=1)
    size = 8 + 4 * (walk.data[at] & 0x3F)
    name = ETHERTYPES.get(header.proto)
    if walk.data[at] >> 6 or name is None or at + size > walk.wire_end:
        note_payload(walk, "Geneve")
        return None
    _recognised(walk, "Geneve", "geneve", "geneve")
    return name, at + size


@handler("gtpv1u")
def gtpv1u(walk: Walk, at: int) -> Step:
    """G-PDUs (type 255) hold an IP packet behind the header, its optional part and extension headers."""
    if walk.end - at < 8 or walk.data[at] >> 4 != 3:  # version 1, protocol type GTP
        note_payload(walk, "GTPv1U")
        return None
    _recognised(walk, "GTPv1U", "gtp-u", "gtp")
    size = 8
    if walk.data[at] & 7:
        size = 12
        following = walk.data[at + 11 : at + 12]
        while walk.data[at] & 4 and following and following[0]:
            units = walk.data[at + size : at + size + 1]
            if not units or not units[0]:
                return None
            size += 4 * units[0]
            following = walk.data[at + size - 1 : at + size]
    if walk.data[at + 1] != 255:
        return None
    version = walk.data[at + size : at + size + 1]
    name = {4: "ipv4", 6: "ipv6"}.get(version[0] >> 4) if version else None
    return (name, at + size) if name else None


@handler("teredo")
def teredo(walk: Walk, at: int) -> Step:
    """IPv6 in UDP, perhaps behind an authentication header and an origin indication."""
    start = at
    if walk.data[at : at + 2] == b"\0\1" and walk.end - at >= 13:
        at += 13 + walk.data[at + 2] + walk.data[at + 3]
    if walk.data[at : at + 2] == b"\0\0":
        at += 8
    if at >= walk.end or walk.data[at] >> 4 != 6:
        note_payload(walk, "Teredo")
        return None
    if walk.end - at >= 40 and int.from_bytes(walk.data[at + 4 : at + 6], "big") + 40 > walk.wire_end - start:
        note_payload(walk, "Teredo")
        return None
    _recognised(walk, "Teredo", "teredo", "teredo")
    return "ipv6", at


@handler("mpls in udp")
def mpls_in_udp(walk: Walk, at: int) -> Step:
    if walk.end - at < 5:
        note_payload(walk, "MPLS")
        return None
    _recognised(walk, "MPLS", "mpls-in-udp", "")
    return "mpls", at


@handler("l2tp")
def l2tp(walk: Walk, at: int) -> Step:
    """Version 2. Data messages hold PPP, behind optional length, sequence numbers and offset."""
    if walk.end - at < 6 or walk.data[at + 1] & 0x0F != 2:
        note_payload(walk, "L2TP")
        return None
    _recognised(walk, "L2TP", "l2tp", "l2tp")
    flags = walk.data[at]
    if flags & 0x80:  # control message
        return None
    size = 6 + (2 if flags & 0x40 else 0) + (4 if flags & 0x08 else 0)
    if flags & 0x02:
        size += 2 + int.from_bytes(walk.data[at + size : at + size + 2], "big")
    return "ppp", at + size
