"""DHCP for IPv4 (RFC 2131; BOOTP, RFC 951) and for IPv6 (RFC 8415)."""

from __future__ import annotations


def is_dhcpv4(payload: bytes) -> bool:
    """True if a datagram is a BOOTP message with the options' magic cookie, or on Ethernet without one."""
    if len(payload) < 236 or payload[0] not in (1, 2):
        return False
    return payload[236:240] == b"\x63\x82\x53\x63" or payload[1:3] == b"\1\6"


def begins_like_dhcpv4(payload: bytes) -> bool:
    """True for a BOOTP message of an Ethernet client that may be cut anywhere behind its address. Asked on DHCP's ports only."""
    return len(payload) >= 34 and payload[0] in (1, 2) and payload[1:3] == b"\1\6" and payload[3] <= 16


def is_dhcpv6(payload: bytes) -> bool:
    """True if message type and the chain of options fit (client and server messages; relays hold addresses first)."""
    if len(payload) < 8 or not 1 <= payload[0] <= 36:
        return False
    at = 34 if payload[0] in (12, 13) else 4
    while at + 4 <= len(payload):
        code, length = int.from_bytes(payload[at : at + 2], "big"), int.from_bytes(payload[at + 2 : at + 4], "big")
        if not 1 <= code <= 255:
            return False
        at += 4 + length
    return at == len(payload)
