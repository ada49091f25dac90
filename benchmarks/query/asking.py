"""Queries over one connection that is kept alive, by the clock."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any


class Peer:
    """Who is asked: the product, or Pilosa itself. timed: milliseconds, by the name of what was asked."""

    def __init__(self, name: str, port: int) -> None:
        self.name, self.port = name, port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = {"Host": f"localhost:{port}", "Accept": "application/json", "Content-Type": "text/plain"}

    def ask(self, text: str) -> bytes:
        """The body of an answer. Raises RuntimeError where it is no success."""
        self._connection.request("POST", "/index/net/query", text, self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{self.name}: {text}: {answer.status}: {body[:300]!r}")
        return body

    def results(self, text: str) -> Any:
        """The results of a query."""
        return json.loads(self.ask(text))["results"]

    def timed(self, text: str) -> float:
        """Milliseconds until the whole answer is here."""
        began = time.perf_counter()
        self.ask(text)
        return (time.perf_counter() - began) * 1e3

    def close(self) -> None:
        self._connection.close()


def quantile(times: list[float], part: float) -> float:
    """The time that this part of all stays below."""
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]
