"""DHCP for IPv4 and IPv6: see capture.packets.recognise.dhcp."""

from __future__ import annotations

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.octets import u16, u32


@borrowing()
def is_dhcpv4(data, at, end):  # type: ignore[no-untyped-def]
    size = end - at
    if size < 236 or not 1 <= data[at] <= 2:
        return False
    return (data[at + 1] == 1 and data[at + 2] == 6) or (size >= 240 and u32(data, at + 236) == 0x63825363)


@borrowing()
def begins_like_dhcpv4(data, at, end):  # type: ignore[no-untyped-def]
    return end - at >= 34 and 1 <= data[at] <= 2 and data[at + 1] == 1 and data[at + 2] == 6 and data[at + 3] <= 16


@borrowing()
def is_dhcpv6(data, at, end):  # type: ignore[no-untyped-def]
    if end - at < 8 or not 1 <= data[at] <= 36:
        return False
    at += 34 if 12 <= data[at] <= 13 else 4
    while at + 4 <= end:
        if not 1 <= u16(data, at) <= 255:
            return False
        at += 4 + u16(data, at + 2)
    return at == end
