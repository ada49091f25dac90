"""Numbers of DNS messages, and what stands in them as text: what both readers share."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop

HEADER = 12
A, NS, CNAME, PTR, MX, AAAA, SRV = 1, 2, 5, 12, 15, 28, 33
# what stands before the name in a record's data: preference; priority, weight, port (RFC 2782)
BEFORE_NAME = {NS: 0, CNAME: 0, PTR: 0, MX: 2, SRV: 6}
IN = 1
# mDNS takes the class's top bit for other purposes (RFC 6762, 10.2, 18.12)
CLASS = 0x7FFF
LONGEST_NAME = 255
LONGEST_LABEL = 63
POINTER = 0xC0
# of all names of a payload: their bytes, and two for each pointer. Real messages come to about twice their length.
COST, COST_PER_BYTE = 4096, 8


def name_text(name: bytes) -> bytes:
    """The text of an uncompressed name: without the final dot, `<Root>` for the root, dots inside labels as `\\.`."""
    labels = []
    at = 0
    while name[at]:
        labels.append(name[at + 1 : at + 1 + name[at]].replace(b".", b"\\."))
        at += 1 + name[at]
    return b".".join(labels) or b"<Root>"


def ipv4_text(address: bytes) -> bytes:
    """Four bytes as dotted decimals."""
    return inet_ntop(AF_INET, address).encode()


def ipv6_text(address: bytes) -> bytes:
    """Sixteen bytes as RFC 5952 says."""
    return inet_ntop(AF_INET6, address).encode()
