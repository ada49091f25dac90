"""Handshake messages and hellos (RFC 8446, 4; RFC 5246, 7.4), as they stand in TLS records and in QUIC's CRYPTO frames."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.applications.tls_fingerprints import Offer, ja3, ja4

CLIENT_HELLO, SERVER_HELLO = 1, 2
TLS12 = 0x0303

_HELLO_REQUEST, _SERVER_HELLO_DONE = 0, 14
# of messages that go unencrypted; what else a handshake record begins with is taken for encrypted
_TYPES = frozenset((0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 67))
LONGEST = 2**17  # bytes of a message; certificate chains have some ten thousand

_SERVER_NAME, _GROUPS, _POINT_FORMATS, _SIGNATURES, _ALPN, _VERSIONS = 0, 10, 11, 13, 16, 43
_HOST_NAME = 0

Found = Iterator[tuple[str, bytes | int]]


def is_grease(number: int) -> bool:
    """RFC 8701: two equal bytes whose low half is 0xA."""
    return number >> 8 == number & 0xFF and number & 0x0F == 0x0A


def handshake(stream: bytes, letter: str, ended: bool = False, changed: bool = False) -> Found:
    """Values of the handshake messages that begin in `stream`, up to where one is cut or is none.

    letter: JA4's for the transport. ended: what follows `stream` is no handshake, so a message that is not whole is none.
    changed: a ChangeCipherSpec went before, so all but a second ClientHello (RFC 8446, D.4) is encrypted.
    """
    at = 0
    while len(stream) - at >= 4:
        kind, length = stream[at], int.from_bytes(stream[at + 1 : at + 4], "big")
        end = at + 4 + length
        if kind not in _TYPES or length > LONGEST or (ended and end > len(stream)) or (changed and kind != CLIENT_HELLO):
            return
        # the explicit nonce of an encrypted record may be all zeros, which would be a series of these
        if (kind == _HELLO_REQUEST and (length or len(stream) != 4)) or (kind == _SERVER_HELLO_DONE and length):
            return
        yield "tls-handshake", kind
        if kind in (CLIENT_HELLO, SERVER_HELLO):
            yield from _hello(kind, stream[at + 4 : end], end <= len(stream), letter)
        at = end


def _hello(kind: int, body: bytes, whole: bool, letter: str) -> Found:
    """Values of a hello, whose `body` is cut unless `whole`."""
    if len(body) < 2:
        return
    version = _u16(body, 0)
    _, at, fits = _vector(body, 34, 1, len(body))  # the session id
    ciphers = range(0)
    if kind == CLIENT_HELLO:
        begin, at, fits_ciphers = _vector(body, at, 2, len(body))
        ciphers = range(begin, at - 1, 2)
        _, at, fits_compression = _vector(body, at, 1, len(body))
        fits = fits and fits_ciphers and fits_compression
    else:
        at += 3
        fits = fits and at <= len(body)
    end = at
    if at < len(body):
        at, end, fits_extensions = _vector(body, at, 2, len(body))
        fits = fits and fits_extensions
    types: list[int] = []
    versions: list[int] = []
    alpn: bytes | None = None
    groups = point_formats = signatures = range(0)
    while at < end:
        if at + 4 > end:
            fits = False
            break
        extension = _u16(body, at)
        begin, at, fits_extension = _vector(body, at + 2, 2, end)
        fits = fits and fits_extension
        types.append(extension)
        if extension == _ALPN:
            for name in _names(body, begin, at):
                alpn = name if alpn is None else alpn
                yield "tls-alpn", name
        elif extension == _VERSIONS and kind == SERVER_HELLO:
            versions += [_u16(body, begin)] if begin + 2 <= at else []
        elif extension == _VERSIONS:
            versions += [_u16(body, k) for k in _numbers(body, begin, at, 1)]
        elif kind == SERVER_HELLO:
            continue
        elif extension == _SERVER_NAME:
            for name in _host_names(body, begin, at):
                yield "tls-sni", name
        elif extension == _GROUPS:
            groups = _numbers(body, begin, at, 2)
        elif extension == _SIGNATURES:
            signatures = _numbers(body, begin, at, 2)
        elif extension == _POINT_FORMATS:
            begin, last, _ = _vector(body, begin, 1, at)
            point_formats = range(begin, last)
    versions = [v for v in versions if not is_grease(v)]
    for v in versions:
        yield "tls-version", v
    # TLS 1.3's own version stands in an extension, which may come behind the cut; its legacy version is TLS 1.2's
    if _VERSIONS not in types and not is_grease(version) and ((whole and fits) or version < TLS12):
        yield "tls-version", version
    if kind == CLIENT_HELLO and whole and fits:
        offer = Offer(
            version,
            max(versions, default=version),
            alpn[:1] + alpn[-1:] if alpn else b"",
            _kept(body, ciphers),
            [e for e in types if not is_grease(e)],
            _kept(body, groups),
            list(body[point_formats.start : point_formats.stop]),
            _kept(body, signatures),
        )
        yield "tls-ja3", ja3(offer)
        yield "tls-ja4", ja4(offer, letter)


def _vector(body: bytes, at: int, width: int, limit: int) -> tuple[int, int, bool]:
    """Where the vector at `at` has its contents, [begin, end), cut at `limit`, and whether it ends before it.

    width: bytes of its length (RFC 8446, 3.4).
    """
    begin = at + width
    if begin > limit:
        return limit, limit, False
    end = begin + int.from_bytes(body[at:begin], "big")
    return begin, min(end, limit), end <= limit


def _numbers(body: bytes, begin: int, end: int, width: int) -> range:
    """Offsets of the 16-bit numbers in the vector at `begin`."""
    begin, end, _ = _vector(body, begin, width, end)
    return range(begin, end - 1, 2)


def _names(body: bytes, begin: int, end: int) -> Iterator[bytes]:
    """Protocol names (RFC 7301, 3.1) without GREASE's."""
    at, end, _ = _vector(body, begin, 2, end)
    while at < end:
        begin, at, fits = _vector(body, at, 1, end)
        name = body[begin:at]
        if fits and not (len(name) == 2 and is_grease(_u16(name, 0))):
            yield name


def _host_names(body: bytes, begin: int, end: int) -> Iterator[bytes]:
    """Host names (RFC 6066, 3)."""
    at, end, _ = _vector(body, begin, 2, end)
    while at + 3 <= end:
        kind = body[at]
        begin, at, fits = _vector(body, at + 1, 2, end)
        if fits and kind == _HOST_NAME:
            yield body[begin:at]


def _u16(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 2], "big")


def _kept(body: bytes, where: range) -> list[int]:
    """The 16-bit numbers at those offsets that are no GREASE."""
    return [n for n in (_u16(body, k) for k in where) if not is_grease(n)]
