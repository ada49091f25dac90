"""Binary protocols told by a few bytes: see capture.packets.recognise.binary."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.octets import begins, octets, u16, u24, u32

_HTTP2 = octets(b"PRI * HTTP/2.0\r\n")
_BITTORRENT = octets(b"\x13BitTorrent protocol")


@borrowing()
def is_stun(data, at, end):  # type: ignore[no-untyped-def]
    """For payloads whose first byte is below 0x40."""
    return end - at >= 20 and u32(data, at + 4) == 0x2112A442 and u16(data, at + 2) % 4 == 0


@borrowing()
def is_http2(data, at, end):  # type: ignore[no-untyped-def]
    return begins(data, at, end, _HTTP2)


@borrowing()
def is_bittorrent(data, at, end):  # type: ignore[no-untyped-def]
    return begins(data, at, end, _BITTORRENT)


@borrowing()
def _behind_sequence(data, at):  # type: ignore[no-untyped-def]
    """Offset behind tag and length of a BER sequence, -1 if its length has more than four bytes."""
    size = data[at + 1]
    if size & 0x80:
        return at + 2 + (size & 0x7F) if size & 0x7F <= 4 else -1
    return at + 2


@borrowing()
def is_snmp(data, at, end):  # type: ignore[no-untyped-def]
    """For payloads whose first byte is 0x30."""
    if end - at < 8:
        return False
    at = _behind_sequence(data, at)
    if at < 0 or at + 4 > end or u16(data, at) != 0x0201:
        return False
    version, following = data[at + 2], data[at + 3]
    return following == 0x30 if version == 3 else version <= 2 and following == 0x04


@borrowing()
def is_ldap(data, at, end):  # type: ignore[no-untyped-def]
    if end - at < 7 or data[at] != 0x30:
        return False
    at = _behind_sequence(data, at)
    if at < 0 or at + 1 >= end or data[at] != 0x02:
        return False
    at += 2 + np.int64(data[at + 1])
    return at < end and data[at] & 0xC0 == 0x40


@borrowing()
def is_mqtt(data, at, end):  # type: ignore[no-untyped-def]
    if end - at < 2 or data[at] < 0x10:
        return False
    length = np.int64(0)
    for k in range(1, min(5, end - at)):
        value = np.int64(data[at + k])
        length |= (value & 0x7F) << (7 * (k - 1))
        if not value & 0x80:
            return k + 1 + length <= end - at or data[at] >> 4 == 3
    return False


@borrowing()
def is_smb(data, at, end):  # type: ignore[no-untyped-def]
    """For payloads whose first byte is 0."""
    return end - at >= 8 and u24(data, at + 5) == 0x534D42 and data[at + 4] >= 0xFD


@borrowing()
def is_tpkt(data, at, end):  # type: ignore[no-untyped-def]
    size = end - at
    return size >= 7 and data[at] == 3 and data[at + 1] == 0 and 7 <= u16(data, at + 2) <= max(size, 8192)


@borrowing()
def is_modbus(data, at, end):  # type: ignore[no-untyped-def]
    if end - at < 8 or u16(data, at + 2) != 0:
        return False
    length = u16(data, at + 4)
    return 2 <= length <= 254 and length + 6 <= end - at


@borrowing()
def is_dnp3(data, at, end):  # type: ignore[no-untyped-def]
    return end - at >= 10 and u16(data, at) == 0x0564 and data[at + 2] >= 5


@borrowing()
def is_bgp(data, at, end):  # type: ignore[no-untyped-def]
    if end - at < 19:
        return False
    for k in range(16):
        if data[at + k] != 0xFF:
            return False
    return 19 <= u16(data, at + 16) <= 4096 and 1 <= data[at + 18] <= 5


@borrowing()
def is_radius(data, at, end):  # type: ignore[no-untyped-def]
    return end - at >= 20 and 1 <= data[at] <= 52 and 20 <= u16(data, at + 2) <= end - at


@borrowing()
def is_tftp(data, at, end):  # type: ignore[no-untyped-def]
    return end - at >= 4 and data[at] == 0 and 1 <= data[at + 1] <= 6


@borrowing()
def is_telnet(data, at, end):  # type: ignore[no-untyped-def]
    return end - at >= 3 and data[at] == 0xFF and 0xF0 <= data[at + 1] <= 0xFE


@borrowing()
def is_kerberos(data, at, end):  # type: ignore[no-untyped-def]
    if end - at >= 2 and u16(data, at) == 0:
        at += 4
    if end - at <= 8 or data[at] & 0xE0 != 0x60:
        return False
    tag = data[at] & 0x1F
    return 10 <= tag <= 15 or 20 <= tag <= 22 or tag == 30
