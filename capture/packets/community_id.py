"""Community ID: one text for all packets of a conversation, in both directions, and the same in other programs.

Specification: https://github.com/corelight/community-id-spec, version 1 of the id, seed 0.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

ICMP, ICMPV6 = 1, 58

# ICMP types that ask and answer each other: type -> its counterpart. Of all others a message is one-way.
ICMP_COUNTERPARTS = {0: 8, 8: 0, 9: 10, 10: 9, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17}
ICMPV6_COUNTERPARTS = {
    128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139, 144: 145, 145: 144,
}  # fmt: skip


def community_id(source: bytes, destination: bytes, protocol: int, sport: int | None = None, dport: int | None = None) -> bytes:
    """The id of the conversation that a packet belongs to.

    source, destination: addresses as in the header, 4 or 16 bytes. protocol: IP protocol number. sport, dport: ports; of ICMP and
    ICMPv6 the type and the code; None where the protocol has none.
    """
    one_way = False
    if sport is not None and dport is not None and protocol in (ICMP, ICMPV6):
        counterpart = (ICMP_COUNTERPARTS if protocol == ICMP else ICMPV6_COUNTERPARTS).get(sport)
        one_way = counterpart is None
        dport = dport if counterpart is None else counterpart
    here, there = (source, _port(sport)), (destination, _port(dport))
    if not one_way and there < here:
        here, there = there, here
    digest = sha1(b"\0\0" + here[0] + there[0] + bytes([protocol, 0]) + here[1] + there[1], usedforsecurity=False).digest()
    return b"1:" + b64encode(digest)


def _port(number: int | None) -> bytes:
    return b"" if number is None else number.to_bytes(2, "big")
