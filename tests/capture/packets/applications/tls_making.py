"""Bytes of TLS, put together by hand as RFC 8446 and RFC 5246 draw them."""

from __future__ import annotations

from collections.abc import Sequence

RANDOM = bytes(range(32))


def words(*numbers: int) -> bytes:
    return b"".join(n.to_bytes(2, "big") for n in numbers)


def vector(contents: bytes, width: int = 2) -> bytes:
    return len(contents).to_bytes(width, "big") + contents


def record(contents: bytes, kind: int = 22, version: int = 0x0301) -> bytes:
    return bytes((kind,)) + words(version) + vector(contents)


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + vector(body, 3)


def extension(kind: int, contents: bytes = b"") -> bytes:
    return words(kind) + vector(contents)


def server_name(*names: bytes) -> bytes:
    return extension(0, vector(b"".join(b"\0" + vector(name) for name in names)))


def alpn(*names: bytes) -> bytes:
    return extension(16, vector(b"".join(vector(name, 1) for name in names)))


def versions(*numbers: int) -> bytes:
    return extension(43, vector(words(*numbers), 1))


def groups(*numbers: int) -> bytes:
    return extension(10, vector(words(*numbers)))


def point_formats(*numbers: int) -> bytes:
    return extension(11, vector(bytes(numbers), 1))


def signatures(*numbers: int) -> bytes:
    return extension(13, vector(words(*numbers)))


def hello_body(
    *extensions: bytes,
    version: int = 0x0303,
    ciphers: Sequence[int] = (0x1301,),
    session: bytes = b"",
    compression: bytes = b"\0",
) -> bytes:
    """A ClientHello's body; without extensions it has no list of them either."""
    body = words(version) + RANDOM + vector(session, 1) + vector(words(*ciphers)) + vector(compression, 1)
    return body + vector(b"".join(extensions)) if extensions else body


def client_hello(*extensions: bytes, version: int = 0x0303, ciphers: Sequence[int] = (0x1301,), session: bytes = b"") -> bytes:
    return message(1, hello_body(*extensions, version=version, ciphers=ciphers, session=session))


def server_hello(*extensions: bytes, version: int = 0x0303, cipher: int = 0x1301, session: bytes = b"") -> bytes:
    body = words(version) + RANDOM + vector(session, 1) + words(cipher) + b"\0"
    return message(2, body + vector(b"".join(extensions)) if extensions else body)
