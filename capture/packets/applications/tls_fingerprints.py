"""JA3 and JA4 fingerprints of TLS clients.

JA3: https://github.com/salesforce/ja3. JA4: https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md. Where FoxIO's own
programs differ from that text, the text counts: they write `99` for an ALPN value that is not ASCII. Both fingerprints ignore
GREASE (RFC 8701).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SERVER_NAME, ALPN = 0, 16

_VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}
_NOTHING = "000000000000"
_ALPHANUMERIC = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Offer:
    """What a ClientHello offers, in the order of the wire, without GREASE.

    version: its legacy version. highest: the highest of supported_versions, the legacy version without that extension.
    alpn: the first and the last byte of the first ALPN value, empty where there is none.
    """

    version: int
    highest: int
    alpn: bytes
    ciphers: Sequence[int]
    extensions: Sequence[int]
    groups: Sequence[int]
    point_formats: Sequence[int]
    signatures: Sequence[int]


def pack(offer: Offer) -> bytes:
    """The offer as 16-bit numbers in network order: version, highest, length of alpn (0 or 2), its two bytes, and each list
    with its length before it. This is what the compiled reader makes."""
    numbers = [offer.version, offer.highest, len(offer.alpn), *(offer.alpn or b"\0\0")]
    for values in (offer.ciphers, offer.extensions, offer.groups, offer.point_formats, offer.signatures):
        numbers += [len(values), *values]
    return struct.pack(f">{len(numbers)}H", *numbers)


def unpack(packed: bytes) -> Offer:
    """The offer that `pack` packed."""
    version, highest, alpn, first, last, *numbers = struct.unpack(f">{len(packed) // 2}H", packed)
    lists = []
    at = 0
    for _ in range(5):
        end = at + 1 + numbers[at]
        lists.append(numbers[at + 1 : end])
        at = end
    return Offer(version, highest, bytes((first, last)) if alpn else b"", *lists)


def ja3(offer: Offer) -> bytes:
    """The MD5 of version, ciphers, extensions, groups and point formats, all decimal."""
    lists = (offer.ciphers, offer.extensions, offer.groups, offer.point_formats)
    text = ",".join((str(offer.version), *("-".join(map(str, values)) for values in lists)))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().encode()


def ja4(offer: Offer, transport: str) -> bytes:
    """The JA4 fingerprint; `transport` is `t` for TCP, `q` for QUIC."""
    extensions = _hex(sorted(e for e in offer.extensions if e not in (SERVER_NAME, ALPN)))
    signatures = _hex(offer.signatures)
    parts = (
        transport,
        _VERSIONS.get(offer.highest, "00"),
        "d" if SERVER_NAME in offer.extensions else "i",
        f"{min(len(offer.ciphers), 99):02}{min(len(offer.extensions), 99):02}",
        _ends(offer.alpn),
        "_",
        _hash(_hex(sorted(offer.ciphers))),
        "_",
        _hash(f"{extensions}_{signatures}" if signatures else extensions) if extensions else _NOTHING,
    )
    return "".join(parts).encode()


def _ends(alpn: bytes) -> str:
    if not alpn:
        return "00"
    if alpn[0] in _ALPHANUMERIC and alpn[-1] in _ALPHANUMERIC:
        return chr(alpn[0]) + chr(alpn[-1])
    return f"{alpn[0]:02x}"[0] + f"{alpn[-1]:02x}"[1]


def _hex(numbers: Iterable[int]) -> str:
    return ",".join(f"{n:04x}" for n in numbers)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else _NOTHING
