"""Community ID of many conversations at once, in compiled loops: what capture.packets.community_id gives for each.

SHA-1 is FIPS 180-4, 6.1.2; the messages have at most 40 bytes, one block. Base64 is RFC 4648, 4.
"""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.community_id import ICMP, ICMP_COUNTERPARTS, ICMPV6, ICMPV6_COUNTERPARTS
from capture.packets.compiling import borrowing, compiled

LENGTH = 30  # bytes of an id: "1:" and the base64 of 20 bytes

_NO_COUNTERPART = 255


def _counterparts(pairs: dict[int, int]) -> np.ndarray:
    table = np.full(256, _NO_COUNTERPART, np.uint8)
    for kind, counterpart in pairs.items():
        table[kind] = counterpart
    return table


_OF_ICMP, _OF_ICMPV6 = _counterparts(ICMP_COUNTERPARTS), _counterparts(ICMPV6_COUNTERPARTS)
_BASE64 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8).copy()


@borrowing()
def _rotated(word, by):  # type: ignore[no-untyped-def]
    return np.uint32(word << np.uint32(by)) | np.uint32(word >> np.uint32(32 - by))


@borrowing()
def _sha1(block, words, digest):  # type: ignore[no-untyped-def]
    """The digest of one padded block of 64 bytes; words: uint32 (80,) to work in."""
    for i in range(16):
        words[i] = (
            np.uint32(block[4 * i]) << np.uint32(24)
            | np.uint32(block[4 * i + 1]) << np.uint32(16)
            | np.uint32(block[4 * i + 2]) << np.uint32(8)
            | np.uint32(block[4 * i + 3])
        )
    for i in range(16, 80):
        words[i] = _rotated(np.uint32(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]), 1)
    a, b, c, d, e = (
        np.uint32(0x67452301),
        np.uint32(0xEFCDAB89),
        np.uint32(0x98BADCFE),
        np.uint32(0x10325476),
        np.uint32(0xC3D2E1F0),
    )
    for i in range(80):
        if i < 20:
            mixed, constant = np.uint32((b & c) | (~b & d)), np.uint32(0x5A827999)
        elif i < 40:
            mixed, constant = np.uint32(b ^ c ^ d), np.uint32(0x6ED9EBA1)
        elif i < 60:
            mixed, constant = np.uint32((b & c) | (b & d) | (c & d)), np.uint32(0x8F1BBCDC)
        else:
            mixed, constant = np.uint32(b ^ c ^ d), np.uint32(0xCA62C1D6)
        following = np.uint32(_rotated(a, 5) + mixed + e + constant + words[i])
        e, d, c, b, a = d, c, _rotated(b, 30), a, following
    digest[0] = np.uint32(np.uint32(0x67452301) + a)
    digest[1] = np.uint32(np.uint32(0xEFCDAB89) + b)
    digest[2] = np.uint32(np.uint32(0x98BADCFE) + c)
    digest[3] = np.uint32(np.uint32(0x10325476) + d)
    digest[4] = np.uint32(np.uint32(0xC3D2E1F0) + e)


@borrowing()
def _swapped(source, destination, k, size, sport, dport):  # type: ignore[no-untyped-def]
    """Whether the destination stands before the source: by address, then by port."""
    for i in range(size):
        if source[k, i] != destination[k, i]:
            return destination[k, i] < source[k, i]
    return dport < sport


_ROWS, _BYTES, _PORTS = types.uint8[:, ::1], types.uint8[::1], types.uint16[::1]


@compiled(_ROWS(_ROWS, _ROWS, _BYTES, _BYTES, _PORTS, _PORTS, _BYTES))
def texts(source, destination, family, protocol, sports, dports, has_ports):  # type: ignore[no-untyped-def]
    """Ids of k conversations: uint8 (k, LENGTH).

    source, destination: uint8 (k, 16), IPv4 addresses in the first 4. family: 4 or 6. sports, dports: of ICMP and ICMPv6 type and
    code. has_ports: 0 where the protocol has none.
    """
    made = np.empty((len(family), LENGTH), np.uint8)
    block, words, digest = np.zeros(64, np.uint8), np.empty(80, np.uint32), np.empty(5, np.uint32)
    raw = np.zeros(21, np.uint8)  # the digest, and a byte of zeros for base64
    for k in range(len(family)):
        size = 4 if family[k] == 4 else 16
        sport, dport = np.int64(sports[k]), np.int64(dports[k])
        one_way = False
        if has_ports[k] and (protocol[k] == ICMP or protocol[k] == ICMPV6):
            table = _OF_ICMP if protocol[k] == ICMP else _OF_ICMPV6
            counterpart = table[sport] if sport < 256 else _NO_COUNTERPART
            one_way = counterpart == _NO_COUNTERPART
            if not one_way:
                dport = np.int64(counterpart)
        if not has_ports[k]:
            sport, dport = np.int64(0), np.int64(0)
        swapped = not one_way and _swapped(source, destination, k, size, sport, dport)
        block[:] = 0
        for i in range(size):
            block[2 + i] = destination[k, i] if swapped else source[k, i]
            block[2 + size + i] = source[k, i] if swapped else destination[k, i]
        at = 2 + 2 * size
        block[at] = protocol[k]
        at += 2
        if has_ports[k]:
            first, second = (dport, sport) if swapped else (sport, dport)
            block[at], block[at + 1] = first >> 8, first & 255
            block[at + 2], block[at + 3] = second >> 8, second & 255
            at += 4
        block[at] = 0x80
        block[62], block[63] = (at * 8) >> 8, (at * 8) & 255
        _sha1(block, words, digest)
        for i in range(5):
            for j in range(4):
                raw[4 * i + j] = digest[i] >> np.uint32(24 - 8 * j) & np.uint32(255)
        made[k, 0], made[k, 1] = 49, 58
        for i in range(7):
            three = np.int64(raw[3 * i]) << 16 | np.int64(raw[3 * i + 1]) << 8 | np.int64(raw[3 * i + 2])
            for j in range(4):
                made[k, 2 + 4 * i + j] = _BASE64[three >> (18 - 6 * j) & 63]
        made[k, 29] = 61
    return made
