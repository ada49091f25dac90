"""QUIC packets with long headers, one behind the other in a datagram (RFC 9000, 12.2 and 17.2; RFC 9369, 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

NEGOTIATION, VERSION_1, VERSION_2 = 0, 1, 0x6B3343CF
INITIAL, ZERO_RTT, HANDSHAKE, RETRY = 0, 1, 2, 3
LONGEST_ID = 20
MOST_PACKETS = 32  # in a datagram; a real one has up to four

_VERSION_2_DRAFT = 0x709A50C4
_DRAFT_1, _DRAFT_22, _DRAFT_34 = 0xFF000001, 0xFF000016, 0xFF000022
_Q050, _T050, _T051 = 0x51303530, 0x54303530, 0x54303531
_MVFST_22, _MVFST_27, _MVFST = 0xFACEB001, 0xFACEB002, 0xFACEB00E


@dataclass(frozen=True)
class LongHeader:
    """One packet with a long header in a datagram.

    version: as it stands there. kind: INITIAL, ZERO_RTT, HANDSHAKE or RETRY, -1 where the version's layout is not known.
    id_at, id_end: the destination's connection id. begin, number_at, end: the packet, and its protected packet number in it;
    all are offsets in the datagram. number_at is -1 for packets that have none or that are not whole.
    """

    version: int
    kind: int
    begin: int
    id_at: int = 0
    id_end: int = 0
    number_at: int = -1
    end: int = 0


def long_headers(datagram: bytes) -> Iterator[LongHeader]:
    """The packets with long headers that `datagram` begins with, MOST_PACKETS of them at most."""
    at = packets = 0
    while packets < MOST_PACKETS and at + 5 <= len(datagram) and datagram[at] & 0x80:
        version = int.from_bytes(datagram[at + 1 : at + 5], "big")
        if not is_version(version):
            return
        packet = _packet(datagram, at, version)
        yield packet
        packets += 1
        if packet.number_at < 0:
            return
        at = packet.end


def public_header_version(datagram: bytes) -> int | None:
    """The version of Google's QUIC up to Q043, in packets that name it: flags, 8 bytes of connection id, version."""
    if len(datagram) < 13 or datagram[0] & 0x89 != 0x09:
        return None
    version = int.from_bytes(datagram[9:13], "big")
    return version if datagram[9:10] == b"Q" and is_version(version) else None


def is_version(version: int) -> bool:
    """Whether QUIC has, had, or (RFC 9000, 15) reserved that version."""
    if version in (NEGOTIATION, VERSION_1, VERSION_2, _VERSION_2_DRAFT) or version >> 16 == 0xFACE:
        return True
    if _DRAFT_1 <= version <= _DRAFT_34:
        return True
    if version & 0x0F0F0F0F == 0x0A0A0A0A:
        return True
    text = version.to_bytes(4, "big")
    return text[0] in b"QT" and all(0x30 <= digit <= 0x39 for digit in text[1:])


def has_known_layout(version: int) -> bool:
    """Whether packets of that version are laid out as RFC 9000's: from draft 22 on."""
    if version in (VERSION_1, VERSION_2, _Q050, _T050, _T051, _MVFST_22, _MVFST_27, _MVFST):
        return True
    return _DRAFT_22 <= version <= _DRAFT_34


def varint(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """A variable-length integer (RFC 9000, 16) and the offset behind it, (0, -1) if it ends behind `limit`."""
    if at >= limit:
        return 0, -1
    end = at + (1 << (data[at] >> 6))
    if end > limit:
        return 0, -1
    return int.from_bytes(data[at:end], "big") & ((1 << (8 * (end - at) - 2)) - 1), end


def _packet(datagram: bytes, begin: int, version: int) -> LongHeader:
    unknown = LongHeader(version, -1, begin)
    size = len(datagram)
    at = begin + 5
    if not has_known_layout(version) or at >= size or datagram[at] > LONGEST_ID:
        return unknown
    id_at, id_end = at + 1, at + 1 + datagram[at]
    if id_end >= size or datagram[id_end] > LONGEST_ID:
        return unknown
    at = id_end + 1 + datagram[id_end]
    kind = datagram[begin] >> 4 & 3
    if version == VERSION_2:
        kind = (kind - 1) & 3
    if kind == RETRY or at > size:
        return LongHeader(version, kind, begin, id_at, id_end)
    if kind == INITIAL:
        token, at = varint(datagram, at, size)
        if at < 0 or token > size - at:
            return LongHeader(version, kind, begin, id_at, id_end)
        at += token
    length, at = varint(datagram, at, size)
    if at < 0 or length > size - at:
        return LongHeader(version, kind, begin, id_at, id_end)
    return LongHeader(version, kind, begin, id_at, id_end, at, at + length)
