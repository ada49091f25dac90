"""Google's QUIC of before: the CHLO message, unencrypted up to Q046 (and, as Q050's, in CRYPTO frames).

A message (quic-crypto): its tag, the number of its values (16 bits) and two bytes of padding; for each value its tag and the
offset of its end; then the values. All numbers are little-endian.
"""

from __future__ import annotations

# how far into a datagram its CHLO may begin: headers, hash, and the head of a stream frame come before
HEAD = 64
_CHLO, _SNI = b"CHLO", b"SNI\0"
_MOST_VALUES = 128


def server_name(data: bytes, head: int = HEAD) -> bytes:
    """The server name in the first CHLO message that begins in the first `head` bytes of `data`; empty if there is none."""
    at = data.find(_CHLO, 0, head)
    count = int.from_bytes(data[at + 4 : at + 6], "little")
    if at < 0 or count > _MOST_VALUES:
        return b""
    values = at + 8 + 8 * count
    begin = 0
    for k in range(at + 8, values, 8):
        tag, end = data[k : k + 4], int.from_bytes(data[k + 4 : k + 8], "little")
        if tag == _SNI:
            return data[values + begin : values + end] if begin <= end <= len(data) - values else b""
        begin = end
    return b""
