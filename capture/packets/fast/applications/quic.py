"""QUIC in compiled loops: long headers. Datagrams with a hello go on to the plain reader, each distinct one once."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.applications.quic_hellos import FIELDS, hellos
from capture.packets.fast.out import EXTRACT, number, room, span
from capture.packets.fast.slots import NUMBER, SPAN, Slot

QUIC_VERSION, HELLO = range(2)
SLOTS = (
    Slot("quic-version", NUMBER),
    Slot(
        "",
        SPAN,
        fields=FIELDS,
        together=hellos,
    ),
)

_VERSION_1, _VERSION_2, _VERSION_2_DRAFT = 1, 0x6B3343CF, 0x709A50C4
_DRAFT_1, _DRAFT_22, _DRAFT_34 = 0xFF000001, 0xFF000016, 0xFF000022
_Q050, _T050, _T051 = 0x51303530, 0x54303530, 0x54303531
_MVFST_22, _MVFST_27, _MVFST = 0xFACEB001, 0xFACEB002, 0xFACEB00E
_LONGEST_ID = 20
_MOST_PACKETS = 32
_INITIAL, _RETRY = 0, 3
_CHLO, _CHLO_HEAD = 0x43484C4F, 64


@borrowing()
def _u32(data, at):  # type: ignore[no-untyped-def]
    return (np.int64(data[at]) << 24) | (np.int64(data[at + 1]) << 16) | (np.int64(data[at + 2]) << 8) | np.int64(data[at + 3])


@borrowing()
def _is_digit(byte):  # type: ignore[no-untyped-def]
    return 0x30 <= byte <= 0x39


@borrowing()
def _is_version(version):  # type: ignore[no-untyped-def]
    if version in (0, _VERSION_1, _VERSION_2, _VERSION_2_DRAFT):
        return True
    if _DRAFT_1 <= version <= _DRAFT_34 or version >> 16 == 0xFACE or version & 0x0F0F0F0F == 0x0A0A0A0A:
        return True
    letter = version >> 24
    digits = _is_digit(version >> 16 & 0xFF) and _is_digit(version >> 8 & 0xFF) and _is_digit(version & 0xFF)
    return digits and (letter == 0x51 or letter == 0x54)


@borrowing()
def _has_known_layout(version):  # type: ignore[no-untyped-def]
    if version in (_VERSION_1, _VERSION_2) or _DRAFT_22 <= version <= _DRAFT_34:
        return True
    return version in (_Q050, _T050, _T051, _MVFST_22, _MVFST_27, _MVFST)


@borrowing()
def _varint(data, at, limit):  # type: ignore[no-untyped-def]
    """(value, offset behind it), (0, -1) if it ends behind `limit`. RFC 9000, 16."""
    if at >= limit:
        return np.int64(0), np.int64(-1)
    end = at + (np.int64(1) << np.int64(data[at] >> 6))
    if end > limit:
        return np.int64(0), np.int64(-1)
    value = np.int64(data[at]) & 0x3F
    for k in range(at + 1, end):
        value = value << 8 | np.int64(data[k])
    return value, end


@borrowing()
def _long_header(data, begin, end, version):  # type: ignore[no-untyped-def]
    """(kind, offset behind the packet) of the packet at `begin`; offset -1 where it is not whole, or nothing can follow."""
    cut = np.int64(-1)
    at = begin + 5
    if not _has_known_layout(version) or at >= end or data[at] > _LONGEST_ID:
        return cut, cut
    at += 1 + np.int64(data[at])
    if at >= end or data[at] > _LONGEST_ID:
        return cut, cut
    at += 1 + np.int64(data[at])
    kind = np.int64(data[begin] >> 4 & 3)
    if version == _VERSION_2:
        kind = (kind - 1) & 3
    if kind == _RETRY or at > end:
        return kind, cut
    if kind == _INITIAL:
        token, at = _varint(data, at, end)
        if at < 0 or token > end - at:
            return kind, cut
        at += token
    length, at = _varint(data, at, end)
    if at < 0 or length > end - at:
        return kind, cut
    return kind, at + length


@borrowing()
def _has_chlo(data, at, end):  # type: ignore[no-untyped-def]
    for k in range(at, min(at + _CHLO_HEAD, end) - 3):
        if _u32(data, k) == _CHLO:
            return True
    return False


@borrowing()
def _payload(data, begin, end, packet, out):  # type: ignore[no-untyped-def]
    if end - begin >= 13 and data[begin] & 0x89 == 0x09 and data[begin + 9] == 0x51:
        version = _u32(data, begin + 9)
        if _is_version(version):
            number(out, QUIC_VERSION, packet, version)
            if _has_chlo(data, begin, end):
                span(out, HELLO, packet, begin, end)
            return
    at = begin
    hello = False
    packets = 0
    while packets < _MOST_PACKETS and at + 5 <= end and data[at] & 0x80:
        version = _u32(data, at + 1)
        if not _is_version(version):
            break
        number(out, QUIC_VERSION, packet, version)
        kind, after = _long_header(data, at, end, version)
        hello = hello or (kind == _INITIAL and after >= 0) or (version >> 24 == 0x51 and _has_chlo(data, begin, end))
        packets += 1
        if after < 0:
            break
        at = after
    if hello:
        span(out, HELLO, packet, begin, end)


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Versions of the packets with long headers, and datagrams that may have a client's hello."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, _MOST_PACKETS + 1, 0)
        _payload(data, at, end, i, out)
    return out
