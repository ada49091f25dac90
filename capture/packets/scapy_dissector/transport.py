"""TCP (RFC 9293), UDP (RFC 768), UDP-Lite (RFC 3828), SCTP (RFC 9260): ports and flags, then the payload."""

from __future__ import annotations

from capture.packets import applications
from capture.packets.recognise import Transport, name_of_port, recognise
from capture.packets.recognise.names import short_names
from capture.packets.scapy_dissector.network_fields import note_conversation
from capture.packets.scapy_dissector.scapy_modules import SCTP, TCP, UDP
from capture.packets.scapy_dissector.tcp_fields import note_flags, note_options
from capture.packets.scapy_dissector.walk import Step, Walk, handler

# UDP ports of tunnels: the handler of what the datagram carries. IANA; 8472 is Linux's VXLAN, 3544 Teredo (RFC 4380),
# 1701 L2TP (RFC 2661)
UDP_TUNNELS = {4789: "vxlan", 8472: "vxlan", 6081: "geneve", 2152: "gtpv1u", 3544: "teredo", 6635: "mpls in udp", 1701: "l2tp"}


def _ports(walk: Walk, name: bytes, protocol: int, at: int) -> tuple[int, int]:
    source, destination = walk.number(at, 2), walk.number(at + 2, 2)
    if walk.first:
        walk.found.transproto = name
        walk.found.transsrc = source
        walk.found.transdst = destination
        walk.add("port", source)
        walk.add("port", destination)
        note_conversation(walk, protocol, source, destination)
    else:
        walk.add("inner-transproto", name)
        walk.add("inner-transsrc", source)
        walk.add("inner-transdst", destination)
    return source, destination


@handler("tcp")
def tcp(walk: Walk, at: int) -> Step:
    if not walk.has(at, 4, "tcp"):
        return None
    source, destination = _ports(walk, b"TCP", 6, at)
    if walk.end >= at + 14:
        note_flags(walk, walk.number(at + 12, 2) & 0x1FF)
    if not walk.has(at, 20, "tcp"):
        return None
    header = TCP(walk.data[at : at + 20], _internal=1)
    fields = header.fields
    if walk.first:
        walk.add("tcp-window", fields["window"])
    if fields["dataofs"] < 5:
        walk.fail("tcp: bad data offset")
        return None
    size = fields["dataofs"] * 4
    if walk.first:
        note_options(walk, at + 20, at + size)
        if at + size <= walk.wire_end:  # whether or not the snaplen kept all options
            walk.add("tcp-payload-length", walk.wire_end - at - size)
    if not walk.has(at, size, "tcp", "options beyond segment"):
        return None
    return _payload(walk, "tcp", source, destination, at + size)


@handler("udp")
def udp(walk: Walk, at: int) -> Step:
    if not walk.has(at, 4, "udp"):
        return None
    source, destination = _ports(walk, b"UDP", 17, at)
    if not walk.has(at, 8, "udp"):
        return None
    length = UDP(walk.data[at : at + 8], _internal=1).len
    if 0 < length < 8:
        walk.fail("udp: bad length")
        return None
    if length:  # 0: a jumbogram (RFC 2675) or segmentation offload
        walk.limit(at + length)
    return _payload(walk, "udp", source, destination, at + 8)


@handler("udplite")
def udplite(walk: Walk, at: int) -> Step:
    if not walk.has(at, 4, "udplite"):
        return None
    source, destination = _ports(walk, b"UDPLite", 136, at)
    if not walk.has(at, 8, "udplite"):
        return None
    coverage = int.from_bytes(walk.data[at + 4 : at + 6], "big")
    if 0 < coverage < 8 or coverage > walk.wire_end - at:
        walk.fail("udplite: bad coverage")
        return None
    return _payload(walk, "udplite", source, destination, at + 8)


@handler("sctp")
def sctp(walk: Walk, at: int) -> Step:
    """Payload is the user data of the first DATA chunk that has any."""
    if not walk.has(at, 4, "sctp"):
        return None
    source, destination = _ports(walk, b"SCTP", 132, at)
    if not walk.has(at, 12, "sctp"):
        return None
    SCTP(walk.data[at : at + 12], _internal=1)
    walk.strict = False
    at += 12
    _chunks(walk, at)
    while walk.has(at, 4, "sctp"):
        kind, length = walk.data[at], int.from_bytes(walk.data[at + 2 : at + 4], "big")
        if length < 4:
            return None
        if kind == 0 and length > 16:
            walk.limit(at + length)
            return _payload(walk, "sctp", source, destination, at + 16)
        at += (length + 3) & ~3
    return None


def _chunks(walk: Walk, at: int) -> None:
    """Types of all chunks; one with a length below that of a chunk's header is the last (RFC 9260, 3.2)."""
    while at + 4 <= walk.end:
        walk.add("sctp-chunk", walk.data[at])
        length = walk.number(at + 2, 2)
        if length < 4:
            return
        at += (length + 3) & ~3


def _payload(walk: Walk, transport: Transport, source: int, destination: int, at: int) -> Step:
    """What the transport carries: a tunnel's packet, or an application's bytes."""
    walk.strict = False
    walk.first = False
    if at >= walk.wire_end:
        return None
    payload = walk.data[at : walk.end]
    found = walk.found
    if transport == "udp":
        tunnel = UDP_TUNNELS.get(destination) or UDP_TUNNELS.get(source)
        if tunnel:
            return tunnel, at
    name = recognise(payload, transport, source, destination)
    if name is None:
        note_payload(walk, name_of_port(transport, source, destination))
        return None
    found.appproto = name.encode()
    found.appproto_port = None
    for layer in short_names(name, payload, source, destination):
        walk.add("protocols", layer.encode())
    if walk.applications:
        found.values += applications.values(name, payload, transport, source, destination)
    return None


def note_payload(walk: Walk, by_port: str | None) -> None:
    """A payload that nobody recognises; perhaps its port has a name."""
    walk.add("protocols", b"data")
    walk.found.appproto = b"Payload"
    walk.found.appproto_port = by_port.encode() if by_port else None
