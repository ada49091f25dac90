"""Packets built layer by layer by hypothesis: headers that fit each other, with lengths and fields that are right or are not."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from tests.robustness.packets import Packet

Draw = st.DrawFn

_PAYLOADS = (
    b"",
    b"GET /a?b HTTP/1.1\r\nHost: example.com\r\nUser-Agent: x\r\n\r\nPOST / HTTP/1.1\r\nHost: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nServer: s\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nabc",
    bytes.fromhex("1234010000010000000000000377777703636f6d0000010001"),
    bytes.fromhex("123481800001000100000000026162036f72670000010001c00c000100010000003c00045db8d822"),
    bytes.fromhex("16030100310100002d0303" + "11" * 32 + "000002130101000002000000"),
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"EHLO a\r\nMAIL FROM:<a@b>\r\n",
    b"220 ready\r\n",
    b"USER a\r\nPASS b\r\n",
    b"INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n",
    bytes.fromhex("23020a00" + "00" * 44),
    bytes.fromhex("302602010104067075626c6963a019020101020100020100300e300c06082b060102010101000500"),
    bytes.fromhex("000100000006010300000001"),
    bytes.fromhex("100c00044d51545404000000000000"),
    b"\x00\x00\x00\x08\xfeSMB\x40\x00\x00\x00",
    b"\x01\x01\x06\x00" + bytes(232) + b"\x63\x82\x53\x63\x35\x01\x01\xff",
    bytes.fromhex("c000000001088394c8f03e51570800004075") + bytes(117),
)
_PORTS = st.one_of(
    st.sampled_from((20, 22, 25, 53, 67, 80, 123, 161, 443, 445, 502, 1701, 1883, 2152, 3544, 4789, 5060, 5353, 6081, 40000)),
    st.integers(0, 65535),
)
_BYTE = st.integers(0, 255)


def _length(draw: Draw, right: int) -> int:
    """Mostly the right length."""
    return (
        draw(st.one_of(st.just(right), st.just(right), st.just(right), st.integers(0, 65535), st.just(max(right - 1, 0))))
        & 0xFFFF
    )


def _payload(draw: Draw) -> bytes:
    base = draw(st.sampled_from(_PAYLOADS))
    if draw(st.booleans()):
        return base
    if draw(st.booleans()):
        return base[: draw(st.integers(0, len(base)))]
    damaged = bytearray(base or b"\0")
    damaged[draw(st.integers(0, len(damaged) - 1))] = draw(_BYTE)
    return bytes(damaged) + draw(st.binary(max_size=20))


def _tcp(draw: Draw, depth: int) -> bytes:
    options = draw(
        st.sampled_from(
            (
                b"",
                b"\x02\x04\x05\xb4",
                b"\x01\x03\x03\x07",
                b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + bytes(8) + b"\x01\x03\x03\x07",
                b"\x05\x01\0\0",
            )
        )
    )
    words = draw(st.one_of(st.just(5 + len(options) // 4), st.integers(0, 15)))
    flags = draw(st.integers(0, 0xFFF))
    head = struct.pack(">HHIIHHHH", draw(_PORTS), draw(_PORTS), 1, 2, words << 12 | flags, 1000, 0, 0)
    return head + options + _payload(draw)


def _udp(draw: Draw, depth: int) -> bytes:
    source, destination = draw(_PORTS), draw(_PORTS)
    inside = _payload(draw)
    if depth and draw(st.booleans()):
        destination, inside = draw(
            st.sampled_from(
                (
                    (4789, b"\x08\0\0\0\0\0\x01\0" + _ethernet(draw, depth - 1)),
                    (6081, b"\x01\0\x65\x58\0\0\x01\0\0\0\0\0" + _ethernet(draw, depth - 1)),
                    (
                        2152,
                        struct.pack(">BBHI", draw(st.sampled_from((0x30, 0x32, 0x34))), 255, 40, 1)
                        + _network(draw, depth - 1)[1],
                    ),
                    (1701, b"\x02\0\0\x01\0\x02\xff\x03\0\x21" + _ipv4(draw, depth - 1)),
                    (3544, _ipv6(draw, depth - 1)),
                )
            )
        )
    return struct.pack(">HHHH", source, destination, _length(draw, 8 + len(inside)), 0) + inside


def _icmp(draw: Draw, depth: int) -> bytes:
    inside = _network(draw, 0)[1] if draw(st.booleans()) else draw(st.binary(max_size=30))
    return bytes((draw(st.sampled_from((0, 3, 5, 8, 11, 12, 1, 2, 4, 128, 135))), draw(_BYTE), 0, 0, 0, 0, 0, 0)) + inside


def _sctp(draw: Draw, depth: int) -> bytes:
    chunks = b"".join(
        struct.pack(">BBH", draw(st.integers(0, 14)), 3, _length(draw, 4 + size)) + bytes(size)
        for size in draw(st.lists(st.sampled_from((0, 4, 12, 16)), max_size=3))
    )
    return struct.pack(">HHII", draw(_PORTS), draw(_PORTS), 1, 0) + chunks


def _gre(draw: Draw, depth: int) -> bytes:
    flags = draw(st.sampled_from((0, 0, 0x2000, 0x1000, 0x8000, 0xB000, 0x4000, 1)))
    optional = b"".join(bytes(4) for bit in (0x8000, 0x2000, 0x1000) if flags & bit)
    kind = draw(st.sampled_from(("ip", "ethernet", "erspan")))
    if kind == "ip":
        protocol, inside = _network(draw, max(depth - 1, 0))
    elif kind == "ethernet":
        protocol, inside = 0x6558, _ethernet(draw, max(depth - 1, 0))
    else:
        protocol, inside = 0x88BE, b"\x10\0\0\0\0\0\0\0" + _ethernet(draw, max(depth - 1, 0))
    return struct.pack(">HH", flags, protocol) + optional + inside


_TRANSPORTS = {6: _tcp, 17: _udp, 136: _udp, 132: _sctp, 1: _icmp, 58: _icmp}


def _transport(draw: Draw, depth: int) -> tuple[int, bytes]:
    if depth and draw(st.integers(0, 3)) == 0:
        number = draw(st.sampled_from((4, 41, 47)))
        make = {4: _ipv4, 41: _ipv6, 47: _gre}[number]
        return number, make(draw, depth - 1)
    number = draw(st.sampled_from((6, 6, 17, 17, 132, 1, 58, 136)))
    return number, _TRANSPORTS[number](draw, depth)


def _ipv4(draw: Draw, depth: int) -> bytes:
    protocol, inside = _transport(draw, depth)
    options = bytes(4 * draw(st.sampled_from((0, 0, 0, 1, 3))))
    size = draw(st.one_of(st.just(5 + len(options) // 4), st.just(5 + len(options) // 4), st.integers(0, 15)))
    fragment = draw(st.sampled_from((0, 0, 0, 0x4000, 0x2000, 1, 0x2001, 0x8000)))
    total = _length(draw, 20 + len(options) + len(inside))
    head = struct.pack(">BBHHHBBH", 0x40 | size, draw(_BYTE), total, 1, fragment, draw(_BYTE), protocol, 0)
    return head + draw(st.binary(min_size=8, max_size=8)) + options + inside


def _ipv6(draw: Draw, depth: int) -> bytes:
    following, inside = _transport(draw, depth)
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        number = draw(st.sampled_from((0, 43, 44, 60, 51)))
        if number == 44:
            inside = struct.pack(">BBHI", following, 0, draw(st.sampled_from((0, 1, 8, 9))), 7) + inside
        else:
            words = draw(st.sampled_from((0, 0, 1, 4)))
            size = (words + 2) * 4 if number == 51 else (words + 1) * 8
            inside = bytes((following, words)) + bytes(max(size - 2, 0)) + inside
        following = number
    head = struct.pack(">IHBB", 0x60000000 | draw(_BYTE) << 20, _length(draw, len(inside)), following, draw(_BYTE))
    return head + draw(st.binary(min_size=32, max_size=32)) + inside


def _arp(draw: Draw) -> bytes:
    return struct.pack(">HHBBH", 1, 0x800, 6, draw(st.sampled_from((4, 4, 0, 16))), draw(st.integers(0, 10))) + bytes(20)


def _network(draw: Draw, depth: int) -> tuple[int, bytes]:
    """EtherType, bytes."""
    kind = draw(st.sampled_from(("4", "4", "6", "arp")))
    if kind == "4":
        return 0x0800, _ipv4(draw, depth)
    return (0x86DD, _ipv6(draw, depth)) if kind == "6" else (0x0806, _arp(draw))


def _tagged(draw: Draw, depth: int) -> tuple[int, bytes]:
    """A network packet behind tags, labels, PPPoE or LLC."""
    ethertype, inside = _network(draw, depth)
    for wrapper in draw(st.lists(st.sampled_from(("vlan", "svc", "mpls", "pppoe")), max_size=3)):
        if wrapper in ("vlan", "svc"):
            inside = struct.pack(">HH", draw(st.integers(0, 0xFFFF)), ethertype) + inside
            ethertype = 0x8100 if wrapper == "vlan" else 0x88A8
        elif wrapper == "mpls":
            inside, ethertype = struct.pack(">I", 16 << 12 | 0x100 | 64) + inside, 0x8847
        else:
            protocol = {0x0800: 0x21, 0x86DD: 0x57, 0x8847: 0x281}.get(ethertype, 0xC021)
            inside = struct.pack(">BBHHH", 0x11, 0, 1, _length(draw, len(inside) + 2), protocol) + inside
            ethertype = 0x8864
    return ethertype, inside


def _ethernet(draw: Draw, depth: int) -> bytes:
    ethertype, inside = _tagged(draw, depth)
    if draw(st.integers(0, 7)) == 0:
        snap = b"\xaa\xaa\x03\0\0\0" + struct.pack(">H", ethertype) + inside
        return bytes(12) + struct.pack(">H", min(len(snap), 1500)) + snap
    return bytes(12) + struct.pack(">H", ethertype) + inside


def _link(draw: Draw) -> tuple[int, bytes]:
    """Link type, packet."""
    linktype = draw(st.sampled_from((1, 1, 1, 1, 101, 228, 229, 113, 276, 0, 108, 9, 105, 127)))
    if linktype == 1:
        return linktype, _ethernet(draw, 2)
    if linktype in (101, 228):
        return linktype, _ipv4(draw, 2)
    if linktype == 229:
        return linktype, _ipv6(draw, 2)
    ethertype, inside = _tagged(draw, 1)
    if linktype == 113:
        return linktype, struct.pack(">HHH8sH", draw(st.integers(0, 5)), 1, 6, bytes(8), ethertype) + inside
    if linktype == 276:
        return linktype, struct.pack(">HHIHBB8s", ethertype, 0, 1, 1, draw(st.integers(0, 5)), 6, bytes(8)) + inside
    if linktype in (0, 108):
        family = draw(st.sampled_from((2, 10, 24, 28, 30, 7)))
        return linktype, family.to_bytes(4, draw(st.sampled_from(("big", "little")))) + inside
    if linktype == 9:
        return linktype, b"\xff\x03\0\x21" + inside
    frame = struct.pack("<BBH", draw(st.sampled_from((0x08, 0x88, 0x80, 0x48))), draw(st.integers(0, 3)), 0) + bytes(20)
    frame += b"\xaa\xaa\x03\0\0\0" + struct.pack(">H", ethertype) + inside
    return linktype, (b"\0\0\x08\0\0\0\0\0" if linktype == 127 else b"") + frame


@st.composite
def built_packets(draw: Draw) -> Packet:
    """A packet; sometimes cut, on the wire too or not."""
    linktype, data = _link(draw)
    wire = len(data)
    if draw(st.integers(0, 4)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
        wire = draw(st.sampled_from((wire, len(data))))
    return Packet(data, linktype, wire)
