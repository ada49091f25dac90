"""Many clients at once, each over a connection of its own that is kept alive and with one question on its way."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

_ONCE = 65536
SILENT_SECONDS = 30.0


@dataclass(frozen=True)
class Served:
    """answers: that were a success; errors: those that were none."""

    answers: int
    errors: int
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def crowd(port: int, texts: Sequence[str], clients: int, seconds: float) -> Served:
    """Asks queries whose answers are short, in turn, for so long. One thread asks for all clients: they share our cores with who
    is asked, and it is cheaper than what it measures. Raises RuntimeError where nobody answers."""
    requests = [_request(port, text) for text in texts]
    asked = answers = errors = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            made = socket.create_connection(("127.0.0.1", port), timeout=SILENT_SECONDS)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setblocking(False)
            selector.register(made, selectors.EVENT_READ, bytearray())
            made.send(requests[asked % len(requests)])
            asked += 1
        began = time.perf_counter()
        until = began + seconds
        waiting = clients
        while waiting:
            ready = selector.select(SILENT_SECONDS)
            if not ready:
                raise RuntimeError(f"{waiting} of {clients} clients have no answer")
            more = time.perf_counter() < until
            for key, _ in ready:
                client = key.fileobj
                assert isinstance(client, socket.socket)
                came = client.recv(_ONCE)
                key.data.extend(came)
                if came and not _whole(key.data):
                    continue
                good = key.data.startswith(b"HTTP/1.1 200 ")
                answers += good
                errors += not good
                key.data.clear()
                if more and came:
                    client.send(requests[asked % len(requests)])
                    asked += 1
                else:
                    selector.unregister(client)
                    client.close()
                    waiting -= 1
        return Served(answers, errors, time.perf_counter() - began)


def _request(port: int, text: str) -> bytes:
    body = text.encode()
    head = f"POST /index/net/query HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _whole(data: bytearray) -> bool:
    """Whether an answer has come to its end, by its Content-Length or its last chunk."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    at = data.lower().find(b"content-length:", 0, end)
    if at < 0:
        return data.endswith(b"\r\n0\r\n\r\n")
    return len(data) >= end + 4 + int(data[at + 15 : data.find(b"\r\n", at)])
