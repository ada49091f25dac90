"""The TCP segment or UDP datagram of a packet, and where its payload lies: of the first IP header, as conversations are told."""

from __future__ import annotations

import struct
from dataclasses import dataclass

TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_ETHERNET, _RAW = 1, frozenset({12, 14, 101, 228, 229})
_IP_TYPES = frozenset({0x0800, 0x86DD})
_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
_EXTENSIONS = frozenset({0, 43, 60, 135, 139, 140})  # hop-by-hop, routing, destination, mobility, HIP, shim6
_FRAGMENT, _AUTHENTICATION = 44, 51
_SHORT = struct.Struct(">H")
_TCP_HEADER = struct.Struct(">HHIIHH")
_UDP_HEADER = struct.Struct(">HHH")


@dataclass(frozen=True, slots=True)
class Segment:
    """protocol: TCP or UDP; addresses as they stand in the header. start: offset in the packet of the payload, of which
    `captured` bytes are there; `length` is what it had on the wire. Of a first fragment it is what that fragment has.

    The rest is TCP's: sequence and acknowledgement as sent (the latter 0 without ACK), flags (FIN is bit 0, NS is bit 8), window
    as sent, options as (mss, shift of the window, whether SACK is permitted), None where they are not there."""

    protocol: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    start: int
    captured: int
    length: int
    sequence: int = 0
    acknowledgement: int = 0
    flags: int = 0
    window: int = 0
    mss: int | None = None
    shift: int | None = None
    sack: bool = False


def segment(data: bytes, linktype: int, wire_length: int) -> Segment | None:
    """Of a packet's captured bytes; None if there is none, if it is cut within the header or bad, or is a later fragment. Never
    raises. data: bytes on the link. linktype: LINKTYPE number. wire_length: bytes on the wire."""
    at = _network(data, linktype, wire_length)
    if at is None or at >= len(data):
        return None
    end = max(wire_length, len(data))
    try:
        return _of_ipv4(data, at, end) if data[at] >> 4 == 4 else _of_ipv6(data, at, end)
    except (struct.error, IndexError):  # cut within a header
        return None


def _network(data: bytes, linktype: int, wire_length: int) -> int | None:
    """Offset of the first IP header."""
    if linktype == _ETHERNET:
        at = 12
        while len(data) >= at + 2:
            (kind,) = _SHORT.unpack_from(data, at)
            if kind in _IP_TYPES:
                return at + 2
            if kind not in _TAGS:
                break
            at += 4
    elif linktype in _RAW:
        return 0
    # What is rarer goes the dissector's own way; scapy takes half a second to import
    from capture.packets.scapy_dissector.packet import walk_packet

    _, way = walk_packet(data, linktype, wire_length, applications=False)
    return next((at for name, at in way if name in ("ipv4", "ipv6")), None)


def _of_ipv4(data: bytes, at: int, end: int) -> Segment | None:
    size = 4 * (data[at] & 15)
    (total,) = _SHORT.unpack_from(data, at + 2)
    (fragment,) = _SHORT.unpack_from(data, at + 6)
    if size < 20 or 0 < total < size or fragment & 0x1FFF:
        return None
    if total:  # 0: left to the network card (segmentation offload), the packet's length counts
        end = min(end, at + total)
    protocol, source, destination = data[at + 9], data[at + 12 : at + 16], data[at + 16 : at + 20]
    if protocol == _AUTHENTICATION:
        return _behind(data, at + size, end, protocol, source, destination)
    return _transport(data, at + size, end, protocol, source, destination)


def _of_ipv6(data: bytes, at: int, end: int) -> Segment | None:
    if data[at] >> 4 != 6:
        return None
    (length,) = _SHORT.unpack_from(data, at + 4)
    if length:  # 0: a jumbogram or segmentation offload
        end = min(end, at + 40 + length)
    return _behind(data, at + 40, end, data[at + 6], data[at + 8 : at + 24], data[at + 24 : at + 40])


def _behind(data: bytes, at: int, end: int, protocol: int, source: bytes, destination: bytes) -> Segment | None:
    """Behind extension headers, each of which names the next."""
    while protocol in _EXTENSIONS or protocol in (_FRAGMENT, _AUTHENTICATION):
        following = data[at]
        if protocol == _FRAGMENT:
            if _SHORT.unpack_from(data, at + 2)[0] & 0xFFF8:
                return None
            at += 8
        else:
            at += 4 * (data[at + 1] + 2) if protocol == _AUTHENTICATION else 8 * (data[at + 1] + 1)
        protocol = following
    return _transport(data, at, end, protocol, source, destination)


def _transport(data: bytes, at: int, end: int, protocol: int, source: bytes, destination: bytes) -> Segment | None:
    if protocol == UDP:
        sport, dport, length = _UDP_HEADER.unpack_from(data, at)
        if len(data) < at + 8 or 0 < length < 8:
            return None
        end = min(end, at + length) if length else end
        start = at + 8
        return Segment(UDP, source, destination, sport, dport, start, *_sizes(data, start, end))
    if protocol != TCP:
        return None
    sport, dport, sequence, acknowledgement, bits, window = _TCP_HEADER.unpack_from(data, at)
    size = 4 * (bits >> 12)
    if size < 20 or at + 20 > end:
        return None
    start = at + size
    flags = bits & 0x1FF
    mss, shift, sack = _options(data[at + 20 : min(start, end)]) if flags & SYN else (None, None, False)
    return Segment(
        TCP, source, destination, sport, dport, start, *_sizes(data, start, end), sequence,
        acknowledgement if flags & ACK else 0, flags, window, mss, shift, sack,
    )  # fmt: skip


def _sizes(data: bytes, start: int, end: int) -> tuple[int, int]:
    return max(0, min(len(data), end) - start), max(0, end - start)


def _options(options: bytes) -> tuple[int | None, int | None, bool]:
    """Maximum segment size, window shift, SACK permitted (RFC 9293 3.2, RFC 7323, RFC 2018)."""
    mss, shift, sack, at = None, None, False, 0
    while at < len(options) and options[at]:
        if options[at] == 1:
            at += 1
            continue
        if at + 1 >= len(options) or options[at + 1] < 2:
            break
        kind, size = options[at], options[at + 1]
        value = options[at + 2 : at + size]
        if kind == 2 and len(value) == 2:
            mss = int.from_bytes(value, "big")
        elif kind == 3 and len(value) == 1:
            shift = min(value[0], 14)
        elif kind == 4:
            sack = True
        at += size
    return mss, shift, sack
