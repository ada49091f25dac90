"""QUIC packets, put together and protected by hand as RFC 9000 and RFC 9001 say (the sender's way: the readers go the other)."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

V1_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
V1, V2 = 1, 0x6B3343CF
INITIAL, ZERO_RTT, HANDSHAKE = 0, 1, 2


def varint(number: int) -> bytes:
    for width, bound in enumerate((1 << 6, 1 << 14, 1 << 30, 1 << 62)):
        if number < bound:
            return (number | width << (8 * (1 << width) - 2)).to_bytes(1 << width, "big")
    raise ValueError(number)


def crypto(offset: int, data: bytes, kind: int = 6) -> bytes:
    return bytes((kind,)) + varint(offset) + varint(len(data)) + data


def keys(salt: bytes, connection_id: bytes, label: bytes = b"quic", side: bytes = b"client in") -> tuple[bytes, bytes, bytes]:
    extract = HMAC(salt, SHA256())
    extract.update(connection_id)
    secret = _expand(extract.finalize(), side, 32)
    return tuple(_expand(secret, label + name, size) for name, size in ((b" key", 16), (b" iv", 12), (b" hp", 16)))  # type: ignore[return-value]


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    label = b"tls13 " + label
    return HKDFExpand(SHA256(), length, length.to_bytes(2, "big") + bytes((len(label),)) + label + b"\0").derive(secret)


def long_packet(
    frames: bytes,
    *,
    version: int = V1,
    salt: bytes = V1_SALT,
    connection_id: bytes = b"\x83\x94\xc8\xf0\x3e\x51\x57\x08",
    source_id: bytes = b"",
    token: bytes = b"",
    kind: int = INITIAL,
    number: int = 2,
    number_size: int = 4,
    side: bytes = b"client in",
) -> bytes:
    """A packet with a long header whose payload is `frames`, protected with the keys of Initial packets."""
    first = 0xC0 | ((kind + 1 if version == V2 else kind) & 3) << 4 | number_size - 1
    header = bytes((first,)) + version.to_bytes(4, "big")
    header += bytes((len(connection_id),)) + connection_id + bytes((len(source_id),)) + source_id
    header += varint(len(token)) + token if kind == INITIAL else b""
    header += varint(number_size + len(frames) + 16)
    at = len(header)
    header += number.to_bytes(number_size, "big")
    key, iv, protection = keys(salt, connection_id, b"quicv2" if version == V2 else b"quic", side)
    nonce = bytes(a ^ b for a, b in zip(iv, number.to_bytes(12, "big"), strict=True))
    packet = bytearray(header + AESGCM(key).encrypt(nonce, frames, header))
    mask = Cipher(AES(protection), modes.ECB()).encryptor().update(bytes(packet[at + 4 : at + 20]))
    packet[0] ^= mask[0] & 0x0F
    for i in range(number_size):
        packet[at + i] ^= mask[1 + i]
    return bytes(packet)


def initial(*frames: bytes, size: int = 0, **header) -> bytes:  # type: ignore[no-untyped-def]
    """A client's Initial packet, PADDING frames added up to `size` bytes of frames."""
    return long_packet(b"".join(frames).ljust(size, b"\0"), **header)


def chlo(*values: tuple[bytes, bytes]) -> bytes:
    """Google's client hello."""
    index, end = b"", 0
    for tag, value in values:
        end += len(value)
        index += tag + end.to_bytes(4, "little")
    return b"CHLO" + len(values).to_bytes(2, "little") + b"\0\0" + index + b"".join(value for _, value in values)
