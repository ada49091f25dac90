"""HTTP/1.1 to one host over connections that are kept: a request is one write, and its answer is read with little ado.

The libraries send headers and body apart and make objects of every header, which costs more than Pilosa's answer to most queries.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Mapping

_ONCE = 1 << 18
_SMALL = 1 << 16  # a body up to this goes with its headers
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]+)[^\r\n]*\r\n")
_MOST_HEAD = 1 << 16


class BrokenOff(Exception):
    """The connection ended before the answer did, or what came is no HTTP."""


class TooMuch(Exception):
    """An answer is larger than it may be; size: of what was read of it, or of all of it if that is known."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class CannotConnect(Exception):
    """There is no connection. __cause__: the OSError, TimeoutError among them."""


class Wire:
    """Connections to one host, as many as are in use at once; `kept` of them are kept. Thread-safe; not across a fork."""

    def __init__(self, host: str, port: int, connect_seconds: float, kept: int = 32) -> None:
        self._address = host, port
        name = f"[{host}]" if ":" in host else host
        self._host = f"Host: {name}:{port}\r\n"
        self._connect_seconds = connect_seconds
        self._most = kept
        self._idle: list[socket.socket] = []
        self._lock = threading.Lock()
        self.opened = 0  # connections so far: a server that was started again has none of those before

    def close(self) -> None:
        """Closes the connections that lie idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
        connect_seconds: float | None = None,
        most: int | None = None,
    ) -> tuple[int, bytes]:
        """Status and body. seconds: patience with each piece of the answer. most: bytes that the body may have.

        Raises CannotConnect, TimeoutError, TooMuch; BrokenOff (of a kept connection that may only mean that the server had closed
        it before)."""
        connection = self._connection(connect_seconds or self._connect_seconds)
        keep = False
        try:
            connection.settimeout(seconds)
            head = f"{method} {path} HTTP/1.1\r\n{self._host}" + "".join(
                f"{name}: {value}\r\n" for name, value in headers.items()
            )
            if body is None:
                connection.sendall(f"{head}\r\n".encode())
            else:
                start = f"{head}Content-Length: {len(body)}\r\n\r\n".encode()
                if len(body) <= _SMALL:
                    connection.sendall(start + body)
                else:
                    connection.sendall(start)
                    connection.sendall(body)
            status, data, keep = _answer(connection, most)
            return status, data
        except TimeoutError:
            raise
        except OSError as error:
            raise BrokenOff(error.strerror or str(error)) from error
        finally:
            self._give_back(connection, keep)

    def _connection(self, seconds: float) -> socket.socket:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        try:
            connection = socket.create_connection(self._address, seconds)
        except OSError as error:
            raise CannotConnect(error.strerror or str(error)) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self.opened += 1
        return connection

    def _give_back(self, connection: socket.socket, keep: bool) -> None:
        if keep:
            with self._lock:
                if len(self._idle) < self._most:
                    self._idle.append(connection)
                    return
        connection.close()


def _answer(connection: socket.socket, most: int | None) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection may be used again."""
    data = bytearray()
    while True:
        end = _more(connection, data).find(b"\r\n\r\n")
        if end >= 0:
            break
        if len(data) > _MOST_HEAD:
            raise BrokenOff("an answer without an end of its headers")
    head = bytes(data[: end + 2])
    del data[: end + 4]
    found = _STATUS.match(head)
    if found is None:
        raise BrokenOff(f"not HTTP: {head[:80]!r}")
    status = int(found[1])
    if status < 200:
        raise BrokenOff(f"an interim answer {status}")
    keep = _CLOSE.search(head) is None
    if _CHUNKED.search(head):
        return status, _chunks(connection, data, most), keep
    length = _LENGTH.search(head)
    if length is not None:
        whole = int(length[1])
        if most is not None and whole > most:
            raise TooMuch(whole)
        while len(data) < whole:
            _more(connection, data)
        return status, bytes(data), keep and len(data) == whole
    if status in (204, 304):
        return status, b"", keep
    while True:
        if most is not None and len(data) > most:
            raise TooMuch(len(data))
        try:
            _more(connection, data)
        except BrokenOff:
            return status, bytes(data), False


def _chunks(connection: socket.socket, data: bytearray, most: int | None) -> bytes:
    """The body of which `data` is the beginning."""
    parts: list[bytes] = []
    at = whole = 0
    while True:
        found = _CHUNK.match(data, at)
        if found is None:
            if len(data) - at > _MOST_HEAD:
                raise BrokenOff("a chunk without a length")
            _more(connection, data)
            continue
        size = int(found[1], 16)
        start = found.end()
        whole += size
        if most is not None and whole > most:
            raise TooMuch(whole)
        while len(data) < start + size + 2:
            _more(connection, data)
        if size == 0:
            if data[start : start + 2] != b"\r\n":
                raise BrokenOff("trailers, which nobody asked for")
            return b"".join(parts)
        parts.append(bytes(data[start : start + size]))
        at = start + size + 2
        if at > _ONCE:
            del data[:at]
            at = 0


def _more(connection: socket.socket, data: bytearray) -> bytearray:
    came = connection.recv(_ONCE)
    if not came:
        raise BrokenOff("the connection was closed")
    data += came
    return data
