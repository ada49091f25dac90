"""What a client's Initial packets carry: their keys follow from what stands in them (RFC 9001, 5.2; RFC 9369, 3.3).

A server's Initial packets are protected under the connection id that the client chose first, which is not in them: their tags
do not check, and they have no values. So it is with a client's Initial packets after the server has answered.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from capture.packets.applications.quic_packets import INITIAL, VERSION_1, VERSION_2, LongHeader, long_headers, varint

# Each try costs some 20 microseconds; a client sends one or two in a datagram.
MOST_INITIALS = 8
TAG = 16

_V1 = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
_DRAFT_29 = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")
_DRAFT_23 = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")
_DRAFT_22 = bytes.fromhex("7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a")
# version -> salt: of the RFCs, of the drafts draft-ietf-quic-tls, and of what Google and Facebook made of those
SALTS: dict[int, bytes] = {
    VERSION_1: _V1,
    VERSION_2: bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
    **dict.fromkeys((0xFF000022, 0xFF000021), _V1),
    **dict.fromkeys((0xFF000020, 0xFF00001F, 0xFF00001E, 0xFF00001D), _DRAFT_29),
    **dict.fromkeys((*range(0xFF000017, 0xFF00001D), 0xFACEB002, 0xFACEB00E), _DRAFT_23),
    **dict.fromkeys((0xFF000016, 0xFACEB001), _DRAFT_22),
    0x51303530: bytes.fromhex("504574efd066fe2f9d945cfcdbd3a7f0d3b56b45"),  # Q050
    0x54303530: bytes.fromhex("7ff579e5acd072915580304c43a2367c60488310"),  # T050
    0x54303531: bytes.fromhex("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d"),  # T051
}

_PADDING, _PING, _ACK, _ACK_ECN, _CRYPTO = 0, 1, 2, 3, 6
_GOOGLES = frozenset((0x51303530, 0x54303530, 0x54303531))
_GOOGLES_PING, _GOOGLES_CRYPTO = 7, 8  # its frames have other types than the RFC's, CRYPTO the same fields


def client_stream(datagram: bytes) -> bytes:
    """The bytes from offset 0 on, up to the first gap, that the CRYPTO frames of the datagram's Initial packets carry."""
    pieces: list[tuple[int, bytes]] = []
    initials = 0
    for packet in long_headers(datagram):
        if packet.kind == INITIAL and packet.number_at >= 0 and packet.version in SALTS and initials < MOST_INITIALS:
            initials += 1
            pieces += _crypto_frames(decrypted(datagram, packet), packet.version in _GOOGLES)
    stream = bytearray()
    for offset, piece in sorted(pieces, key=lambda found: found[0]):
        if offset > len(stream):
            break
        stream += piece[len(stream) - offset :]
    return bytes(stream)


def decrypted(datagram: bytes, packet: LongHeader) -> bytes:
    """The frames of a client's Initial packet (RFC 9001, 5.3 and 5.4); none where its tag does not check."""
    key, iv, header_key = client_keys(packet.version, datagram[packet.id_at : packet.id_end])
    sample = datagram[packet.number_at + 4 : packet.number_at + 4 + 16]
    if packet.number_at + 4 + 16 > packet.end:
        return b""
    mask = Cipher(AES(header_key), modes.ECB()).encryptor().update(sample)  # RFC 9001, 5.4.3
    first = datagram[packet.begin] ^ mask[0] & 0x0F
    if first & 0x0C and packet.version not in _GOOGLES:
        return b""  # reserved bits, zero in every packet (RFC 9000, 17.2): it was not this key
    body_at = packet.number_at + 1 + (first & 3)
    number = bytes(a ^ b for a, b in zip(datagram[packet.number_at : body_at], mask[1:], strict=False))
    header = bytes((first,)) + datagram[packet.begin + 1 : packet.number_at] + number
    nonce = (int.from_bytes(iv, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    try:
        return AESGCM(key).decrypt(nonce, datagram[body_at : packet.end], header)
    except InvalidTag:
        return b""


@lru_cache(1024)
def client_keys(version: int, connection_id: bytes) -> tuple[bytes, bytes, bytes]:
    """Key, IV and header protection key of a client's Initial packets to that connection id."""
    secret = hmac.digest(SALTS[version], connection_id, "sha256")
    client = _expand(secret, b"client in", 32)
    label = b"quicv2 " if version == VERSION_2 else b"quic "
    return _expand(client, label + b"key", 16), _expand(client, label + b"iv", 12), _expand(client, label + b"hp", 16)


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446, 7.1) without context, for at most the hash's 32 bytes."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes((len(label),)) + label + b"\0"
    return hmac.digest(secret, info + b"\1", hashlib.sha256)[:length]


def _crypto_frames(frames: bytes, googles: bool) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of the CRYPTO frames (RFC 9000, 19.6), up to a frame that an Initial packet does not carry, or is cut."""
    at, size = 0, len(frames)
    crypto, ping = (_GOOGLES_CRYPTO, _GOOGLES_PING) if googles else (_CRYPTO, _PING)
    while at < size:
        kind = frames[at]
        at += 1
        if kind == crypto:
            offset, at = varint(frames, at, size)
            length, at = varint(frames, at, size) if at >= 0 else (0, -1)
            if at < 0 or length > size - at:
                return
            yield offset, frames[at : at + length]
            at += length
        elif kind in (_ACK, _ACK_ECN) and not googles:
            at = _behind_ack(frames, at, kind)
            if at < 0:
                return
        elif kind == _PADDING:
            at = size - len(frames[at:].lstrip(b"\0"))  # mostly a thousand of them
        elif kind != ping:
            return


def _behind_ack(frames: bytes, at: int, kind: int) -> int:
    """The offset behind an ACK frame (RFC 9000, 19.3) whose type ends at `at`; -1 if it is cut."""
    size = len(frames)
    _, at = varint(frames, at, size)  # largest acknowledged
    _, at = varint(frames, at, size) if at >= 0 else (0, -1)  # delay
    ranges, at = varint(frames, at, size) if at >= 0 else (0, -1)
    numbers = 1 + 2 * ranges + (3 if kind == _ACK_ECN else 0)
    while numbers and at >= 0:
        _, at = varint(frames, at, size)
        numbers -= 1
    return at
